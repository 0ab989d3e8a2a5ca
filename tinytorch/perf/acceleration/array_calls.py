"""The numpy back end: every instruction as calls of numpy that write into arrays which are there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.core.arrays import GELU_CUBIC, GELU_SCALE
from tinytorch.core.ops import OPERATIONS, Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.windows import Size
from tinytorch.perf.acceleration.binding import Bind, Call, Scratchpad, as_matrix, as_rows, as_vectors
from tinytorch.perf.acceleration.decoder_calls import attend, attend_codes, lookup, positions, root_mean_square
from tinytorch.perf.acceleration.layout import conv_matrix
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.trace import LAYER

MOST_ZEROS = 4096  # so many elements are compared in half the time with as many zeros as with one
LOWEST_LOGIT = np.array(-88, np.float32)  # e^88 is about the largest power that float32 has
ZERO, HALF, ONE = (np.array(value, np.float32) for value in (0, 0.5, 1))  # arrays: numbers take three times as long


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
    """1 / (1 + e^-x), all of which float32 has."""
    inputs, output = as_vectors(inputs, output)
    return [
        partial(np.maximum, inputs, LOWEST_LOGIT, out=output),
        partial(np.negative, output, output),
        partial(np.exp, output, output),
        partial(np.add, output, ONE, output),
        partial(np.reciprocal, output, output),
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


def _linear_with_one(_: Scratchpad, output: Array, row: Array, matrix: Array) -> list[Call]:
    """One row, a 1 behind it, times a matrix whose last row is the bias."""
    return [partial(row.dot, matrix, output.reshape(-1))]


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


def _concatenate(_: Scratchpad, output: Array, *parts: Array, axis: int) -> list[Call]:
    return [partial(np.concatenate, parts, axis, out=output)]


_UFUNCS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "neg": np.negative, "abs": np.abs,
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh,
}  # fmt: skip
BINDS: dict[str, Bind] = {name: partial(_ufunc, function) for name, function in _UFUNCS.items()} | {
    "relu": _relu, "sigmoid": _sigmoid, "gelu": _gelu, "matmul": _matmul, "linear": _linear, "softmax": _softmax,
    "normalize": _normalize, "conv2d": _conv2d, "max_pool2d": _max_pool2d,
    "linear_with_one": _linear_with_one, "reshape": _reshape, "root_mean_square": root_mean_square,
    "lookup": lookup, "positions": positions, "attend": attend, "attend_codes": attend_codes,
    "concatenate": _concatenate,
}  # fmt: skip
