"""Inputs that are always the same, the corners of a picture for example: a first layer need not look at them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.chains import joints_of
from tinytorch.core.dataloader import TensorDataset, as_dataset
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.listening import batches_of, heard, run_over
from tinytorch.core.model import Layer, replace_layers, set_training_mode
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError


class Selection(Layer):
    """Some of the features (..., features) of its inputs: those where a `mask` of as many truth values says so.

    The mask is kept as one bit a feature. Raises ShapeError for inputs of another size.
    """

    kind = "Sequential"  # it computes nothing, so that it is no kind of its own

    def __init__(self, mask: Array) -> None:
        self.bits, self.features = np.packbits(mask.astype(bool)), len(mask)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., features) -> (..., those that are taken)."""
        if inputs.shape[-1] != self.features:
            raise ShapeError(f"{self!r} needs inputs (..., {self.features}), got {inputs.shape}")
        return inputs[..., np.flatnonzero(np.unpackbits(self.bits, count=self.features))]

    def __repr__(self) -> str:
        return f"Selection({int(np.unpackbits(self.bits).sum())} of {self.features})"


def prune_inputs(model: Any, train_data: TensorDataset) -> Any:
    """A copy of `model` whose first layer, a Linear, does not look at features that never change in `train_data`.

    What it made of them goes into its bias. For inputs that differ there the outputs are others than before. Raises
    UsageError for a model that is no chain of layers (as `prune_neurons`), or whose first layer is no Linear.
    """
    inputs = as_dataset(train_data).inputs
    first = joints_of(model, inputs[:1])[0].before
    if not isinstance(first, Linear):
        raise UsageError(f"prune_inputs needs a model that begins with a Linear, and this one begins with {first!r}")
    low, high = _ranges(model, first, inputs)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise UsageError("prune_inputs needs training data of finite numbers, and some are NaN or infinite")
    changes = low < high
    if not changes.any():
        raise UsageError("prune_inputs needs inputs that differ, and all features of the training data are constant")
    is_cut = not changes.all()
    pruned = replace_layers(model, lambda layer: is_cut and layer is first, lambda _: _without(first, low, changes))
    set_training_mode(pruned, False)
    return pruned


def _ranges(model: Any, first: Linear, inputs: Array) -> tuple[Array, Array]:
    """The least and largest value of every feature that the first layer sees."""
    low, high = np.full(first.in_features, np.inf), np.full(first.in_features, -np.inf)

    def hear(features: Array) -> None:
        rows = features.reshape(-1, first.in_features)
        np.minimum(low, rows.min(axis=0), out=low)  # NaN stays
        np.maximum(high, rows.max(axis=0), out=high)

    with heard(first, hear):
        run_over(model, batches_of(inputs, len(inputs)))
    return low, high


def _without(first: Linear, constant: Array, changes: Array) -> Sequential:
    """The first layer on the features that change; `constant` is what the others always are."""
    weight = first.weight.data
    moved = constant[~changes] @ weight[~changes]
    bias = None if first.bias is None and not moved.any() else moved + (0 if first.bias is None else first.bias.data)
    kept = Linear.from_arrays(weight[changes], None if bias is None else bias.astype(np.float32))
    return Sequential(Selection(changes), kept)
