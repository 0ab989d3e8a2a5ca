"""Kernels of a generating transformer: vectors of tokens, the cache of keys and values, and attention over it.

Shapes are those of `decoder.Cache` and of the calls of the same names in `array_calls`.
"""

from __future__ import annotations

import numpy as np

from tinytorch.perf.acceleration.kernels.addresses import floats, indices, integers, kernel
from tinytorch.perf.acceleration.kernels.elementwise import softmax_of
from tinytorch.perf.acceleration.kernels.products import add_product, fill, not_zero, read_row

ZERO, ONE = np.float32(0), np.float32(1)


@kernel
def embed(row):
    """Rows of two tables, added: of tokens, and of positions from a start on."""
    tokens_at, y_at, table_at, positions_at, start_at, samples, count, size, position_at = row[1:10]
    tokens, start = indices(tokens_at, samples * count), indices(start_at, 1)[0]
    position = floats(position_at, size)
    for number in range(samples * count):
        y = floats(y_at + 4 * number * size, size)
        read_row(table_at, tokens[number], size, y_at + 4 * number * size)
        read_row(positions_at, start + number % count, size, position_at)
        for j in range(size):
            y[j] += position[j]


@kernel
def hold(row):
    """Put new keys and values into the cache."""
    projected_at, keys_at, values_at, start_at, samples, count, heads, size, length = row[1:10]
    start = indices(start_at, 1)[0]
    for place in range(samples * count * heads):
        head, number, sample = place % heads, place // heads % count, place // heads // count
        own = (sample * heads + head) * (size + 1) * length
        source = ((sample * count + number) * 3 * heads + heads + head) * size
        new_key = floats(projected_at + 4 * source, size)
        new_value = floats(projected_at + 4 * (source + heads * size), size)
        keys = floats(keys_at + 4 * (own + start + number), (size + 1) * length)
        values = floats(values_at + 4 * (own + (start + number) * (size + 1)), size)
        for d in range(size):
            keys[d * length] = new_key[d]
            values[d] = new_value[d]
        keys[size * length] = ZERO


@kernel
def attend(row):
    """Attention of each new position over those that are held up to it."""
    projected_at, keys_at, values_at, start_at, samples, count, heads, size, length = row[1:10]
    y_at, scores_at, index_at, query_at = row[10:14]
    start, index = indices(start_at, 1)[0], integers(index_at, length + size + 1)
    query, scores = floats(query_at, size), floats(scores_at, length)
    scale = ONE / np.sqrt(np.float32(size))
    for place in range(samples * count * heads):
        head, number, sample = place % heads, place // heads % count, place // heads // count
        x = floats(projected_at + 4 * ((sample * count + number) * 3 * heads + head) * size, size)
        own, held = 4 * (sample * heads + head) * (size + 1) * length, start + number + 1
        for d in range(size):
            query[d] = scale * x[d]
        fill(scores_at, held, 0)
        keys, values = floats(keys_at + own, (size + 1) * length), floats(values_at + own, (size + 1) * length)
        add_product(query, index, not_zero(query, size, index), keys, length, scores, held)
        softmax_of(scores, held)
        fill(y_at + 4 * place * size, size, 0)
        y = floats(y_at + 4 * place * size, size)
        add_product(scores, index, not_zero(scores, held, index), values, size + 1, y, size)
