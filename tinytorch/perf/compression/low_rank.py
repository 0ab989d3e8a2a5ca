"""Low rank: a weight as the product of two thin matrices, by its singular values (Eckart & Young 1936)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tinytorch.core.arguments import checked, whole
from tinytorch.core.compact import CompactWeight
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import check_finite, with_weights
from tinytorch.errors import UsageError


class FactoredWeight(CompactWeight):
    """A weight of `shape` as `left` (rows, rank) times `right` (rank, columns); rows are its first axis."""

    fields = ("left", "right", "shape")

    def __init__(self, left: Array, right: Array, shape: Shape) -> None:
        self.left, self.right, self.shape = left, right, shape

    def dense(self) -> Array:
        """The product, in the weight's shape."""
        product: Array = (self.left @ self.right).reshape(self.shape)
        return product

    def multiply(self, inputs: Tensor) -> Tensor:
        """inputs (..., rows) times both factors, one after the other."""
        outputs: Tensor = inputs @ self.left @ self.right
        return outputs

    def rows(self, index: Any) -> Array:
        """`dense()[index]`, of which only those rows are made."""
        if isinstance(index, tuple):
            return super().rows(index)
        chosen: Array = self.left[index] @ self.right
        rows: Array = chosen.reshape(*chosen.shape[:-1], *self.shape[1:])
        return rows

    @property
    def rank(self) -> int:
        """Columns of `left`."""
        return int(self.left.shape[1])

    def __repr__(self) -> str:
        return f"FactoredWeight({self.shape}, rank {self.rank})"


def factorize(model: Any, *, energy: float | None = None, rank: int | None = None, skip: Collection[str] = ()) -> Any:
    """A copy of `model`, of any class, whose weights are products of thin matrices where that takes less.

    The rank of each Linear, Conv2d and embedding is `rank`, or the least that keeps the share `energy` of the sum of
    squared singular values. Others stay as they are, as those do that `skip` names. Raises UsageError unless one of
    both is given, and for values out of range.
    """
    if (energy is None) == (rank is None):
        raise UsageError("factorize needs either energy or rank")
    if energy is not None:
        checked("factorize needs energy", energy, above=0, to=1)
    if rank is not None:
        whole("factorize needs rank", rank, 1)
    return with_weights(model, lambda weight, axis: factored(np.asarray(weight.data), energy, rank), skip)


def factored(weight: Array, energy: float | None = None, rank: int | None = None) -> FactoredWeight | None:
    """A weight as a product; None where the weight itself takes less. UsageError for one that is not finite."""
    check_finite(weight, "factorized")
    if weight.ndim < 2 or not weight.size:
        return None
    left, singular, right = np.linalg.svd(weight.reshape(len(weight), -1), full_matrices=False)
    chosen = rank_for(singular, energy) if rank is None else min(rank, len(singular))
    root = np.sqrt(singular[:chosen]).astype(np.float32)
    made = FactoredWeight(left[:, :chosen] * root, root[:, None] * right[:chosen], weight.shape)
    return made if made.nbytes < weight.nbytes else None


def rank_for(singular: Array, energy: float | None) -> int:
    """The least number of singular values, largest first, whose squares are that share of all; 1 at least."""
    squares = np.cumsum(np.square(singular, dtype=np.float64))
    if energy is None or not squares[-1]:
        return 1
    return int(np.searchsorted(squares, energy * squares[-1] * (1 - 1e-12))) + 1
