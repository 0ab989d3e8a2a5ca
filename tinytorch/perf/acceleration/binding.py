"""What binding an instruction to calls of numpy needs: memory for results on the way, and arrays in handier shapes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from tinytorch.core.ops import Array, Shape
from tinytorch.perf.acceleration.memory import ALIGNMENT_BYTES

Call = Callable[[], object]
Bind = Callable[..., list[Call] | None]  # of a scratchpad, output, *inputs, **options; None where it does not suit


class Scratchpad:
    """Memory for what an instruction needs while it runs, the same for all of them."""

    def __init__(self, size_bytes: int = 0, zeros: int = 0) -> None:
        self.memory = np.zeros(size_bytes, np.uint8)
        self.needed_bytes = self._used_bytes = self.needed_zeros = 0
        self._zeros = np.zeros(zeros, np.float32)

    def array(self, shape: Shape) -> Array:
        """Float32, for the instruction that is bound now; a throwaway where the pad is too small."""
        start, size_bytes = self._used_bytes, -(-4 * prod(shape) // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        self._used_bytes += size_bytes
        self.needed_bytes = max(self.needed_bytes, self._used_bytes)
        if self._used_bytes > len(self.memory):
            return np.empty(shape, np.float32)
        return self.memory[start : start + 4 * prod(shape)].view(np.float32).reshape(shape)

    def zeros(self, shape: Shape) -> Array:
        """Zeros, which stay zeros."""
        count = prod(shape)
        self.needed_zeros = max(self.needed_zeros, count)
        return np.zeros(shape, np.float32) if count > len(self._zeros) else self._zeros[:count].reshape(shape)

    def next(self) -> None:
        """Another instruction is bound from now on."""
        self._used_bytes = 0


def as_matrix(array: Array) -> Array | None:
    """View of an array as rows of its last axis; None where that would be a copy."""
    rows = array.reshape(-1, array.shape[-1])
    return rows if np.may_share_memory(rows, array) else None


def as_rows(array: Array) -> Array | None:
    """`as_matrix`; a single row as a vector, which numpy goes through in a third of the time where it adds another."""
    rows = as_matrix(array)
    return rows if rows is None or len(rows) > 1 else rows[0]


def as_vectors(*arrays: Array) -> tuple[Array, ...]:
    """Views of arrays of one shape and one order in memory as vectors, in that order; others as they are.

    Where the last array is a single row, the others are one, too, or a number.
    """
    first = arrays[-1]
    if first.ndim and first.size == first.shape[-1]:
        return tuple(array.reshape(array.shape[-1:]) for array in arrays)
    order = sorted(range(first.ndim), key=lambda axis: -first.strides[axis])
    moved = [array.transpose(order) for array in arrays if array.shape == first.shape]
    is_plain = len(moved) == len(arrays) and all(array.flags.c_contiguous for array in moved)
    return tuple(array.reshape(-1) for array in moved) if is_plain else arrays
