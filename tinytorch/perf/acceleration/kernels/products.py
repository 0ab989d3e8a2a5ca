"""Products with a matrix in any form: floats, codes, packed codes with a table, or compressed sparse rows."""

from __future__ import annotations

import numpy as np

from tinytorch.perf.acceleration.kernels.addresses import (
    bits_as_float,
    doubles,
    floats,
    indices,
    integers,
    kernel,
    reader,
    shorts,
    signed_bytes,
    unsigned_bytes,
)
from tinytorch.perf.acceleration.kernels.codes import AT_ONCE, BYTE_VALUES, CODES, FLOATS, HALF_BYTE, NONE
from tinytorch.perf.acceleration.kernels.elementwise import activate
from tinytorch.perf.acceleration.kernels.rows import FORM_NUMBERS, Form
from tinytorch.perf.acceleration.kernels.tiles import NARROWEST, TILE_ROWS, add_matrix_product

ZERO = np.float32(0)
HALF = 2  # bytes of a float16
MIDDLE = np.float32(8)  # the code of 4 bits that stands for zero where there is no table
SMALL = 4096  # weights: so few are multiplied faster than zeros among their factors are found


EXPONENTS = np.float32(2.0**112)  # between those of float16 and of float32
read_form = reader(Form)


@kernel
def form_at(address):
    """The form that is described at an address."""
    return read_form(indices(address, FORM_NUMBERS), 0)


@kernel
def product(row):
    """Rows of x times a matrix of floats, a bias, and an activation."""
    rows, height, width = row.rows, row.height, row.width
    for number in range(rows):
        fill(row.y + 4 * number * width, width, row.bias, 4)
    if rows >= TILE_ROWS or (height * width <= SMALL and width % NARROWEST == 0):
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
        fill(row.y + 4 * number * width, width, row.bias, 4)
        for k in range(not_zero(x, height, index)):
            i = index[k]
            for place in range(starts[i], starts[i + 1]):
                y[columns[place]] += x[i] * values[place]
    if row.activation != NONE:
        activate(row.activation, floats(row.y, row.rows * width), row.rows * width)


@kernel
def half(bits):
    """The number that a float16 of these bits is: its digits are the first of a float32's, its exponent is less."""
    number = EXPONENTS * bits_as_float(np.int32(bits & 0x7FFF) << np.int32(13))
    return -number if bits & 0x8000 else number


@kernel
def number_at(address, place, number_bytes):
    """The float16 or float32 of that number in an array."""
    if number_bytes == HALF:
        return half(shorts(address, place + 1)[place])
    return floats(address, place + 1)[place]


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
    _write_pairs(form, pairs_at)
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
                _look_up_pairs(halves[first // 2 :], pairs, doubles(place, width // 2), width // 2)
            elif are_halves:
                _subtract_middle(halves[first // 2 :], floats(place, width), width // 2)
            elif are_quarters:
                _read_quarters(halves[first // 4 :], floats(place, width), width // 4)
            elif are_thirds:
                _read_thirds(halves[first // 8 * 3 :], floats(place, width), width // 8)
            else:
                _look_up(form, first, place, width)
        add_product(chosen, order, taken, floats(values_at, AT_ONCE * width), width, y, width)


@kernel
def _write_pairs(form, pairs_at):
    """For each byte of two codes both of their values, which are then copied as one."""
    if form.table and form.bits == HALF_BYTE:
        table, pairs, last = floats(form.table, form.length), floats(pairs_at, 2 * BYTE_VALUES), form.length - 1
        for byte in range(BYTE_VALUES):
            pairs[2 * byte], pairs[2 * byte + 1] = table[min(byte & 15, last)], table[min(byte >> 4, last)]


@kernel
def _look_up_pairs(halves, pairs, values, count):
    """For each byte of two codes both of their values."""
    for place in range(count):
        values[place] = pairs[halves[place]]


@kernel
def _subtract_middle(halves, values, count):
    """For each byte of two codes both as numbers around zero."""
    for place in range(count):
        values[2 * place] = np.float32(halves[place] & np.uint8(15)) - MIDDLE
        values[2 * place + 1] = np.float32(halves[place] >> np.uint8(4)) - MIDDLE


@kernel
def _read_quarters(codes, values, count):
    """For each byte of four codes all of them as numbers around zero."""
    for place in range(count):
        byte = np.int32(codes[place])
        for part in range(4):
            values[4 * place + part] = np.float32(((byte >> (2 * part)) & 3) - 2)


@kernel
def _read_thirds(codes, values, count):
    """For each three bytes of eight codes all of them as numbers around zero."""
    for place in range(count):
        first, second, third = codes[3 * place], codes[3 * place + 1], codes[3 * place + 2]
        word = np.int32(first) | np.int32(second) << np.int32(8) | np.int32(third) << np.int32(16)
        for part in range(8):
            values[8 * place + part] = np.float32(((word >> (3 * part)) & 7) - 4)


@kernel
def _look_up(form, first, values_at, width):
    """What codes of any bits stand for, from number `first` on: numbers of a table, or integers around zero."""
    bits, mask, middle = form.bits, (1 << form.bits) - 1, np.float32(1 << (form.bits - 1))
    codes, values = unsigned_bytes(form.numbers, (form.size * bits + 7) // 8), floats(values_at, width)
    table = floats(form.table, form.length)
    for j in range(width):
        bit = (first + j) * bits
        code, shift = int(codes[bit >> 3]), bit & 7
        if shift + bits > 8:
            code |= int(codes[(bit >> 3) + 1]) << 8
        code = (code >> shift) & mask
        values[j] = table[code] if form.table else np.float32(code) - middle


@kernel
def read_row(form, number, width, y_at):
    """y = row `number` of a weight of rows of `width` numbers, in any form but sparse rows."""
    first, y = number * width, floats(y_at, width)
    if form.kind == FLOATS:
        numbers = floats(form.numbers + 4 * first, width)
        for j in range(width):
            y[j] = numbers[j]
    elif form.kind == CODES:
        codes = signed_bytes(form.numbers + first, width)
        for j in range(width):
            y[j] = codes[j]
    else:
        _look_up(form, first, y_at, width)
    if form.scales:
        step = 1 if form.scales > 1 and form.axis == 1 else 0
        place = number if form.scales > 1 and form.axis == 0 else 0
        if form.zero_point:
            zero_point = signed_bytes(form.zero_point, form.scales)
            for j in range(width):
                y[j] -= zero_point[place + j * step]
        for j in range(width):
            y[j] *= number_at(form.scale, place + j * step, form.scale_bytes)


@kernel
def decode(row):
    """A convolution's weight (O, C, KH KW) as a matrix of floats (KH KW C, O)."""
    form, outputs, channels, places = form_at(row.form), row.outputs, row.channels, row.places
    values, matrix = floats(row.scratch, channels * places), floats(row.matrix, channels * places * outputs)
    for output in range(outputs):
        read_row(form, output, channels * places, row.scratch)
        for channel in range(channels):
            for place in range(places):
                matrix[(place * channels + channel) * outputs + output] = values[channel * places + place]


@kernel
def convolve(row):
    """Padded images (N, H, W, C) under a matrix (KH KW C, O): for each row of windows one product a kernel's row."""
    rows, columns, strip, outputs = row.rows, row.columns, row.strip, row.outputs
    for place in range(row.samples * rows * columns):
        fill(row.y + 4 * place * outputs, outputs, row.bias, 4)
    for place in range(row.samples * rows):
        corner = row.x + place // rows * row.image_bytes + place % rows * row.row_bytes
        target = row.y + 4 * place * columns * outputs
        for line in range(row.kernel_rows):
            lines = row.matrix + 4 * line * strip * outputs
            add_matrix_product(corner + line * row.line_bytes, row.pixel_bytes, lines, strip, target, columns, outputs)
    if row.activation != NONE:
        count = row.samples * rows * columns * outputs
        activate(row.activation, floats(row.y, count), count)
