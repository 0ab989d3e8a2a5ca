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
    placed: dict[Key, int] = {}
    for key in sorted(lives, key=lambda each: -lives[each].size_bytes):
        life, place = lives[key], 0
        taken = sorted((placed[other], lives[other].size_bytes) for other in placed if lives[other].meets(life))
        for start, size_bytes in taken:
            if start - place >= life.size_bytes:
                break
            place = max(place, _aligned(start + size_bytes))
        placed[key] = place
    return placed, max((placed[key] + _aligned(lives[key].size_bytes) for key in placed), default=0)


def aligned_zeros(shape: Shape) -> Array:
    """Float32 zeros that begin with a line of the cache."""
    count, number_bytes = prod(shape), 4
    memory = np.zeros(count + ALIGNMENT_BYTES // number_bytes - 1, np.float32)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT_BYTES // number_bytes
    return memory[start : start + count].reshape(shape)


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
