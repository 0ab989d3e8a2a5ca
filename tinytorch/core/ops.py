"""Every differentiable operation as one row of one table: forward and gradients side by side, on plain arrays.

A row holds `forward(*arrays, **options) -> output` and, for each array, a vector-Jacobian product
`vjp(gradient, output, *arrays, **options) -> gradient of that array`, where `gradient` has the shape of `output`.
Options (axes, exponents, labels) are never differentiated. A vjp may hand `gradient` back as it is, or a view of it;
it never writes into what it was given.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from tinytorch.core import arrays, windows
from tinytorch.core.arrays import Array, Axis, Shape, spread, unbroadcast

__all__ = ["OPERATIONS", "SHOWN", "WATCHES", "Array", "Axis", "Operation", "Shape", "watched"]


class ForAny:
    """The vjps of an operation on any number of arrays: for each position that of `vjp(position, gradient, ...)`."""

    def __init__(self, vjp: Callable[..., Array]) -> None:
        self._vjp = vjp

    def __getitem__(self, position: int) -> Callable[..., Array]:
        return functools.partial(self._vjp, position)


class Operation(NamedTuple):
    """One row: `forward`, and one vjp for each array argument."""

    forward: Callable[..., Array]
    vjps: tuple[Callable[..., Array], ...] | ForAny


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
        (
            lambda g, out, a, b: unbroadcast(g * b, a.shape),
            lambda g, out, a, b: unbroadcast(g * a, b.shape),
        ),
    ),
    "div": Operation(
        np.true_divide,
        (
            lambda g, out, a, b: unbroadcast(g / b, a.shape),
            lambda g, out, a, b: unbroadcast(-g * out / b, b.shape),
        ),
    ),
    "neg": Operation(np.negative, (lambda g, out, a: -g,)),
    "pow": Operation(
        lambda a, exponent: a**exponent,
        (lambda g, out, a, exponent: g * (exponent * a ** (exponent - 1)) if exponent else np.zeros_like(a),),
    ),
    "power": Operation(
        np.power,
        (
            lambda g, out, a, b: unbroadcast(g * b * a ** np.where(b == 0, 1, b - 1), a.shape),
            lambda g, out, a, b: unbroadcast(g * out * np.log(np.where(a > 0, a, 1)), b.shape),
        ),
    ),
    "abs": Operation(np.abs, (lambda g, out, a: g * np.sign(a),)),
    "matmul": Operation(arrays.matmul, (arrays.matmul_left, arrays.matmul_right)),
    "linear": Operation(
        arrays.linear,
        (
            lambda g, out, x, w, b: arrays.matmul_left(g, out, x, w),
            lambda g, out, x, w, b: arrays.matmul_right(g, out, x, w),
            lambda g, out, x, w, b: unbroadcast(g, b.shape),
        ),
    ),
    "exp": Operation(np.exp, (lambda g, out, a: g * out,)),
    "log": Operation(np.log, (lambda g, out, a: g / a,)),
    "sqrt": Operation(np.sqrt, (lambda g, out, a: 0.5 * g / out,)),
    "tanh": Operation(np.tanh, (lambda g, out, a: g * (1 - out * out),)),
    "sigmoid": Operation(arrays.sigmoid, (lambda g, out, a: g * out * (1 - out),)),
    "relu": Operation(lambda a: np.maximum(a, 0), (lambda g, out, a: g * (out > 0),)),
    "gelu": Operation(arrays.gelu, (arrays.gelu_vjp,)),
    "where": Operation(
        arrays.where,
        (
            lambda g, out, a, b, condition: unbroadcast(g * condition, a.shape),
            lambda g, out, a, b, condition: unbroadcast(g * ~condition, b.shape),
        ),
    ),
    "conv2d": Operation(
        windows.conv2d, (windows.conv2d_images_vjp, windows.conv2d_weight_vjp, windows.conv2d_bias_vjp)
    ),
    "max_pool2d": Operation(windows.max_pool2d, (windows.max_pool2d_vjp,)),
    "avg_pool2d": Operation(windows.avg_pool2d, (windows.avg_pool2d_vjp,)),
    "sum": Operation(
        lambda a, axis, keepdims: a.sum(axis=axis, keepdims=keepdims),
        (lambda g, out, a, axis, keepdims: spread(g, a.shape, axis, keepdims),),
    ),
    "mean": Operation(lambda a, axis, keepdims: a.mean(axis=axis, keepdims=keepdims), (arrays.mean_vjp,)),
    "var": Operation(
        lambda a, axis, keepdims: a.var(axis=axis, keepdims=keepdims),
        (arrays.var_vjp,),
    ),
    "std": Operation(
        lambda a, axis, keepdims: a.std(axis=axis, keepdims=keepdims),
        (arrays.std_vjp,),
    ),
    "max": Operation(lambda a, axis, keepdims: a.max(axis=axis, keepdims=keepdims), (arrays.extreme_vjp,)),
    "min": Operation(lambda a, axis, keepdims: a.min(axis=axis, keepdims=keepdims), (arrays.extreme_vjp,)),
    "clip": Operation(lambda a, low, high: np.clip(a, low, high), (arrays.clip_vjp,)),
    "clone": Operation(lambda a: a.copy(), (lambda g, out, a: g,)),
    "reshape": Operation(lambda a, shape: a.reshape(shape), (lambda g, out, a, shape: g.reshape(a.shape),)),
    "transpose": Operation(
        lambda a, axes: a.transpose(axes),
        (lambda g, out, a, axes: g.transpose(None if axes is None else np.argsort([axis % a.ndim for axis in axes])),),
    ),
    "swapaxes": Operation(
        lambda a, first, second: a.swapaxes(first, second),
        (lambda g, out, a, first, second: g.swapaxes(first, second),),
    ),
    "getitem": Operation(lambda a, index: a[index], (arrays.getitem_vjp,)),
    "concatenate": Operation(lambda *parts, axis: np.concatenate(parts, axis), ForAny(arrays.concatenate_vjp)),
    "normalize": Operation(arrays.normalize, (arrays.normalize_vjp,)),
    "softmax": Operation(arrays.softmax, (arrays.softmax_vjp,)),
    "log_softmax": Operation(
        arrays.log_softmax,
        (lambda g, out, a, axis: g - np.exp(out) * g.sum(axis=axis, keepdims=True),),
    ),
    "cross_entropy": Operation(arrays.cross_entropy, (arrays.cross_entropy_vjp,)),
    "binary_cross_entropy": Operation(arrays.binary_cross_entropy, (arrays.binary_cross_entropy_vjp,)),
    "binary_cross_entropy_of_logits": Operation(
        arrays.binary_cross_entropy_of_logits, (lambda g, out, a, targets: g * (arrays.sigmoid(a) - targets),)
    ),
}


SHOWN: list[object] = []
"""Which plans were shown by their operations, the last ones: what those cost is not what the plans do."""

WATCHES: list[Callable[[str, Operation], Operation]] = []
"""Who watches the table now. What computes without it shows, while there is anybody, what it does by its operations."""


@contextmanager
def watched(watch: Callable[[str, Operation], Operation]) -> Iterator[None]:
    """For a while every row is what `watch(name, row)` makes of it, in all threads."""
    before = dict(OPERATIONS)
    OPERATIONS.update({name: watch(name, row) for name, row in before.items()})
    WATCHES.append(watch)
    try:
        yield
    finally:
        WATCHES.remove(watch)
        OPERATIONS.update(before)
