"""Operations that take more than a line, forward and gradients, on plain arrays; `ops` has them all in one table."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None

GELU_SCALE = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715
FINGERPRINT_ELEMENTS = 64  # at most about as many are looked at: 0.4 % of a step of digits_mlp
SMALLEST_LOG = -100  # of a probability, and
SMALLEST_VARIANCE = 1e-12  # p (1 - p), so that a sure and wrong prediction costs much, but not infinitely (as PyTorch)


def in_one_type(arrays: list[Array]) -> list[Array]:
    """Integers and truth values in the type of the floating arrays beside them; without such, all as they are."""
    floating = [array.dtype for array in arrays if array.dtype.kind == "f"]
    if not floating:
        return arrays
    return [array if array.dtype.kind == "f" else array.astype(max(floating)) for array in arrays]


def fingerprint(array: Array) -> bytes:
    """What shows that an array was changed: all of a small one, elements all over a large one."""
    return array[_sampled(array.shape)].tobytes()


@functools.lru_cache(maxsize=4096)
def _sampled(shape: Shape) -> tuple[slice, ...]:
    """At most about FINGERPRINT_ELEMENTS elements, at equal distances."""
    along_one_axis = round(FINGERPRINT_ELEMENTS ** (1 / max(1, len(shape))))
    return tuple(slice(None, None, max(1, -(-size // along_one_axis))) for size in shape)


def broadcasts_to(shape: Shape, target: Shape) -> bool:
    """Whether an array of `shape` can be stretched to `target`."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


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


def matmul(left: Array, right: Array) -> Array:
    """`left @ right`, with the rows of many matrices under one another when they meet the same right side."""
    if left.ndim < 3 or right.ndim != 2:
        product: Array = np.matmul(left, right)
        return product
    product = np.matmul(_rows(left), right)
    return product.reshape(*left.shape[:-1], right.shape[1])


def matmul_left(gradient: Array, _: Array, left: Array, right: Array) -> Array:
    matrix, rows, columns = _as_matrices(gradient, left, right)
    return _reshaped(unbroadcast(matmul(matrix, columns.swapaxes(-1, -2)), rows.shape), left.shape)


def matmul_right(gradient: Array, _: Array, left: Array, right: Array) -> Array:
    matrix, rows, columns = _as_matrices(gradient, left, right)
    if columns.ndim == 2:
        matrix, rows = _rows(matrix), _rows(rows)
    return _reshaped(unbroadcast(rows.swapaxes(-1, -2) @ matrix, columns.shape), right.shape)


def _rows(matrices: Array) -> Array:
    """(..., columns) -> (rows, columns)."""
    return matrices.reshape(math.prod(matrices.shape[:-1]), matrices.shape[-1])


def linear(inputs: Array, weight: Array, bias: Array) -> Array:
    output = matmul(inputs, weight)
    output += bias
    return output


def extreme_vjp(gradient: Array, output: Array, array: Array, axis: Axis, keepdims: bool) -> Array:
    """Entries that tie for the maximum, or the minimum, share its gradient equally."""
    is_extreme = array == spread(output, array.shape, axis, keepdims)
    share: Array = is_extreme / is_extreme.sum(axis=axis, keepdims=True, dtype=array.dtype)
    return share * spread(gradient, array.shape, axis, keepdims)


def clip_vjp(gradient: Array, _: Array, array: Array, low: Array | None, high: Array | None) -> Array:
    """Elements at a bound still move."""
    is_inside = np.ones(array.shape, bool)
    is_inside &= True if low is None else array >= low
    is_inside &= True if high is None else array <= high
    return gradient * is_inside


def mean_vjp(gradient: Array, output: Array, array: Array, axis: Axis, keepdims: bool) -> Array:
    return spread(gradient * (output.size / array.size), array.shape, axis, keepdims)


def var_vjp(gradient: Array, output: Array, array: Array, axis: Axis, keepdims: bool) -> Array:
    centred: Array = array - array.mean(axis=axis, keepdims=True)
    centred *= spread(gradient * (2 * output.size / array.size), array.shape, axis, keepdims)
    return centred


def std_vjp(gradient: Array, output: Array, array: Array, axis: Axis, keepdims: bool) -> Array:
    """Half that of the variance over the root; 0 where all are equal, and no slope is the right one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(output == 0, 0, gradient / (2 * output))
    return var_vjp(share, output, array, axis, keepdims)


def getitem_vjp(gradient: Array, _: Array, array: Array, index: Any) -> Array:
    scattered = np.zeros_like(array)
    parts = index if isinstance(index, tuple) else (index,)
    if all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts):
        scattered[index] = gradient
    elif isinstance(index, np.ndarray) and index.dtype.kind in "iu" and index.size:
        _add_rows(scattered, index.ravel() % len(array), gradient.reshape(-1, *array.shape[1:]))
    else:
        np.add.at(scattered, index, gradient)  # an index array may name one entry many times
    return scattered


def _add_rows(total: Array, index: Array, rows: Array) -> None:
    """total[index] += rows, with repeated indices added up; sorted first, which is much faster than `np.add.at`."""
    order = np.argsort(index, kind="stable")
    sorted_index = index[order]
    starts = np.flatnonzero(np.diff(sorted_index, prepend=-1))
    total[sorted_index[starts]] = np.add.reduceat(rows[order], starts)


def concatenate_vjp(position: int, gradient: Array, _: Array, *arrays: Array, axis: int) -> Array:
    start = sum(array.shape[axis] for array in arrays[:position])
    return gradient.swapaxes(0, axis)[start : start + arrays[position].shape[axis]].swapaxes(0, axis)


def normalize(array: Array, axis: Axis, epsilon: float) -> Array:
    centred: Array = array - array.mean(axis=axis, keepdims=True)
    centred /= np.sqrt(np.square(centred).mean(axis=axis, keepdims=True) + epsilon)
    return centred


def normalize_vjp(gradient: Array, output: Array, array: Array, axis: Axis, epsilon: float) -> Array:
    projection = (gradient * output).mean(axis=axis, keepdims=True)
    slope: Array = gradient - gradient.mean(axis=axis, keepdims=True)
    slope -= output * projection
    slope /= np.sqrt(array.var(axis=axis, keepdims=True) + epsilon)
    return slope


def where(chosen: Array, other: Array, condition: Array) -> Array:
    picked: Array = np.asarray(np.where(condition, chosen, other))
    return picked


def sigmoid(array: Array) -> Array:
    """1 / (1 + e^-x), with all digits of results near 0, too."""
    floating = array if array.dtype.kind == "f" else array.astype(np.float32)
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is 0, as it should be
        powers: Array = np.exp(-floating)
    powers += 1
    return np.reciprocal(powers)


def gelu(array: Array) -> Array:
    share = _gelu_tanh(array)
    share += 1
    share *= 0.5
    share *= array
    return share


def _gelu_tanh(array: Array) -> Array:
    """tanh(sqrt(2 / pi) * (x + 0.044715 x^3)): the tanh form of Hendrycks & Gimpel 2016, section 2."""
    inner: Array = np.asarray(array * array)  # of a single number numpy makes a scalar
    inner *= GELU_CUBIC * GELU_SCALE
    inner += GELU_SCALE
    inner *= array
    return np.tanh(inner, out=inner)


def gelu_vjp(gradient: Array, _: Array, array: Array) -> Array:
    tanh = _gelu_tanh(array)
    slope: Array = array * array
    slope *= 3 * GELU_CUBIC * GELU_SCALE
    slope += GELU_SCALE
    slope *= array
    slope *= 1 - tanh * tanh
    slope += 1 + tanh
    slope *= gradient
    slope *= 0.5
    return slope


def log_softmax(array: Array, axis: int) -> Array:
    shifted: Array = array - array.max(axis=axis, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def softmax(array: Array, axis: int) -> Array:
    powers: Array = np.exp(array - array.max(axis=axis, keepdims=True))
    powers /= powers.sum(axis=axis, keepdims=True)
    return powers


def softmax_vjp(gradient: Array, output: Array, _: Array, axis: int) -> Array:
    centred: Array = gradient - (gradient * output).sum(axis=axis, keepdims=True)
    return output * centred


def cross_entropy(logits: Array, labels: Array) -> Array:
    log_likelihood: Array = log_softmax(logits, 1)[np.arange(len(labels)), labels].mean()
    return -log_likelihood


def cross_entropy_vjp(gradient: Array, _: Array, logits: Array, labels: Array) -> Array:
    difference = softmax(logits, 1)
    difference[np.arange(len(labels)), labels] -= 1
    difference *= gradient / len(labels)
    return difference


def binary_cross_entropy(probabilities: Array, targets: Array) -> Array:
    """For each element -(t log p + (1 - t) log(1 - p))."""
    with np.errstate(divide="ignore"):
        of_ones = np.maximum(np.log(probabilities), SMALLEST_LOG)
        of_zeros = np.maximum(np.log1p(-probabilities), SMALLEST_LOG)
    costs: Array = -(targets * of_ones + (1 - targets) * of_zeros)
    return costs


def binary_cross_entropy_of_logits(logits: Array, targets: Array) -> Array:
    """For each element -(t log p + (1 - t) log(1 - p)) with p = sigmoid(x), without rounding p: max(x, 0) - x t +
    log(1 + e^-|x|).
    """
    costs: Array = np.maximum(logits, 0) - logits * targets
    costs += np.log1p(np.exp(-np.abs(logits)))
    return costs


def binary_cross_entropy_vjp(gradient: Array, _: Array, probabilities: Array, targets: Array) -> Array:
    variance = np.maximum(probabilities * (1 - probabilities), SMALLEST_VARIANCE)
    slope: Array = gradient * (probabilities - targets) / variance
    return slope
