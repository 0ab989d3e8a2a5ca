"""Kernels of a generating transformer: vectors of tokens, the cache of keys and values, and attention over it.

Shapes are those of `decoding.Cache` and of the calls of the same names in `decoder_calls`.
"""

from __future__ import annotations

import numpy as np

from tinytorch.core.compact import LARGEST_CODE, SMALLEST_STEP
from tinytorch.perf.acceleration.kernels.addresses import floats, indices, integers, kernel, signed_bytes
from tinytorch.perf.acceleration.kernels.elementwise import moved, softmax_of
from tinytorch.perf.acceleration.kernels.products import add_product, fill, not_zero
from tinytorch.perf.acceleration.kernels.weights import form_at, read_row

ZERO, ONE = np.float32(0), np.float32(1)
LARGEST, SMALLEST = np.float32(LARGEST_CODE), np.float32(SMALLEST_STEP)


@kernel
def lookup(row):
    """Rows of a table, for tokens."""
    tokens, table = indices(row.tokens, row.rows), form_at(row.table)
    for number in range(row.rows):
        read_row(table, tokens[number], row.size, row.y + 4 * number * row.size)


@kernel
def positions(row):
    """Vectors, and for each that of its position, from a start on."""
    size, table, start = row.size, form_at(row.table), indices(row.start, 1)[0]
    position = floats(row.scratch, size)
    for new in range(row.new):
        read_row(table, start + new, size, row.scratch)
        for sample in range(row.samples):
            offset = 4 * (sample * row.new + new) * size
            y = moved(row.x + offset, row.y + offset, size)
            for j in range(size):
                y[j] += position[j]


@kernel
def hold(row):
    """Put new keys and values into the cache."""
    new, heads, size, length = row.new, row.heads, row.size, row.length
    start = indices(row.start, 1)[0]
    for place in range(row.samples * new * heads):
        head, number, sample = place % heads, place // heads % new, place // heads // new
        own = (sample * heads + head) * (size + 1) * length
        source = ((sample * new + number) * 3 * heads + heads + head) * size
        new_key = floats(row.projected + 4 * source, size)
        new_value = floats(row.projected + 4 * (source + heads * size), size)
        keys = floats(row.keys + 4 * (own + start + number), (size + 1) * length)
        values = floats(row.values + 4 * (own + (start + number) * (size + 1)), size)
        for d in range(size):
            keys[d * length] = new_key[d]
            values[d] = new_value[d]
        keys[size * length] = ZERO


@kernel
def attend(row):
    """Attention of each new position over those that are held up to it."""
    new, heads, size, length = row.new, row.heads, row.size, row.length
    scores_at, query_at = row.scratch, row.scratch + 4 * length
    start, index = indices(row.start, 1)[0], integers(query_at + 4 * size, length + size + 1)
    query, scores = floats(query_at, size), floats(scores_at, length)
    scale = ONE / np.sqrt(np.float32(size))
    for place in range(row.samples * new * heads):
        head, number, sample = place % heads, place // heads % new, place // heads // new
        x = floats(row.projected + 4 * ((sample * new + number) * 3 * heads + head) * size, size)
        own, held = 4 * (sample * heads + head) * (size + 1) * length, start + number + 1
        for d in range(size):
            query[d] = scale * x[d]
        fill(scores_at, held, 0, 4)
        keys, values = floats(row.keys + own, (size + 1) * length), floats(row.values + own, (size + 1) * length)
        add_product(query, index, not_zero(query, size, index), keys, length, scores, held)
        softmax_of(scores, held)
        fill(row.y + 4 * place * size, size, 0, 4)
        y = floats(row.y + 4 * place * size, size)
        add_product(scores, index, not_zero(scores, held, index), values, size + 1, y, size)


@kernel
def hold_codes(row):
    """Put new keys and values into a cache of codes."""
    new, heads, size, length = row.new, row.heads, row.size, row.length
    start = indices(row.start, 1)[0]
    for place in range(row.samples * new * heads):
        head, number, sample = place % heads, place // heads % new, place // heads // new
        source = row.projected + 4 * ((sample * new + number) * 3 * heads + heads + head) * size
        own, position = (sample * heads + head) * length, start + number
        keys = signed_bytes(row.keys + own * size + position, size * length)
        values = signed_bytes(row.values + (own + position) * size, size)
        key_steps, value_steps = floats(row.key_steps, own + length), floats(row.value_steps, own + length)
        key_steps[own + position] = _encode(floats(source, size), keys, length, size)
        value_steps[own + position] = _encode(floats(source + 4 * heads * size, size), values, 1, size)


@kernel
def _encode(x, codes, step, size):
    """Write x as codes that lie some places apart, and return the step between them."""
    largest = SMALLEST
    for d in range(size):
        largest = max(largest, abs(x[d]))
    width = max(largest / LARGEST, SMALLEST)
    for d in range(size):
        codes[d * step] = np.int8(np.rint(x[d] / width))
    return width


@kernel
def attend_codes(row):
    """Attention over a cache of codes; steps of keys come to the scores, those of values to the weights."""
    new, heads, size, length = row.new, row.heads, row.size, row.length
    scores_at, query_at = row.scratch, row.scratch + 4 * length
    start, index = indices(row.start, 1)[0], integers(query_at + 4 * size, length + size + 1)
    query, scores = floats(query_at, size), floats(scores_at, length)
    scale = ONE / np.sqrt(np.float32(size))
    for place in range(row.samples * new * heads):
        head, number, sample = place % heads, place // heads % new, place // heads // new
        x = floats(row.projected + 4 * ((sample * new + number) * 3 * heads + head) * size, size)
        own, held = (sample * heads + head) * length, start + number + 1
        key_steps, value_steps = floats(row.key_steps + 4 * own, length), floats(row.value_steps + 4 * own, length)
        for d in range(size):
            query[d] = scale * x[d]
        fill(scores_at, held, 0, 4)
        keys = signed_bytes(row.keys + own * size, size * length)
        values = signed_bytes(row.values + own * size, size * length)
        add_product(query, index, not_zero(query, size, index), keys, length, scores, held)
        for position in range(held):
            scores[position] *= key_steps[position]
        softmax_of(scores, held)
        for position in range(held):
            scores[position] *= value_steps[position]
        fill(row.y + 4 * place * size, size, 0, 4)
        y = floats(row.y + 4 * place * size, size)
        add_product(scores, index, not_zero(scores, held, index), values, size, y, size)
