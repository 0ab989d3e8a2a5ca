"""Products with a matrix in any form: floats, codes, packed codes with a table, or compressed sparse rows."""

from __future__ import annotations

import numpy as np

from tinytorch.perf.acceleration.kernels.addresses import (
    doubles,
    floats,
    integers,
    kernel,
    shorts,
    signed_bytes,
    unsigned_bytes,
)
from tinytorch.perf.acceleration.kernels.codes import AT_ONCE, BYTE_VALUES, CODES, HALF_BYTE, NONE
from tinytorch.perf.acceleration.kernels.elementwise import activate
from tinytorch.perf.acceleration.kernels.tiles import TILE_ROWS, add_matrix_product
from tinytorch.perf.acceleration.kernels.weights import (
    HALF,
    form_at,
    half,
    look_up,
    look_up_pairs,
    number_at,
    read_quarters,
    read_thirds,
    subtract_middle,
    write_pairs,
)

ZERO = np.float32(0)
SMALL = 4096  # weights: so few are multiplied faster than zeros among their factors are found


@kernel
def product(row):
    """Rows of x times a matrix of floats, a bias, and an activation."""
    rows, height, width = row.rows, row.height, row.width
    for number in range(rows):
        fill(row.y + 4 * number * width, width, row.bias, 4)
    if rows >= TILE_ROWS or height * width <= SMALL:
        add_matrix_product(row.x, 4 * row.stride, row.weight, height, row.y, rows, width)
    else:
        index, weight = integers(row.scratch, height + 1), floats(row.weight, height * width)
        for number in range(rows):
            x, y = floats(row.x + 4 * number * row.stride, height), floats(row.y + 4 * number * width, width)
            add_product(x, index, not_zero(x, height, index), weight, width, y, width)
    if row.activation != NONE:
        activate(row.activation, floats(row.y, rows * width), rows * width)


@kernel
def coded(row):
    """The same with codes. Their scales, and then the bias, come to the sums."""
    height, width, form = row.height, row.width, form_at(row.form)
    index, scratch = integers(row.scratch, height + 1), row.scratch + (4 * (height + 1) + 7) // 8 * 8
    for number in range(row.rows):
        x, y = floats(row.x + 4 * number * row.stride, height), floats(row.y + 4 * number * width, width)
        fill(row.y + 4 * number * width, width, 0 if form.scales else row.bias, row.bias_bytes)
        count = not_zero(x, height, index)
        if form.kind == CODES:
            add_product(x, index, count, signed_bytes(form.numbers, height * width), width, y, width)
        else:
            _add_packed(x, index, count, form, scratch, y, width)
        if form.scales:
            _scale(x, index, count, form, y, width)
            add_bias(row.bias, row.bias_bytes, y, width)
    if row.activation != NONE:
        activate(row.activation, floats(row.y, row.rows * width), row.rows * width)


@kernel
def sparse(row):
    """The same with compressed sparse rows: values, their columns, and where each row starts."""
    height, width = row.height, row.width
    index, starts = integers(row.scratch, height + 1), integers(row.starts, height + 1)
    values, columns = floats(row.values, row.size), shorts(row.columns, row.size)
    for number in range(row.rows):
        x, y = floats(row.x + 4 * number * row.stride, height), floats(row.y + 4 * number * width, width)
        fill(row.y + 4 * number * width, width, row.bias, row.bias_bytes)
        for k in range(not_zero(x, height, index)):
            i = index[k]
            for place in range(starts[i], starts[i + 1]):
                y[columns[place]] += x[i] * values[place]
    if row.activation != NONE:
        activate(row.activation, floats(row.y, row.rows * width), row.rows * width)


@kernel
def fill(y_at, size, bias_at, bias_bytes):
    """y = bias, or 0 where there is none."""
    y = floats(y_at, size)
    if bias_at and bias_bytes != HALF:
        bias = floats(bias_at, size)
        for j in range(size):
            y[j] = bias[j]
        return
    for j in range(size):
        y[j] = ZERO
    add_bias(bias_at, bias_bytes, y, size)


@kernel
def add_bias(bias_at, bias_bytes, y, size):
    """y += bias, where there is one."""
    if bias_at and bias_bytes == HALF:
        halves = shorts(bias_at, size)
        for j in range(size):
            y[j] += half(halves[j])
    elif bias_at:
        bias = floats(bias_at, size)
        for j in range(size):
            y[j] += bias[j]


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
def _scale(x, index, count, form, y, width):
    """What sums of codes stand for: less the zero point's share, times the scale."""
    if form.zero_point:
        zero_point, total = signed_bytes(form.zero_point, form.scales), ZERO
        for k in range(count):
            total += x[index[k]]
        for j in range(width):
            y[j] -= total * zero_point[j if form.scales > 1 else 0]
    if form.scales == 1:
        scale = number_at(form.scale, 0, form.scale_bytes)
        for j in range(width):
            y[j] *= scale
    elif form.scale_bytes == HALF:
        halves = shorts(form.scale, width)
        for j in range(width):
            y[j] *= half(halves[j])
    else:
        scales = floats(form.scale, width)
        for j in range(width):
            y[j] *= scales[j]


@kernel
def _add_packed(x, index, count, form, scratch, y, width):
    """Codes of 1 to 8 bits: eight rows become numbers, then they are added."""
    chosen_at, values_at = scratch + 4 * AT_ONCE, scratch + 8 * AT_ONCE
    order, chosen, pairs_at = integers(scratch, AT_ONCE), floats(chosen_at, AT_ONCE), values_at + 4 * AT_ONCE * width
    write_pairs(form, pairs_at)
    are_halves = form.bits == HALF_BYTE and width % 2 == 0
    are_quarters = form.bits == 2 and width % 4 == 0 and not form.table
    are_thirds = form.bits == 3 and width % 8 == 0 and not form.table
    halves, pairs = unsigned_bytes(form.numbers, (form.size * form.bits + 7) // 8), doubles(pairs_at, BYTE_VALUES)
    for k in range(0, count, AT_ONCE):
        taken = min(AT_ONCE, count - k)
        for number in range(taken):
            first, place = index[k + number] * width, values_at + 4 * number * width
            order[number], chosen[number] = number, x[index[k + number]]
            if are_halves and form.table:
                look_up_pairs(halves[first // 2 :], pairs, doubles(place, width // 2), width // 2)
            elif are_halves:
                subtract_middle(halves[first // 2 :], floats(place, width), width // 2)
            elif are_quarters:
                read_quarters(halves[first // 4 :], floats(place, width), width // 4)
            elif are_thirds:
                read_thirds(halves[first // 8 * 3 :], floats(place, width), width // 8)
            else:
                look_up(form, first, place, width)
        add_product(chosen, order, taken, floats(values_at, AT_ONCE * width), width, y, width)


@kernel
def convolve(row):
    """Padded images (N, H, W, C) under a matrix (KH KW C, O): for each row of windows one product a kernel's row."""
    rows, columns, strip, outputs = row.rows, row.columns, row.strip, row.outputs
    fill(row.y, outputs, row.bias, row.bias_bytes)
    for place in range(1, row.samples * rows * columns):
        fill(row.y + 4 * place * outputs, outputs, row.y, 4)
    for place in range(row.samples * rows):
        corner = row.x + place // rows * row.image_bytes + place % rows * row.row_bytes
        target = row.y + 4 * place * columns * outputs
        for line in range(row.kernel_rows):
            lines = row.matrix + 4 * line * strip * outputs
            add_matrix_product(corner + line * row.line_bytes, row.pixel_bytes, lines, strip, target, columns, outputs)
    if row.activation != NONE:
        count = row.samples * rows * columns * outputs
        activate(row.activation, floats(row.y, count), count)
