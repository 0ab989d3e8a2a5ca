"""Where a plan keeps intermediate results: all in one block of memory, each only as long as it is needed.

Greedy by size, the largest first, at the lowest place that is free for its whole life (Pisarchyk & Lee 2020).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import numpy as np

from tinytorch.core.ops import Array, Shape

Key = TypeVar("Key", bound=Hashable)

ALIGNMENT_BYTES = 64  # a line of the cache


@dataclass(frozen=True)
class Life:
    """Bytes that are needed from the step `first` to the step `last`, both included."""

    size_bytes: int
    first: int
    last: int

    def meets(self, other: Life) -> bool:
        """Whether both are needed at some step."""
        return self.first <= other.last and other.first <= self.last


def places(lives: Mapping[Key, Life]) -> tuple[dict[Key, int], int]:
    """A place in bytes for each, multiples of 64, so that none overlaps another that it meets; and what all take."""
    keys = sorted(lives, key=lambda each: -lives[each].size_bytes)
    first, last, size_bytes = (
        np.array([getattr(lives[key], name) for key in keys], np.int64) for name in ("first", "last", "size_bytes")
    )
    starts, ends = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    for number in range(len(keys)):
        meets = (first[:number] <= last[number]) & (first[number] <= last[:number])
        starts[number] = _lowest_gap(starts[:number][meets], ends[:number][meets], size_bytes[number])
        ends[number] = _aligned(starts[number] + size_bytes[number])
    return dict(zip(keys, starts.tolist(), strict=True)), int(ends.max(initial=0))


def _lowest_gap(starts: Array, ends: Array, size_bytes: int) -> int:
    """The lowest place, between parts that are taken or behind them, where as much is free."""
    order = np.argsort(starts, kind="stable")
    free_from = np.maximum.accumulate(np.concatenate([[0], ends[order]]))
    room = np.append(starts[order], np.iinfo(np.int64).max) - free_from
    return int(free_from[np.argmax(room >= size_bytes)])


def aligned_zeros(shape: Shape) -> Array:
    """Float32 zeros that begin with a line of the cache."""
    count, number_bytes = prod(shape), 4
    memory = np.zeros(count + ALIGNMENT_BYTES // number_bytes - 1, np.float32)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT_BYTES // number_bytes
    return memory[start : start + count].reshape(shape)


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
