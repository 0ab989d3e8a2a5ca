"""The numpy back end: every instruction as calls of numpy that write into arrays which are there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.core.arrays import GELU_CUBIC, GELU_SCALE
from tinytorch.core.attention import BLOCKED
from tinytorch.core.compact import CompactWeight
from tinytorch.core.ops import OPERATIONS, Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.windows import Size
from tinytorch.perf.acceleration.layout import conv_matrix
from tinytorch.perf.acceleration.memory import ALIGNMENT_BYTES
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.trace import LAYER

Call = Callable[[], object]
Bind = Callable[..., list[Call] | None]  # of a scratchpad, output, *inputs, **options; None where it does not suit

MOST_ZEROS = 4096  # so many elements are compared in half the time with as many zeros as with one
ZERO, HALF, ONE = (np.array(value, np.float32) for value in (0, 0.5, 1))  # arrays: numbers take three times as long


class Scratchpad:
    """Memory for what an instruction needs while it runs, the same for all of them."""

    def __init__(self, size_bytes: int = 0, zeros: int = 0) -> None:
        self.memory = np.zeros(size_bytes, np.uint8)
        self.needed_bytes = self._used_bytes = self.needed_zeros = 0
        self._zeros = np.zeros(zeros, np.float32)

    def array(self, shape: Shape) -> Array:
        """Float32, for the instruction that is bound now; a throwaway where the pad is too small."""
        start, size_bytes = self._used_bytes, -(-4 * prod(shape) // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        self._used_bytes += size_bytes
        self.needed_bytes = max(self.needed_bytes, self._used_bytes)
        if self._used_bytes > len(self.memory):
            return np.empty(shape, np.float32)
        return self.memory[start : start + 4 * prod(shape)].view(np.float32).reshape(shape)

    def zeros(self, shape: Shape) -> Array:
        """Zeros, which stay zeros."""
        count = prod(shape)
        self.needed_zeros = max(self.needed_zeros, count)
        return np.zeros(shape, np.float32) if count > len(self._zeros) else self._zeros[:count].reshape(shape)

    def next(self) -> None:
        """Another instruction is bound from now on."""
        self._used_bytes = 0


def bound(instructions: Sequence[Instruction]) -> list[Call]:
    """All calls of a plan, in order."""
    measuring = Scratchpad()
    for instruction in instructions:
        _calls(instruction, measuring)
    pad = Scratchpad(measuring.needed_bytes, measuring.needed_zeros)
    return [call for instruction in instructions for call in _calls(instruction, pad)]


def _calls(instruction: Instruction, pad: Scratchpad) -> list[Call]:
    """What computes an instruction; operations without a shorter way are computed as the framework does."""
    pad.next()
    output, inputs, options = instruction.output, instruction.inputs, instruction.options
    if instruction.name == LAYER:
        return [partial(_call_layer, output, instruction.layer, inputs[0], options)]
    bind = BINDS.get(instruction.name)
    found = bind(pad, output, *inputs, **options) if bind and output.dtype == np.float32 else None
    return found or [partial(_compute, output, OPERATIONS[instruction.name].forward, inputs, options)]


def _compute(output: Array, forward: Callable[..., Array], inputs: Sequence[Array], options: dict[str, Any]) -> None:
    output[...] = forward(*inputs, **options)


def _call_layer(output: Array, layer: Any, inputs: Array, options: dict[str, Any]) -> None:
    output[...] = layer.forward(Tensor(inputs), **options).data


def _ufunc(function: np.ufunc, _: Scratchpad, output: Array, *inputs: Array) -> list[Call]:
    return [partial(function, *as_vectors(*inputs, output))]  # `out=` takes longer


def _relu(pad: Scratchpad, output: Array, inputs: Array) -> list[Call]:
    inputs, output = as_vectors(inputs, output)
    zeros = pad.zeros(inputs.shape) if inputs.size <= MOST_ZEROS else ZERO
    return [partial(np.maximum, inputs, zeros, out=output)]


def _sigmoid(_: Scratchpad, output: Array, inputs: Array) -> list[Call]:
    """(tanh(x / 2) + 1) / 2."""
    inputs, output = as_vectors(inputs, output)
    return [
        partial(np.multiply, inputs, HALF, output),
        partial(np.tanh, output, output),
        partial(np.add, output, ONE, output),
        partial(np.multiply, output, HALF, output),
    ]


def _gelu(pad: Scratchpad, output: Array, inputs: Array) -> list[Call]:
    """x (1 + tanh(x (scale + scale cubic x^2))) / 2."""
    inputs, output = as_vectors(inputs, output)
    inner = pad.array(inputs.shape)
    scale, cubic = np.array(GELU_SCALE, np.float32), np.array(GELU_SCALE * GELU_CUBIC, np.float32)
    return [
        partial(np.multiply, inputs, inputs, inner),
        partial(np.multiply, inner, cubic, inner),
        partial(np.add, inner, scale, inner),
        partial(np.multiply, inner, inputs, inner),
        partial(np.tanh, inner, inner),
        partial(np.add, inner, ONE, inner),
        partial(np.multiply, inner, HALF, inner),
        partial(np.multiply, inner, inputs, output),
    ]


def _matmul(_: Scratchpad, output: Array, left: Array, right: Array) -> list[Call] | None:
    if right.ndim != 2 or left.ndim < 2:
        return [partial(np.matmul, left, right, out=output)]
    rows, target = as_rows(left), as_rows(output)
    if rows is None or target is None or not target.flags.c_contiguous:
        return None
    return [partial(rows.dot, right, target)]  # the method: np.dot takes half as long again


def _linear(pad: Scratchpad, output: Array, inputs: Array, weight: Array, bias: Array) -> list[Call] | None:
    product = _matmul(pad, output, inputs, weight)
    target = as_rows(output)
    return product and [*product, partial(np.add, target, bias, target)]


def _softmax(pad: Scratchpad, output: Array, inputs: Array, axis: int) -> list[Call]:
    largest = pad.array(inputs.max(axis=axis, keepdims=True).shape)
    return [
        partial(np.maximum.reduce, inputs, axis=axis, keepdims=True, out=largest),
        partial(np.subtract, inputs, largest, output),
        partial(np.exp, output, output),
        partial(np.add.reduce, output, axis=axis, keepdims=True, out=largest),
        partial(np.divide, output, largest, output),
    ]


def _normalize(pad: Scratchpad, output: Array, inputs: Array, axis: Any, epsilon: float) -> list[Call] | None:
    """Means are products with 1 / n, which are faster than sums."""
    rows, target = as_matrix(inputs), as_matrix(output)
    if axis not in (-1, inputs.ndim - 1) or rows is None or target is None:
        return None
    count, size = rows.shape
    share, squares = np.full(size, 1 / size, np.float32), pad.array(rows.shape)
    mean, small = pad.array((count,)), np.array(epsilon, np.float32)
    column = mean[:, None]
    return [
        partial(rows.dot, share, mean),
        partial(np.subtract, rows, column, target),
        partial(np.multiply, target, target, squares),
        partial(squares.dot, share, mean),
        partial(np.add, mean, small, mean),
        partial(np.sqrt, mean, mean),
        partial(np.divide, target, column, target),
    ]


def _root_mean_square(pad: Scratchpad, output: Array, inputs: Array, epsilon: float) -> list[Call] | None:
    """Rows by the root of their mean square: LayerNorm of what has mean zero."""
    rows, target = as_matrix(inputs), as_matrix(output)
    if rows is None or target is None:
        return None
    size = rows.shape[1]
    if len(rows) == 1:
        factor = np.empty((), np.float32)
        return [
            partial(_inverse_root, factor, rows[0], size, epsilon),
            partial(np.multiply, rows[0], factor, target[0]),
        ]
    share, squares, mean = np.full(size, 1 / size, np.float32), pad.array(rows.shape), pad.array((len(rows),))
    return [
        partial(np.multiply, rows, rows, squares),
        partial(squares.dot, share, mean),
        partial(np.add, mean, np.array(epsilon, np.float32), mean),
        partial(np.sqrt, mean, mean),
        partial(np.divide, rows, mean[:, None], target),
    ]


def _inverse_root(factor: Array, row: Array, size: int, epsilon: float) -> None:
    factor[()] = 1 / sqrt(row.dot(row) / size + epsilon)


def _embed(_: Scratchpad, output: Array, tokens: Array, table: Any, positions: Any, start: Array) -> list[Call]:
    """Vectors of tokens (N, T) and of their positions, from `start` (1,) on."""
    count = tokens.shape[1]

    def embed() -> None:
        first = int(start[0])
        output[...] = table.rows(tokens) if isinstance(table, CompactWeight) else table[tokens]
        places = slice(first, first + count)
        np.add(output, positions.rows(places) if isinstance(positions, CompactWeight) else positions[places], output)

    return [embed]


def _hold(_: Scratchpad, keys: Array, projected: Array, values: Array, start: Array) -> list[Call]:
    """Put keys and values of `projected` (N, T, 3, heads, size) into the cache, from position `start` (1,) on."""
    count, size = projected.shape[1], projected.shape[4]
    new_keys, new_values = projected[:, :, 1].transpose(0, 2, 3, 1), projected[:, :, 2].transpose(0, 2, 1, 3)
    all_keys, marks, all_values = keys[:, :, :size], keys[:, :, size], values[..., :size]

    def hold() -> None:
        first = int(start[0])
        last = first + count
        all_keys[..., first:last] = new_keys
        all_values[:, :, first:last] = new_values
        marks[..., first:last] = 0

    return [hold]


def _attend(pad: Scratchpad, output: Array, projected: Array, keys: Array, values: Array, start: Array) -> list[Call]:
    """Attention of queries in `projected` (N, T, 3, heads, size) over a cache (`decoder.Cache`) -> (N, T, heads size).

    A further number of each query, 1, meets that of each key, which blocks what is not held; one of each value, 1,
    adds the weights up. So both come with the products.
    """
    samples, count, _, heads, size = projected.shape
    length = keys.shape[3]
    query = np.ones((samples, heads, count, size + 1), np.float32)
    scores, attended = pad.array((samples, heads, count, length)), pad.array(query.shape)
    largest = pad.array((samples, heads, count, 1))
    target = output.reshape(samples, count, heads, size).transpose(0, 2, 1, 3)
    scale = np.array(1 / sqrt(size), np.float32)
    ahead = [] if count == 1 else [np.where(np.tri(count, length, dtype=bool), 0, BLOCKED).astype(np.float32)]
    return [
        partial(np.multiply, projected[:, :, 0].transpose(0, 2, 1, 3), scale, query[..., :size]),
        partial(np.matmul, query, keys, scores),
        *(partial(np.add, scores, mask, scores) for mask in ahead),
        partial(np.maximum.reduce, scores, axis=3, keepdims=True, out=largest),
        partial(np.subtract, scores, largest, scores),
        partial(np.exp, scores, scores),
        partial(np.matmul, scores, values, attended),
        partial(np.divide, attended[..., :size], attended[..., size:], target),
    ]


def _conv2d(
    pad: Scratchpad, output: Array, images: Array, weight: Array, *bias: Array, stride: int, padding: int
) -> list[Call] | None:
    """Every window as a row (im2col), then one product; images lie as (N, H, W, C) here."""
    samples, channels, height, width = images.shape
    outputs, _, rows, columns = weight.shape
    target = output.transpose(0, 2, 3, 1)
    if not target.flags.c_contiguous:
        return None
    padded = np.zeros((samples, height + 2 * padding, width + 2 * padding, channels), np.float32)
    inner = padded[:, padding : padding + height, padding : padding + width]
    windows = sliding_window_view(padded, (rows, columns), axis=(1, 2))[:, ::stride, ::stride]
    windows = windows.transpose(0, 1, 2, 4, 5, 3)
    matrix, product = conv_matrix(weight, *bias), target.reshape(-1, outputs)
    copied, size = pad.array((len(product), len(matrix))), channels * rows * columns
    return [
        partial(np.copyto, inner, images.transpose(0, 2, 3, 1)),
        partial(np.copyto, copied[:, :size].reshape(windows.shape), windows),
        *(partial(np.copyto, copied[:, size], ONE) for _ in bias),
        partial(copied.dot, matrix, product),
    ]


def _max_pool2d(
    pad: Scratchpad, output: Array, images: Array, kernel: Size, stride: int, padding: int
) -> list[Call] | None:
    """The largest of rows first, which are long runs of memory, then of columns."""
    if padding:
        return None
    samples, channels, rows, _ = output.shape
    tall = pad.array((samples, rows, images.shape[3], channels)).transpose(0, 3, 1, 2)
    return [*_largest(tall, images, kernel[0], stride, 2), *_largest(output, tall, kernel[1], stride, 3)]


def _largest(output: Array, images: Array, size: int, stride: int, axis: int) -> list[Call]:
    """The largest of `size` neighbours along an axis."""
    windows = np.moveaxis(sliding_window_view(images, size, axis=axis), axis, 0)[::stride]
    first, *others = (np.moveaxis(windows[..., place], 0, axis) for place in range(size))
    if not others:
        return [partial(np.copyto, output, first)]
    second, *others = others
    return [
        partial(np.maximum, first, second, out=output),
        *(partial(np.maximum, output, part, out=output) for part in others),
    ]


def _reshape(_: Scratchpad, output: Array, inputs: Array, shape: Shape) -> list[Call]:
    """A reshape that is no view."""
    return [partial(np.copyto, output.reshape(inputs.shape), inputs)]


def as_rows(array: Array) -> Array | None:
    """The same; a single row as a vector, which numpy goes through in a third of the time where it adds another."""
    rows = as_matrix(array)
    return rows if rows is None or len(rows) > 1 else rows[0]


def as_vectors(*arrays: Array) -> tuple[Array, ...]:
    """Views of arrays of one shape and one order in memory as vectors, in that order; others as they are.

    Where the last array is a single row, the others are one, too, or a number.
    """
    first = arrays[-1]
    if first.ndim and first.size == first.shape[-1]:
        return tuple(array.reshape(array.shape[-1:]) for array in arrays)
    order = sorted(range(first.ndim), key=lambda axis: -first.strides[axis])
    moved = [array.transpose(order) for array in arrays if array.shape == first.shape]
    is_plain = len(moved) == len(arrays) and all(array.flags.c_contiguous for array in moved)
    return tuple(array.reshape(-1) for array in moved) if is_plain else arrays


def as_matrix(array: Array) -> Array | None:
    """View of an array as rows of its last axis; None where that would be a copy."""
    rows = array.reshape(-1, array.shape[-1])
    return rows if np.may_share_memory(rows, array) else None


_UFUNCS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "neg": np.negative, "abs": np.abs,
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh,
}  # fmt: skip
BINDS: dict[str, Bind] = {name: partial(_ufunc, function) for name, function in _UFUNCS.items()} | {
    "relu": _relu, "sigmoid": _sigmoid, "gelu": _gelu, "matmul": _matmul, "linear": _linear, "softmax": _softmax,
    "normalize": _normalize, "root_mean_square": _root_mean_square, "conv2d": _conv2d, "max_pool2d": _max_pool2d,
    "reshape": _reshape, "embed": _embed, "hold": _hold, "attend": _attend,
}  # fmt: skip
