"""Sparse storage: zeros are not kept, only where the others are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import with_weights

LONGEST_GAP = 255


class SparseWeight(CompactWeight):
    """The `values` of a weight of `shape` that are not zero, in order, and where they are.

    `places` is either a mask, a bit for each weight, or the gaps between them, a byte each (Han et al. 2016, section
    2), `is_mask` says which: a mask takes an eighth of a byte for each weight, gaps a byte for each that is not zero.
    A gap of 255 and more is bridged by zeros among the values. `values` may be compact themselves.
    """

    def __init__(self, values: Array | CompactWeight, places: Array, is_mask: bool, shape: Shape) -> None:
        self.values, self.places, self.is_mask, self.shape = values, places, is_mask, shape

    def dense(self) -> Array:
        """The weight as an array, zeros and all."""
        values = self.values.dense() if isinstance(self.values, CompactWeight) else self.values
        flat = np.zeros(self.size, values.dtype)
        flat[self._where()] = values
        return flat.reshape(self.shape)

    def recoded(self, make: Callable[[Tensor], CompactWeight | None]) -> CompactWeight | None:
        """The same places, with values in another form; None where they have one already."""
        if isinstance(self.values, CompactWeight):
            return None
        values = make(Tensor(self.values))
        return None if values is None else SparseWeight(values, self.places, self.is_mask, self.shape)

    def _where(self) -> Array:
        if self.is_mask:
            return np.unpackbits(self.places, count=self.size).astype(bool)
        return np.cumsum(self.places, dtype=np.int64) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of values and places."""
        return int(self.values.nbytes) + self.places.nbytes  # type: ignore[union-attr]

    def __repr__(self) -> str:
        return f"SparseWeight({self.shape}, {len(self.values)} values)"


def sparsify(model: Any) -> Any:
    """A copy of `model`, of any class, that keeps no zeros of weights of which that makes less; for inference.

    Dense weights stay as they are: prune first. Weights that are compact already stay, too: sparsify before they are
    shared or quantized, which then applies to the values that are left.
    """
    return with_weights(model, lambda name, weight, axis: sparse(np.asarray(weight.data)))


def sparse(weight: Array) -> SparseWeight | None:
    """A weight without its zeros, places in the form that takes less; None where the weight itself takes less."""
    flat = weight.ravel()
    where = np.flatnonzero(flat)
    masked = SparseWeight(flat[where], np.packbits(flat != 0), True, weight.shape)
    gaps, bridged = _gaps(where)
    values = np.zeros(len(gaps), flat.dtype)
    values[bridged] = flat[where]
    smaller = min((masked, SparseWeight(values, gaps, False, weight.shape)), key=lambda form: form.nbytes)
    return smaller if smaller.nbytes < weight.nbytes else None


def _gaps(where: Array) -> tuple[Array, Array]:
    """Gaps (uint8) that lead from one place to the next, and which of them end at a place, not on the way."""
    steps = np.diff(where, prepend=-1)
    bridges = (steps - 1) // LONGEST_GAP  # gaps of full length before each place
    ends = np.cumsum(bridges + 1) - 1
    gaps = np.full(int((bridges + 1).sum()), LONGEST_GAP, np.uint8)
    gaps[ends] = steps - bridges * LONGEST_GAP
    return gaps, ends
