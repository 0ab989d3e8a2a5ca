"""Products with a matrix in any form: floats, codes, packed codes with a table, or compressed sparse rows."""

from __future__ import annotations

import numpy as np

from tinytorch.perf.acceleration.kernels.addresses import (
    doubles,
    floats,
    indices,
    integers,
    kernel,
    shorts,
    signed_bytes,
    unsigned_bytes,
)
from tinytorch.perf.acceleration.kernels.codes import AT_ONCE, CODES, FLOATS, FORM_SIZE, PACKED, SPARSE
from tinytorch.perf.acceleration.kernels.tiles import NARROWEST, TILE_ROWS, add_matrix_product

ZERO = np.float32(0)
BYTES, HALF_BYTE = 256, 4
MIDDLE = np.float32(8)  # the code of 4 bits that stands for zero where there is no table
SMALL = 4096  # weights: so few are multiplied faster than zeros among their factors are found


@kernel
def linear(row):
    """Rows of x times a matrix of any form, and a bias."""
    x_at, y_at, index_at, rows, height, width, stride, bias_at, form_at = row[1:10]
    form = indices(form_at, FORM_SIZE)
    kind, numbers_at, scale_at = form[0], form[1], 0 if form[0] == SPARSE else form[3]
    for number in range(rows):
        fill(y_at + 4 * number * width, width, 0 if scale_at else bias_at)
    if kind == FLOATS and (rows >= TILE_ROWS or (height * width <= SMALL and width % NARROWEST == 0)):
        add_matrix_product(x_at, 4 * stride, numbers_at, height, y_at, rows, width)
        return
    index = integers(index_at, height + 1)
    for number in range(rows):
        x, y = floats(x_at + 4 * number * stride, height), floats(y_at + 4 * number * width, width)
        count = not_zero(x, height, index)
        if kind == FLOATS:
            add_product(x, index, count, floats(numbers_at, height * width), width, y, width)
        elif kind == CODES:
            add_product(x, index, count, signed_bytes(numbers_at, height * width), width, y, width)
        elif kind == PACKED:
            _add_packed(x, index, count, form, (row[10], row[11], row[12], row[13]), y, height, width)
        else:
            _add_sparse(x, index, count, form, y, height)
        if scale_at:
            _scale(x, index, count, form, y, width, bias_at)


@kernel
def fill(y_at, size, bias_at):
    """y = bias, or 0 where there is none."""
    y = floats(y_at, size)
    if bias_at:
        bias = floats(bias_at, size)
        for j in range(size):
            y[j] = bias[j]
    else:
        for j in range(size):
            y[j] = ZERO


@kernel
def not_zero(x, size, index):
    """Write the places of what is not zero, which ReLU leaves about half of, and return how many there are."""
    count = 0
    for k in range(size):
        index[count] = k
        count += x[k] != 0
    return count


@kernel
def add_product(x, index, count, w, step, y, size):
    """y[:size] += x[index] @ w[index], for `count` places in `index`; rows of w lie `step` apart. Eight at a time."""
    k = 0
    while k + AT_ONCE <= count:
        i0, i1, i2, i3 = index[k], index[k + 1], index[k + 2], index[k + 3]
        i4, i5, i6, i7 = index[k + 4], index[k + 5], index[k + 6], index[k + 7]
        a, b, c, d, e, f, g, h = x[i0], x[i1], x[i2], x[i3], x[i4], x[i5], x[i6], x[i7]
        p, q, r, s = w[i0 * step :], w[i1 * step :], w[i2 * step :], w[i3 * step :]
        t, u, v, z = w[i4 * step :], w[i5 * step :], w[i6 * step :], w[i7 * step :]
        for j in range(size):
            first = a * p[j] + b * q[j] + c * r[j] + d * s[j]
            y[j] += first + (e * t[j] + f * u[j] + g * v[j] + h * z[j])
        k += AT_ONCE
    while k < count:
        a, p = x[index[k]], w[index[k] * step :]
        for j in range(size):
            y[j] += a * p[j]
        k += 1


@kernel
def _scale(x, index, count, form, y, width, bias_at):
    """What sums of codes stand for: less the zero point's share, times the scale, and the bias."""
    scale_at, scales, zero_point_at = form[3], form[4], form[5]
    scale = floats(scale_at, scales)
    if zero_point_at:
        zero_point, total = signed_bytes(zero_point_at, scales), ZERO
        for k in range(count):
            total += x[index[k]]
        for j in range(width):
            y[j] -= total * zero_point[j if scales > 1 else 0]
    for j in range(width):
        y[j] *= scale[j if scales > 1 else 0]
    if bias_at:
        bias = floats(bias_at, width)
        for j in range(width):
            y[j] += bias[j]


@kernel
def _add_packed(x, index, count, form, scratch, y, height, width):
    """Codes of 1 to 8 bits: eight rows become numbers, then they are added."""
    values_at, order_at, chosen_at, pairs_at = scratch
    order, chosen = integers(order_at, AT_ONCE), floats(chosen_at, AT_ONCE)
    _write_pairs(form, pairs_at)
    for k in range(0, count, AT_ONCE):
        taken = min(AT_ONCE, count - k)
        for number in range(taken):
            order[number], chosen[number] = number, x[index[k + number]]
            _look_up(form, index[k + number] * width, values_at + 4 * number * width, width, pairs_at)
        add_product(chosen, order, taken, floats(values_at, AT_ONCE * width), width, y, width)


@kernel
def _write_pairs(form, pairs_at):
    """For each byte of two codes both of their values, which are then copied as one."""
    table_at, bits, length = form[2], form[6], form[8]
    if table_at and bits == HALF_BYTE:
        table, pairs = floats(table_at, length), floats(pairs_at, 2 * BYTES)
        for byte in range(BYTES):
            pairs[2 * byte], pairs[2 * byte + 1] = table[min(byte & 15, length - 1)], table[min(byte >> 4, length - 1)]


@kernel
def _look_up(form, first, values_at, width, pairs_at):
    """What the codes from number `first` on stand for: numbers of a table, or without one integers around zero."""
    codes_at, table_at, bits = form[1], form[2], form[6]
    codes, values = unsigned_bytes(codes_at, first + width), floats(values_at, width)
    each, mask = 8 // bits, (1 << bits) - 1
    if bits == HALF_BYTE and first % 2 == 0 and width % 2 == 0 and (pairs_at or not table_at):
        halves = codes[first // 2 :]
        if table_at:
            pairs, both = doubles(pairs_at, BYTES), doubles(values_at, width // 2)
            for place in range(width // 2):
                both[place] = pairs[halves[place]]
        else:
            for place in range(width // 2):
                values[2 * place] = np.float32(halves[place] & np.uint8(15)) - MIDDLE
                values[2 * place + 1] = np.float32(halves[place] >> np.uint8(4)) - MIDDLE
        return
    table = floats(table_at, BYTES)
    for j in range(width):
        place = first + j
        code = (codes[place // each] >> (bits * (place % each))) & mask
        values[j] = table[code] if table_at else np.float32(code) - MIDDLE


@kernel
def _add_sparse(x, index, count, form, y, height):
    """Compressed sparse rows: values, their columns, and where each row starts."""
    starts = integers(form[3], height + 1)
    values, columns = floats(form[1], starts[height]), shorts(form[2], starts[height])
    for k in range(count):
        i = index[k]
        for place in range(starts[i], starts[i + 1]):
            y[columns[place]] += x[i] * values[place]


@kernel
def read_row(form_at, number, width, y_at):
    """y = row `number` of a weight of rows of `width` numbers, in any form but sparse rows."""
    form = indices(form_at, FORM_SIZE)
    kind, numbers_at, scale_at, scales, zero_point_at, axis = form[0], form[1], form[3], form[4], form[5], form[7]
    first, y = number * width, floats(y_at, width)
    if kind == FLOATS:
        numbers = floats(numbers_at + 4 * first, width)
        for j in range(width):
            y[j] = numbers[j]
    elif kind == CODES:
        codes = signed_bytes(numbers_at + first, width)
        for j in range(width):
            y[j] = codes[j]
    else:
        _look_up(form, first, y_at, width, 0)
    if scale_at:
        step = 1 if scales > 1 and axis == 1 else 0
        place = number if scales > 1 and axis == 0 else 0
        scale = floats(scale_at, scales)
        if zero_point_at:
            zero_point = signed_bytes(zero_point_at, scales)
            for j in range(width):
                y[j] -= zero_point[place + j * step]
        for j in range(width):
            y[j] *= scale[place + j * step]


@kernel
def decode(row):
    """A convolution's weight (O, C, KH KW) as a matrix of floats (KH KW C, O)."""
    form_at, matrix_at, values_at, outputs, channels, places = row[1:7]
    values, matrix = floats(values_at, channels * places), floats(matrix_at, channels * places * outputs)
    for output in range(outputs):
        read_row(form_at, output, channels * places, values_at)
        for channel in range(channels):
            for place in range(places):
                matrix[(place * channels + channel) * outputs + output] = values[channel * places + place]


@kernel
def convolve(row):
    """Padded images (N, H, W, C) under a matrix (KH KW C, O): for each row of windows one product a kernel's row."""
    x_at, y_at, matrix_at, bias_at, samples, rows, columns, strip, outputs, kernel_rows = row[1:11]
    pixel_bytes, row_bytes, image_bytes, line_bytes = row[11:15]
    for place in range(samples * rows * columns):
        fill(y_at + 4 * place * outputs, outputs, bias_at)
    for place in range(samples * rows):
        corner = x_at + place // rows * image_bytes + place % rows * row_bytes
        target = y_at + 4 * place * columns * outputs
        for line in range(kernel_rows):
            lines = matrix_at + 4 * line * strip * outputs
            add_matrix_product(corner + line * line_bytes, pixel_bytes, lines, strip, target, columns, outputs)
