"""Weights in any form as numbers: codes of 8 bits, packed codes with or without a table, float16."""

from __future__ import annotations

import numpy as np

from tinytorch.perf.acceleration.kernels.addresses import (
    bits_as_float,
    floats,
    indices,
    kernel,
    reader,
    shorts,
    signed_bytes,
    unsigned_bytes,
)
from tinytorch.perf.acceleration.kernels.codes import BYTE_VALUES, CODES, FLOATS, HALF_BYTE
from tinytorch.perf.acceleration.kernels.forms import FORM_NUMBERS, Form

HALF = 2  # bytes of a float16
MIDDLE = np.float32(8)  # the code of 4 bits that stands for zero where there is no table
EXPONENTS = np.float32(2.0**112)  # between those of float16 and of float32
read_form = reader(Form)


@kernel
def form_at(address):
    """The form that is described at an address."""
    return read_form(indices(address, FORM_NUMBERS), 0)


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
def write_pairs(form, pairs_at):
    """For each byte of two codes both of their values, which are then copied as one."""
    if form.table and form.bits == HALF_BYTE:
        table, pairs, last = floats(form.table, form.length), floats(pairs_at, 2 * BYTE_VALUES), form.length - 1
        for byte in range(BYTE_VALUES):
            pairs[2 * byte], pairs[2 * byte + 1] = table[min(byte & 15, last)], table[min(byte >> 4, last)]


@kernel
def look_up_pairs(halves, pairs, values, count):
    """For each byte of two codes both of their values."""
    for place in range(count):
        values[place] = pairs[halves[place]]


@kernel
def subtract_middle(halves, values, count):
    """For each byte of two codes both as numbers around zero."""
    for place in range(count):
        values[2 * place] = np.float32(halves[place] & np.uint8(15)) - MIDDLE
        values[2 * place + 1] = np.float32(halves[place] >> np.uint8(4)) - MIDDLE


@kernel
def read_quarters(codes, values, count):
    """For each byte of four codes all of them as numbers around zero."""
    for place in range(count):
        byte = np.int32(codes[place])
        for part in range(4):
            values[4 * place + part] = np.float32(((byte >> (2 * part)) & 3) - 2)


@kernel
def read_thirds(codes, values, count):
    """For each three bytes of eight codes all of them as numbers around zero."""
    for place in range(count):
        first, second, third = codes[3 * place], codes[3 * place + 1], codes[3 * place + 2]
        word = np.int32(first) | np.int32(second) << np.int32(8) | np.int32(third) << np.int32(16)
        for part in range(8):
            values[8 * place + part] = np.float32(((word >> (3 * part)) & 7) - 4)


@kernel
def look_up(form, first, values_at, width):
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
        look_up(form, first, y_at, width)
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
