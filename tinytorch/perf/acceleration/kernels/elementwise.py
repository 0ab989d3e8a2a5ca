"""Kernels that go through numbers once: activations, sums, norms, softmax, pooling, copies."""

from __future__ import annotations

import numpy as np

from tinytorch.core.arrays import GELU_CUBIC, GELU_SCALE
from tinytorch.perf.acceleration.kernels.addresses import bits_as_float, floats, kernel
from tinytorch.perf.acceleration.kernels.codes import ADD, GELU, MULTIPLY, RELU, SIGMOID, SUBTRACT, TANH

ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)
SMALLEST, LARGEST = np.float32(-87), np.float32(88)  # powers of e that float32 has
LOG2_E, LN2_HIGH, LN2_LOW = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
EXPONENT_BITS, EXPONENT_BIAS = np.int32(23), np.int32(127)
P5, P4, P3, P2, P1, P0 = (
    np.float32(value)
    for value in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
)
GELU_LEAST = np.float32(-12)  # below it GELU is zero, and powers of e have none left
GELU_LINEAR, GELU_THIRD = np.float32(2 * GELU_SCALE), np.float32(GELU_CUBIC)


@kernel
def exp(x):
    """e^x within 2e-7 of itself, by steps that become vectors: 2^n by its bits, the rest by Cephes' polynomial."""
    bounded = min(max(x, SMALLEST), LARGEST)  # x first: what is not a number stays so
    whole = np.floor(bounded * LOG2_E + np.float32(0.5))
    rest = bounded - whole * LN2_HIGH - whole * LN2_LOW
    power = ((((P5 * rest + P4) * rest + P3) * rest + P2) * rest + P1) * rest + P0
    power = power * rest * rest + rest + ONE
    return power * bits_as_float((np.int32(whole) + EXPONENT_BIAS) << EXPONENT_BITS)


@kernel
def sigmoid(x):
    return ONE / (ONE + exp(-x))


@kernel
def moved(x_at, y_at, count):
    """The numbers of x, at y. Kernels work in one place: where two may overlap, the compiler makes no vectors."""
    y = floats(y_at, count)
    if x_at != y_at:
        x = floats(x_at, count)
        for j in range(count):
            y[j] = x[j]
    return y


@kernel
def unary(row):
    """An activation of every number."""
    activate(row.activation, moved(row.x, row.y, row.size), row.size)


@kernel
def activate(activation, y, count):
    """The same, in place."""
    if activation == RELU:
        for j in range(count):
            y[j] = max(y[j], ZERO)
    elif activation == GELU:
        for j in range(count):
            x = max(y[j], GELU_LEAST)
            y[j] = x * sigmoid(GELU_LINEAR * x * (ONE + GELU_THIRD * x * x))
    elif activation == SIGMOID:
        for j in range(count):
            y[j] = sigmoid(y[j])
    elif activation == TANH:
        for j in range(count):
            y[j] = TWO * sigmoid(TWO * y[j]) - ONE


@kernel
def binary(row):
    """Rows of a with b: as many numbers, a row, or one."""
    size, step = row.size, 4 * row.stride
    for number in range(row.rows):
        y = moved(row.a + number * step, row.y + number * step, size)
        b = floats(row.b + (4 * number * size if row.b_size > size else 0), size)
        if row.b_size == 1:
            _combine_with_number(row.operation, y, b[0], size)
        else:
            _combine(row.operation, y, b, size)


@kernel
def _combine(kind, y, b, size):
    if kind == ADD:
        for j in range(size):
            y[j] += b[j]
    elif kind == SUBTRACT:
        for j in range(size):
            y[j] -= b[j]
    elif kind == MULTIPLY:
        for j in range(size):
            y[j] *= b[j]
    else:
        for j in range(size):
            y[j] /= b[j]


@kernel
def _combine_with_number(kind, y, b, size):
    if kind in (ADD, SUBTRACT):
        shift = b if kind == ADD else -b
        for j in range(size):
            y[j] += shift
    else:
        factor = b if kind == MULTIPLY else ONE / b
        for j in range(size):
            y[j] *= factor


@kernel
def normalize(row):
    """Rows less their mean, unless that is zero already, by the root of their variance."""
    size, epsilon = row.size, bits_as_float(np.int32(row.epsilon_bits))
    for number in range(row.rows):
        x, y = floats(row.x + 4 * number * row.stride, size), floats(row.y + 4 * number * size, size)
        mean, square = ZERO, ZERO
        if not row.is_centred:
            for j in range(size):
                mean += x[j]
            mean /= np.float32(size)
        for j in range(size):
            square += (x[j] - mean) * (x[j] - mean)
        factor = ONE / np.sqrt(square / np.float32(size) + epsilon)
        for j in range(size):
            y[j] = (x[j] - mean) * factor


@kernel
def softmax(row):
    """Rows, each by itself."""
    for number in range(row.rows):
        offset = 4 * number * row.size
        softmax_of(moved(row.x + offset, row.y + offset, row.size), row.size)


@kernel
def softmax_of(y, size):
    """One row, in place."""
    largest, total = y[0], ZERO
    for j in range(size):
        largest = max(largest, y[j])
    for j in range(size):
        y[j] = exp(y[j] - largest)
    for j in range(size):
        total += y[j]
    factor = ONE / total
    for j in range(size):
        y[j] *= factor


@kernel
def pool(row):
    """Largest number, or mean, of windows of images (N, H, W, C)."""
    rows, columns, channels, stride = row.rows, row.columns, row.channels, row.stride
    share = ONE / np.float32(row.kernel_rows * row.kernel_columns)
    for place in range(row.samples * rows * columns):
        sample, top, left = place // (rows * columns), place // columns % rows * stride, place % columns * stride
        y = floats(row.y + 4 * place * channels, channels)
        for part in range(row.kernel_rows * row.kernel_columns):
            line, pixel = top + part // row.kernel_columns, left + part % row.kernel_columns
            x = floats(row.x + 4 * ((sample * row.height + line) * row.width + pixel) * channels, channels)
            for c in range(channels):
                y[c] = x[c] if part == 0 else y[c] + x[c] if row.is_mean else max(y[c], x[c])
        if row.is_mean:
            for c in range(channels):
                y[c] *= share


@kernel
def move(row):
    """Four axes of x, which lie anyhow, to those of y."""
    last, x3, y3 = row.last, row.x3, row.y3
    for a in range(row.first):
        for b in range(row.second):
            for c in range(row.third):
                x = floats(row.x + 4 * (a * row.x0 + b * row.x1 + c * row.x2), last * x3 + 1)
                y = floats(row.y + 4 * (a * row.y0 + b * row.y1 + c * row.y2), last * y3 + 1)
                for d in range(last):
                    y[d * y3] = x[d * x3]
