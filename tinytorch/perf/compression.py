"""Compression: physically smaller models (module 16)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tinytorch.core.activations import ReLU, Sigmoid, Tanh
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential, replace_layers
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

    keep: neurons in each hidden layer (int; narrower layers stay), or the fraction of them (float, 0 < keep <= 1), and
    one at least.
    With `train_data`, (N, in) and labels (N,), the result is fine-tuned on it (Adam, cross entropy, from the seed).
    A neuron's importance is the norm of its incoming weights times the norm of its outgoing ones.
    Raises UsageError for a model that is not a chain of Linear and element-wise layers.
    """
    linears = _chain(model)
    kept = [np.arange(linears[0].in_features)]
    kept += [_most_important(before, after, keep) for before, after in itertools.pairwise(linears)]
    kept += [np.arange(linears[-1].out_features)]
    smaller = {id(linear): _sliced(linear, *ends) for linear, *ends in zip(linears, kept[:-1], kept[1:], strict=True)}
    pruned: Sequential = replace_layers(model, lambda layer: id(layer) in smaller, lambda layer: smaller[id(layer)])
    if train_data is not None:
        loader = DataLoader(train_data, batch_size, shuffle=True, seed=seed)
        Trainer(pruned, Adam(pruned.parameters(), learning_rate), CrossEntropyLoss(), progress=progress).fit(
            loader, epochs
        )
    return pruned.eval()


def _chain(model: Layer) -> Sequence[Linear]:
    """The model's Linear layers in order; UsageError unless neurons can be removed from them."""
    if not isinstance(model, Layer):
        raise UsageError(f"structured_prune needs a chain of layers, and this is a {type(model).__qualname__}")
    layers = [layer for layer in model.walk() if not _is_plain_sequential(layer)]
    for layer in layers:
        if layer.kind == Linear.kind and not isinstance(layer, Linear):
            raise UsageError(f"a {type(layer).__qualname__} cannot be pruned", mend="prune first, then quantize")
        if not isinstance(layer, (Linear, *ELEMENTWISE)):
            name = type(layer).__qualname__
            raise UsageError(f"structured_prune needs a chain of Linear and activations, and here is a {name}")
    linears = [layer for layer in layers if isinstance(layer, Linear)]
    if len(linears) < 2:
        raise UsageError(f"structured_prune needs a hidden layer, so at least 2 Linear; the model has {len(linears)}")
    if len({id(layer) for layer in linears}) < len(linears):
        raise UsageError("structured_prune cannot narrow a Linear that is used twice: each place keeps others")
    for before, after in itertools.pairwise(linears):
        if before.out_features != after.in_features:
            raise ShapeError(f"{before!r} is followed by {after!r}: they must have as many features there")
    return linears


def _is_plain_sequential(layer: Layer) -> bool:
    """A container with a `forward` of its own does something else than its layers one after the other."""
    return isinstance(layer, Sequential) and type(layer).forward is Sequential.forward


def _most_important(before: Linear, after: Linear, keep: int | float) -> Array:
    """Sorted indices of the neurons between two layers that stay."""
    width = before.out_features
    wanted = max(1, round(keep * width)) if isinstance(keep, float) and 0 < keep <= 1 else keep
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
