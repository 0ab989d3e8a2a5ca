"""Calls of numpy for the instructions that only a generating GPT has (`decoder`)."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Any

import numpy as np

from tinytorch.core.attention import BLOCKED
from tinytorch.core.compact import CompactWeight, coded_vectors
from tinytorch.core.ops import Array
from tinytorch.perf.acceleration.binding import Call, Scratchpad, as_matrix


def root_mean_square(pad: Scratchpad, output: Array, inputs: Array, epsilon: float) -> list[Call] | None:
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


def lookup(_: Scratchpad, output: Array, tokens: Array, table: Any) -> list[Call]:
    """Rows of a table for tokens (N, T), which are in it."""
    if isinstance(table, CompactWeight):
        return [lambda: np.copyto(output, table.rows(tokens))]
    return [partial(np.take, table, tokens, axis=0, out=output, mode="clip")]  # the default makes a copy


def positions(_: Scratchpad, output: Array, inputs: Array, start: Array, table: Any) -> list[Call]:
    """Vectors (N, T, size), and those of their positions from `start` (1,) on."""
    count = inputs.shape[1]

    def add() -> None:
        places = slice(int(start[0]), int(start[0]) + count)
        np.add(inputs, table.rows(places) if isinstance(table, CompactWeight) else table[places], output)

    return [add]


def _hold(projected: Array, keys: Array, values: Array, start: Array) -> Call:
    """Put keys and values of `projected` (N, T, 3, heads, size) into the cache, from position `start` (1,) on."""
    count, size = projected.shape[1], projected.shape[4]
    new_keys, new_values = projected[:, :, 1].transpose(0, 2, 3, 1), projected[:, :, 2].transpose(0, 2, 1, 3)
    all_keys, marks, all_values = keys[:, :, :size], keys[:, :, size], values[..., :size]

    def write() -> None:
        first = int(start[0])
        last = first + count
        all_keys[..., first:last] = new_keys
        all_values[:, :, first:last] = new_values
        marks[..., first:last] = 0

    return write


def attend(pad: Scratchpad, output: Array, projected: Array, keys: Array, values: Array, start: Array) -> list[Call]:
    """Attention of queries in `projected` (N, T, 3, heads, size) over a cache (`decoding.Cache`) -> (N, T, heads size).

    Its keys and values are put into the cache first. A further number of each query, 1, meets that of each key, which
    blocks what is not held; one of each value, 1, adds the weights up. So both come with the products.
    """
    samples, count, _, heads, size = projected.shape
    length = keys.shape[3]
    query = np.ones((samples, heads, count, size + 1), np.float32)
    scores, attended = pad.array((samples, heads, count, length)), pad.array(query.shape)
    largest = pad.array((samples, heads, count, 1))
    target = output.reshape(samples, count, heads, size).transpose(0, 2, 1, 3)
    scale = np.array(1 / sqrt(size), np.float32)
    return [
        _hold(projected, keys, values, start),
        partial(np.multiply, projected[:, :, 0].transpose(0, 2, 1, 3), scale, query[..., :size]),
        partial(np.matmul, query, keys, scores),
        *([] if count == 1 else [_block_later(scores, start)]),
        partial(np.maximum.reduce, scores, axis=3, keepdims=True, out=largest),
        partial(np.subtract, scores, largest, scores),
        partial(np.exp, scores, scores),
        partial(np.matmul, scores, values, attended),
        partial(np.divide, attended[..., :size], attended[..., size:], target),
    ]


def attend_codes(
    _: Scratchpad, output: Array, projected: Array, keys: Array, values: Array, key_steps: Array, value_steps: Array,
    start: Array,
) -> list[Call]:  # fmt: skip
    """The same over a cache of 8 bits, of which floats are made anew for what is held."""
    samples, count, _, heads, size = projected.shape
    query, new_keys, new_values = (projected[:, :, part].transpose(0, 2, 1, 3) for part in range(3))
    later = np.where(np.tri(count, dtype=bool), 0, BLOCKED).astype(np.float32)
    target = output.reshape(samples, count, heads, size).transpose(0, 2, 1, 3)

    def attend_now() -> None:
        first, last = int(start[0]), int(start[0]) + count
        for new, codes, steps in ((new_keys, keys.swapaxes(2, 3), key_steps), (new_values, values, value_steps)):
            codes[:, :, first:last], steps[:, :, first:last] = coded_vectors(new)
        scores = query @ (keys[..., :last] * key_steps[:, :, None, :last]) / np.float32(sqrt(size))
        scores[..., first:] += later
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        np.matmul(weights, values[:, :, :last] * value_steps[:, :, :last, None], target)

    return [attend_now]


def _block_later(scores: Array, start: Array) -> Call:
    """Let no new position look at those after it: scores (N, heads, T, length) of positions from `start` (1,) on."""
    count = scores.shape[2]
    later = np.where(np.tri(count, dtype=bool), 0, BLOCKED).astype(np.float32)

    def block() -> None:
        own = scores[..., int(start[0]) : int(start[0]) + count]
        np.add(own, later, own)

    return block
