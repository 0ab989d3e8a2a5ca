"""Every differentiable operation as one row of one table: forward and gradients side by side, on plain arrays.

A row holds `forward(*arrays, **options) -> output` and, for each array, a vector-Jacobian product
`vjp(gradient, output, *arrays, **options) -> gradient of that array`, where `gradient` has the shape of `output`.
Options (axes, exponents, labels) are never differentiated. A vjp may hand `gradient` back as it is, or a view of it;
it never writes into what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None


class Operation(NamedTuple):
    """One row: `forward`, and one vjp for each array argument."""

    forward: Callable[..., Array]
    vjps: tuple[Callable[..., Array], ...]


def unbroadcast(gradient: Array, shape: Shape) -> Array:
    """Sum `gradient` over every axis along which an array of `shape` was stretched; the result has `shape`."""
    if gradient.shape == shape:
        return gradient
    added = gradient.ndim - len(shape)
    stretched = tuple(axis for axis, size in enumerate(shape, added) if size == 1 and gradient.shape[axis] != 1)
    summed: Array = gradient.sum(axis=(*range(added), *stretched), keepdims=True)
    return summed.reshape(shape)


def spread(reduced: Array, shape: Shape, axis: Axis, keepdims: bool) -> Array:
    """View of a result reduced over `axis`, stretched back over `shape`."""
    if axis is not None and not keepdims:
        reduced = np.expand_dims(reduced, axis)
    return np.broadcast_to(reduced, shape)


def _as_matrices(gradient: Array, left: Array, right: Array) -> tuple[Array, Array, Array]:
    """The operands of `left @ right` and its gradient, vectors written as matrices of one row or column."""
    if right.ndim == 1:
        right, gradient = right[:, None], gradient[..., None]
    if left.ndim == 1:
        left, gradient = left[None, :], gradient[..., None, :]
    return gradient, left, right


def _reshaped(array: Array, shape: Shape) -> Array:
    return array if array.shape == shape else array.reshape(shape)


def _matmul_left(gradient: Array, _: Array, left: Array, right: Array) -> Array:
    matrix, rows, columns = _as_matrices(gradient, left, right)
    return _reshaped(unbroadcast(matrix @ columns.swapaxes(-1, -2), rows.shape), left.shape)


def _matmul_right(gradient: Array, _: Array, left: Array, right: Array) -> Array:
    matrix, rows, columns = _as_matrices(gradient, left, right)
    return _reshaped(unbroadcast(rows.swapaxes(-1, -2) @ matrix, columns.shape), right.shape)


def _linear(inputs: Array, weight: Array, bias: Array) -> Array:
    output: Array = inputs @ weight
    output += bias
    return output


def _max_vjp(gradient: Array, output: Array, array: Array, axis: Axis, keepdims: bool) -> Array:
    """Entries that tie for the maximum share its gradient equally."""
    is_maximum = array == spread(output, array.shape, axis, keepdims)
    share: Array = is_maximum / is_maximum.sum(axis=axis, keepdims=True, dtype=array.dtype)
    return share * spread(gradient, array.shape, axis, keepdims)


def _mean_vjp(gradient: Array, output: Array, array: Array, axis: Axis, keepdims: bool) -> Array:
    return spread(gradient * (output.size / array.size), array.shape, axis, keepdims)


def _getitem_vjp(gradient: Array, _: Array, array: Array, index: Any) -> Array:
    scattered = np.zeros_like(array)
    parts = index if isinstance(index, tuple) else (index,)
    if all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts):
        scattered[index] = gradient
    else:
        np.add.at(scattered, index, gradient)  # an index array may name one entry many times
    return scattered


def _sigmoid(array: Array) -> Array:
    half: Array = np.tanh(0.5 * array) + 1
    return 0.5 * half


def _log_softmax(array: Array, axis: int) -> Array:
    shifted: Array = array - array.max(axis=axis, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def _softmax(array: Array, axis: int) -> Array:
    powers: Array = np.exp(array - array.max(axis=axis, keepdims=True))
    powers /= powers.sum(axis=axis, keepdims=True)
    return powers


def _softmax_vjp(gradient: Array, output: Array, _: Array, axis: int) -> Array:
    centred: Array = gradient - (gradient * output).sum(axis=axis, keepdims=True)
    return output * centred


def _cross_entropy(logits: Array, labels: Array) -> Array:
    log_likelihood: Array = _log_softmax(logits, 1)[np.arange(len(labels)), labels].mean()
    return -log_likelihood


def _cross_entropy_vjp(gradient: Array, _: Array, logits: Array, labels: Array) -> Array:
    difference = _softmax(logits, 1)
    difference[np.arange(len(labels)), labels] -= 1
    difference *= gradient / len(labels)
    return difference


OPERATIONS: dict[str, Operation] = {
    "add": Operation(
        np.add,
        (lambda g, out, a, b: unbroadcast(g, a.shape), lambda g, out, a, b: unbroadcast(g, b.shape)),
    ),
    "sub": Operation(
        np.subtract,
        (lambda g, out, a, b: unbroadcast(g, a.shape), lambda g, out, a, b: unbroadcast(-g, b.shape)),
    ),
    "mul": Operation(
        np.multiply,
        (lambda g, out, a, b: unbroadcast(g * b, a.shape), lambda g, out, a, b: unbroadcast(g * a, b.shape)),
    ),
    "div": Operation(
        np.true_divide,
        (lambda g, out, a, b: unbroadcast(g / b, a.shape), lambda g, out, a, b: unbroadcast(-g * out / b, b.shape)),
    ),
    "neg": Operation(np.negative, (lambda g, out, a: -g,)),
    "pow": Operation(
        lambda a, exponent: a**exponent,
        (lambda g, out, a, exponent: g * (exponent * a ** (exponent - 1)) if exponent else np.zeros_like(a),),
    ),
    "matmul": Operation(np.matmul, (_matmul_left, _matmul_right)),
    "linear": Operation(
        _linear,
        (
            lambda g, out, x, w, b: _matmul_left(g, out, x, w),
            lambda g, out, x, w, b: _matmul_right(g, out, x, w),
            lambda g, out, x, w, b: unbroadcast(g, b.shape),
        ),
    ),
    "exp": Operation(np.exp, (lambda g, out, a: g * out,)),
    "log": Operation(np.log, (lambda g, out, a: g / a,)),
    "sqrt": Operation(np.sqrt, (lambda g, out, a: 0.5 * g / out,)),
    "tanh": Operation(np.tanh, (lambda g, out, a: g * (1 - out * out),)),
    "sigmoid": Operation(_sigmoid, (lambda g, out, a: g * out * (1 - out),)),
    "relu": Operation(lambda a: np.maximum(a, 0), (lambda g, out, a: g * (out > 0),)),
    "sum": Operation(
        lambda a, axis, keepdims: a.sum(axis=axis, keepdims=keepdims),
        (lambda g, out, a, axis, keepdims: spread(g, a.shape, axis, keepdims),),
    ),
    "mean": Operation(lambda a, axis, keepdims: a.mean(axis=axis, keepdims=keepdims), (_mean_vjp,)),
    "max": Operation(lambda a, axis, keepdims: a.max(axis=axis, keepdims=keepdims), (_max_vjp,)),
    "reshape": Operation(lambda a, shape: a.reshape(shape), (lambda g, out, a, shape: g.reshape(a.shape),)),
    "transpose": Operation(
        lambda a, axes: a.transpose(axes),
        (lambda g, out, a, axes: g.transpose(None if axes is None else np.argsort([axis % a.ndim for axis in axes])),),
    ),
    "getitem": Operation(lambda a, index: a[index], (_getitem_vjp,)),
    "softmax": Operation(_softmax, (_softmax_vjp,)),
    "log_softmax": Operation(
        _log_softmax,
        (lambda g, out, a, axis: g - np.exp(out) * g.sum(axis=axis, keepdims=True),),
    ),
    "cross_entropy": Operation(_cross_entropy, (_cross_entropy_vjp,)),
}
