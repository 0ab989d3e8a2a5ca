"""Compression: physically smaller models (module 16)."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence

import numpy as np

from tinytorch.core.activations import ReLU, Sigmoid, Tanh
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.ops import Array
from tinytorch.core.optimizers import Adam
from tinytorch.core.training import Trainer
from tinytorch.errors import ShapeError, UsageError
from tinytorch.progress import Progress, silent

ELEMENTWISE = (ReLU, Sigmoid, Tanh, Dropout)  # neurons pass through these one by one


def structured_prune(
    model: Layer,
    keep: int | float,
    train_data: TensorDataset | None = None,
    *,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
    seed: int = 0,
    progress: Progress = silent,
) -> Sequential:
    """A smaller copy of `model`: every hidden layer keeps its most important neurons.

    keep: neurons in each hidden layer (int; narrower layers stay), or the fraction of them (float, 0 < keep <= 1).
    With `train_data`, (N, in) and labels (N,), the result is fine-tuned on it (Adam, cross entropy, from the seed).
    A neuron's importance is the norm of its incoming weights times the norm of its outgoing ones.
    Raises UsageError for a model that is not a chain of Linear and element-wise layers.
    """
    layers = _chain(model)
    linears = [layer for layer in layers if isinstance(layer, Linear)]
    kept = [np.arange(linears[0].in_features)]
    kept += [_most_important(before, after, keep) for before, after in itertools.pairwise(linears)]
    kept += [np.arange(linears[-1].out_features)]
    smaller = map(_sliced, linears, kept[:-1], kept[1:])
    pruned = Sequential([next(smaller) if isinstance(layer, Linear) else copy.deepcopy(layer) for layer in layers])
    if train_data is not None:
        loader = DataLoader(train_data, batch_size, shuffle=True, seed=seed)
        Trainer(pruned, Adam(pruned.parameters(), learning_rate), CrossEntropyLoss(), progress).fit(loader, epochs)
    return pruned.eval()


def _chain(model: Layer) -> Sequence[Layer]:
    """The model's layers in order; UsageError unless neurons can be removed from them."""
    layers = [layer for layer in model.walk() if not isinstance(layer, Sequential)]
    for layer in layers:
        if not isinstance(layer, (Linear, *ELEMENTWISE)):
            raise UsageError(f"structured_prune knows chains of Linear and activations, and here is a {layer.kind}")
    linears = [layer for layer in layers if isinstance(layer, Linear)]
    if len(linears) < 2:
        raise UsageError(f"structured_prune needs a hidden layer, so at least 2 Linear; the model has {len(linears)}")
    for before, after in itertools.pairwise(linears):
        if before.out_features != after.in_features:
            raise ShapeError(f"{before!r} is followed by {after!r}")
    return layers


def _most_important(before: Linear, after: Linear, keep: int | float) -> Array:
    """Sorted indices of the neurons between two layers that stay."""
    width = before.out_features
    wanted = round(keep * width) if isinstance(keep, float) and 0 < keep <= 1 else keep
    if isinstance(keep, bool) or not isinstance(wanted, int) or wanted < 1:
        raise UsageError(f"keep must be a number of neurons (int, from 1) or a fraction (0 < float <= 1), not {keep!r}")
    incoming = np.square(before.weight.data).sum(axis=0)
    if before.bias is not None:
        incoming = incoming + np.square(before.bias.data)
    importance = incoming * np.square(after.weight.data).sum(axis=1)
    return np.sort(np.argsort(-importance, kind="stable")[:wanted])


def _sliced(linear: Linear, rows: Array, columns: Array) -> Linear:
    """A copy of `linear` with the inputs `rows` and the outputs `columns` only."""
    bias = None if linear.bias is None else linear.bias.data[columns]
    return Linear.from_arrays(linear.weight.data[np.ix_(rows, columns)], bias)
