"""Compression (module 16): structured pruning takes whole neurons out, so that the layers get physically smaller."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.training import Trainer
from tinytorch.errors import UsageError

FINE_TUNING_EPOCHS = 8
FINE_TUNING_BATCH = 64
FINE_TUNING_RATE = 1e-3


def structured_prune(
    model: Layer, width: int, train_data: TensorDataset | None = None, epochs: int = FINE_TUNING_EPOCHS, seed: int = 0
) -> Sequential:
    """A new model whose hidden layers keep their `width` most important neurons; inputs and outputs stay.

    `model` is a chain of Linear layers with element-wise layers between them. A neuron's importance is the product of
    the L2 norms of its incoming and outgoing weights (after Li et al., "Pruning filters for efficient ConvNets", 2017).
    With `train_data` the smaller model is fine-tuned on it. UsageError for another kind of model or a width below 1.
    """
    if width < 1:
        raise UsageError(f"width must be at least 1, got {width}")
    linears = _chain(model)
    kept = [_most_important(first, second, width) for first, second in itertools.pairwise(linears)]
    rows = [np.arange(linears[0].weight.shape[0]), *kept]
    columns = [*kept, np.arange(linears[-1].weight.shape[1])]
    smaller = iter(_cut(linear, *ends) for linear, *ends in zip(linears, rows, columns, strict=True))
    pruned = Sequential([next(smaller) if isinstance(layer, Linear) else layer for layer in _layers(model)])
    return pruned if train_data is None else fine_tune(pruned, train_data, epochs, seed)


def fine_tune(model: Sequential, train_data: TensorDataset, epochs: int, seed: int = 0) -> Sequential:
    """Train `model` in place for some epochs and hand it back, switched to inference."""
    loader = DataLoader(train_data, FINE_TUNING_BATCH, shuffle=True, seed=seed)
    Trainer(model, Adam(model.parameters(), FINE_TUNING_RATE), CrossEntropyLoss()).fit(loader, epochs)
    model.eval()
    return model


def _layers(model: Layer) -> list[Layer]:
    if not isinstance(model, Sequential):
        raise UsageError(f"structured_prune takes a Sequential, got {type(model).__name__!r}")
    return list(model)


def _chain(model: Layer) -> list[Linear]:
    """The Linear layers of a chain; UsageError for layers that would tie neurons together."""
    layers = _layers(model)
    strange = [type(layer).__name__ for layer in layers if not isinstance(layer, (Linear, ReLU))]
    if strange or not any(isinstance(layer, Linear) for layer in layers):
        raise UsageError(f"structured_prune takes chains of Linear and ReLU, found {', '.join(strange) or 'no Linear'}")
    return [layer for layer in layers if isinstance(layer, Linear)]


def _most_important(first: Linear, second: Linear, width: int) -> NDArray[np.intp]:
    """The numbers of the `width` most important neurons between two layers, ascending."""
    importance = np.linalg.norm(first.weight.data, axis=0) * np.linalg.norm(second.weight.data, axis=1)
    return np.sort(np.argsort(-importance, kind="stable")[:width])


def _cut(linear: Linear, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Linear:
    """A Linear with only these inputs and outputs."""
    smaller = Linear(len(rows), len(columns), bias=linear.bias is not None)
    smaller.weight.data = np.ascontiguousarray(linear.weight.data[np.ix_(rows, columns)])
    if smaller.bias is not None and linear.bias is not None:
        smaller.bias.data = linear.bias.data[columns]
    return smaller
