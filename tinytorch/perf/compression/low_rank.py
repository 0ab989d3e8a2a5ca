"""Low rank: a weight as the product of two thin matrices, by its singular values (Eckart & Young 1936).

With data those of what the layer makes of its inputs: what they never look like need not be kept (Chen et al. 2021,
"DRONE"). Both matrices can be tuned, and be quantized, shared or sparse themselves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from scipy import linalg

from tinytorch.core.arguments import checked, whole
from tinytorch.core.compact import CompactWeight, Factors
from tinytorch.core.dataloader import TensorDataset, as_dataset
from tinytorch.core.listening import input_products
from tinytorch.core.model import set_training_mode
from tinytorch.core.ops import Array, Shape
from tinytorch.core.state import held
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import all_weighted_layers, check_finite, with_weights
from tinytorch.errors import UsageError
from tinytorch.perf.compression.tuning import check_tuning, fine_tune

DAMPING = 1e-3  # of the mean square of inputs, added to each: what they hardly look like counts a little, too
Factor = Tensor | CompactWeight


class FactoredWeight(CompactWeight):
    """A weight of `shape` as `left` (rows, rank) times `right` (rank, columns); rows are its first axis.

    Both are tensors, which can be trained, or compact themselves.
    """

    fields = ("left", "right", "shape")

    def __init__(self, left: Factor, right: Factor, shape: Shape) -> None:
        self.left, self.right, self.shape = left, right, shape

    def dense(self) -> Array:
        """The product, in the weight's shape."""
        product: Array = (self.left.data @ self.right.data).reshape(self.shape)
        return product

    def multiply(self, inputs: Tensor) -> Tensor:
        """inputs (..., rows) times both factors, one after the other."""
        for factor in (self.left, self.right):
            inputs = factor.multiply(inputs) if isinstance(factor, CompactWeight) else inputs @ factor
        return inputs

    def rows(self, index: Any) -> Array:
        """`dense()[index]`, of which only those rows are made."""
        if isinstance(index, tuple):
            return super().rows(index)
        left: Array = self.left.rows(index) if isinstance(self.left, CompactWeight) else self.left.data[index]
        chosen: Array = left @ self.right.data
        rows: Array = chosen.reshape(*chosen.shape[:-1], *self.shape[1:])
        return rows

    def recoded(self, make: Callable[..., CompactWeight | None]) -> CompactWeight | None:
        """Both factors in another form, channels being their columns; None where `make` leaves both as they are."""
        factors = [None if isinstance(factor, CompactWeight) else make(factor, 1) for factor in (self.left, self.right)]
        if factors == [None, None]:
            return None
        made = copy.copy(self)
        made.left, made.right = factors[0] or self.left, factors[1] or self.right
        return made

    def readable(self) -> Factors:
        """Both factors."""
        return Factors(self.left, self.right)

    @property
    def rank(self) -> int:
        """Columns of `left`."""
        return int(self.left.shape[1])

    def __repr__(self) -> str:
        return f"FactoredWeight({self.shape}, rank {self.rank})"


def factorize(
    model: Any,
    *,
    energy: float | None = None,
    rank: int | None = None,
    skip: Collection[str] = (),
    train_data: TensorDataset | None = None,
    **tuning: Any,
) -> Any:
    """A copy of `model`, of any class, whose weights are products of thin matrices where that takes less.

    The rank of each Linear, Conv2d and embedding is `rank`, or the least that keeps the share `energy` of the sum of
    squared singular values. Others stay as they are, as those do that `skip` names. With `train_data` factors are those
    that keep outputs for its inputs, and are fine-tuned on it; `tuning` are the options of `fine_tune`, `epochs=0` for
    none. Raises UsageError unless one of both is given, and for values out of range.
    """
    check_tuning(train_data, tuning)
    if (energy is None) == (rank is None):
        raise UsageError("factorize needs either energy or rank")
    if energy is not None:
        checked("factorize needs energy", energy, above=0, to=1)
    if rank is not None:
        whole("factorize needs rank", rank, 1)
    layers = {id(layer.weight): layer for _, layer, _ in all_weighted_layers(model)}

    def make(weight: Tensor, axis: int | None) -> FactoredWeight | None:
        layer = layers.get(id(weight))
        products = None
        if layer is not None and train_data is not None:
            products = input_products(layer, model, np.asarray(as_dataset(train_data).inputs))
        return factored(weight.data, energy, rank, products, rows_are_inputs=axis == 1)

    small = with_weights(model, make, skip)
    trained = {name for name, item in held(model) if isinstance(item, Tensor) and item.requires_grad}
    for name, item in held(small):
        if isinstance(item, Tensor):  # a factor is trained where its weight was
            item.requires_grad = name in trained or name.rpartition(".")[0] in trained
    if train_data is not None:
        fine_tune(small, train_data, **tuning)
        set_training_mode(small, False)
    return small


def factored(
    weight: Array,
    energy: float | None = None,
    rank: int | None = None,
    products: Array | None = None,
    rows_are_inputs: bool = True,
) -> FactoredWeight | None:
    """A weight as a product; None where the weight itself takes less. UsageError for one that is not finite.

    `products` (inputs, inputs) are sums of products of its inputs, which are its rows or its columns: the factors are
    then those that change its outputs least.
    """
    check_finite(weight, "factorized")
    if weight.ndim < 2 or not weight.size:
        return None
    matrix = weight.reshape(len(weight), -1)
    matrix = matrix if rows_are_inputs else matrix.T
    root = _root(products)
    left, singular, right = np.linalg.svd(matrix if root is None else root @ matrix, full_matrices=False)
    chosen = rank_for(singular, energy) if rank is None else min(rank, len(singular))
    scale = np.sqrt(singular[:chosen])
    first, second = left[:, :chosen] * scale, scale[:, None] * right[:chosen]
    if root is not None:
        first = linalg.solve_triangular(root, first)
    parts = (first, second) if rows_are_inputs else (second.T, first.T)
    tensors = [Tensor(np.ascontiguousarray(part, np.float32), requires_grad=True) for part in parts]
    made = FactoredWeight(tensors[0], tensors[1], weight.shape)
    return made if made.nbytes < weight.nbytes else None


def _root(products: Array | None) -> Array | None:
    """An upper triangular matrix whose square is the products, of mean 1, and a little more."""
    mean = 0.0 if products is None else float(np.diag(products).mean(dtype=np.float64))
    if products is None or mean == 0:
        return None  # inputs that are always zero show nothing
    square = products.astype(np.float64) / mean
    square[np.diag_indices_from(square)] += DAMPING
    root: Array = linalg.cholesky(square, lower=False)
    return root


def rank_for(singular: Array, energy: float | None) -> int:
    """The least number of singular values, largest first, whose squares are that share of all; 1 at least."""
    squares = np.cumsum(np.square(singular, dtype=np.float64))
    if energy is None or not squares[-1]:
        return 1
    return int(np.searchsorted(squares, energy * squares[-1] * (1 - 1e-12))) + 1
