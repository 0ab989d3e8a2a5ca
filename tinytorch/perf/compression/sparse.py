"""Sparse storage: zeros are not kept, only where the others are."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from tinytorch.core.compact import CompactWeight, Rows
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import with_weights
from tinytorch.errors import UsageError

LONGEST_GAP = 255


class KeepsValues(CompactWeight):
    """Base of forms that keep the `values` of a weight that are not zero, as an array or compact themselves."""

    values: Array | CompactWeight

    def recoded(self, make: Callable[[Tensor], CompactWeight | None]) -> CompactWeight | None:
        """The same places, with values in another form; None where they have one already."""
        values = None if isinstance(self.values, CompactWeight) else make(Tensor(self.values))
        if values is None:
            return None
        made = copy.copy(self)
        made.values = values
        return made

    def _floats(self) -> Array:
        return self.values.dense() if isinstance(self.values, CompactWeight) else self.values

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape}, {len(self.values)} values)"


class SparseWeight(KeepsValues):
    """The `values` of a weight of `shape` that are not zero, in order, and where they are.

    `places` is either a mask, a bit for each weight, or the gaps between them, a byte each (Han et al. 2016, section
    2), `is_mask` says which: a mask takes an eighth of a byte for each weight, gaps a byte for each that is not zero.
    A gap of 255 and more is bridged by zeros among the values. `values` may be compact themselves.
    """

    fields = ("values", "places", "is_mask", "shape")

    def __init__(self, values: Array | CompactWeight, places: Array, is_mask: bool, shape: Shape) -> None:
        self.values, self.places, self.is_mask, self.shape = values, places, is_mask, shape

    def dense(self) -> Array:
        """The weight as an array, zeros and all."""
        flat = np.zeros(self.size, np.float32)
        flat[self._where()] = self._floats()
        return flat.reshape(self.shape)

    def _where(self) -> Array:
        if self.is_mask:
            return np.unpackbits(self.places, count=self.size).astype(bool)
        return np.cumsum(self.places, dtype=np.int64) - 1


def sparsify(model: Any, form: Literal["smallest", "csr"] = "smallest") -> Any:
    """A copy of `model`, of any class, that keeps no zeros of weights of which that makes less; for inference.

    The `smallest` form is a mask or gaps; `csr`, which is for matrices alone, takes more and multiplies faster.
    Dense weights stay as they are: prune first. Weights that are compact already stay, too: sparsify before they are
    shared or quantized, which then applies to the values that are left.
    """
    if form not in ("smallest", "csr"):
        raise UsageError(f"there is no form {form!r}", mend="choose from smallest, csr")
    make: Callable[[Array], CompactWeight | None] = csr if form == "csr" else sparse
    return with_weights(model, lambda weight, axis: make(np.asarray(weight.data)))


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


class CsrWeight(KeepsValues):
    """A matrix as compressed sparse rows: `values`, the `columns` that they are in, and where each row `starts`.

    Columns are uint16, or uint32 where there are more. It multiplies without becoming dense; `values` may be compact.
    """

    fields = ("values", "columns", "starts", "shape")

    def __init__(self, values: Array | CompactWeight, columns: Array, starts: Array, shape: Shape) -> None:
        self.values, self.columns, self.starts, self.shape = values, columns, starts, shape

    def dense(self) -> Array:
        """The matrix as an array, zeros and all."""
        found: Array = self._matrix().toarray()
        return found

    def multiply(self, inputs: Tensor) -> Tensor:
        """inputs (..., rows) times the matrix, over what is not zero alone; without gradients."""
        if inputs.requires_grad:
            return super().multiply(inputs)
        rows = inputs.data.reshape(-1, self.shape[0])
        return Tensor((rows @ self._matrix()).reshape(*inputs.shape[:-1], self.shape[1]))

    def readable(self) -> Rows | None:
        """As it is; None where the values are compact."""
        return None if isinstance(self.values, CompactWeight) else Rows(self.values, self.columns, self.starts)

    def _matrix(self) -> Any:
        from scipy.sparse import csr_array  # takes as long to load as numpy does

        return csr_array(
            (self._floats(), self.columns.astype(np.int32), self.starts), shape=(self.shape[0], self.shape[1])
        )


def csr(weight: Array) -> CsrWeight | None:
    """A matrix as compressed sparse rows; None for what is no matrix, or takes less as it is."""
    if weight.ndim != 2:
        return None
    rows, columns = np.nonzero(weight)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(weight)))]).astype(np.int32)
    narrow = columns.astype(np.uint16 if weight.shape[1] <= 2**16 else np.uint32)
    made = CsrWeight(weight[rows, columns], narrow, starts, weight.shape)
    return made if made.nbytes < weight.nbytes else None
