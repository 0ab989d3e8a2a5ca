"""Structured pruning: whole neurons and channels are removed, and a smaller model of the same kind is left."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Tanh
from tinytorch.core.compact import CompactWeight
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential, replace_layers
from tinytorch.core.ops import Array
from tinytorch.core.spatial import AvgPool2d, Conv2d, Flatten, MaxPool2d
from tinytorch.core.weights import check_finite
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.compression.tuning import check_tuning, fine_tune, number_of

NEURON_BY_NEURON = (ReLU, Sigmoid, Tanh, GELU, Dropout, MaxPool2d, AvgPool2d)  # what these make of one is its own


def prune_neurons(
    model: Layer,
    *,
    keep: int | float,
    train_data: TensorDataset | None = None,
    **tuning: Any,
) -> Sequential:
    """A smaller copy of `model`: every hidden layer keeps its most important neurons or channels.

    keep: neurons in each hidden layer (int; narrower layers stay), or the fraction of them (float, 0 < keep <= 1), and
    one at least.
    With `train_data` the result is fine-tuned on it; `tuning` are the options of `fine_tune`.
    A neuron's importance is the norm of its incoming weights times the norm of its outgoing ones.
    Raises UsageError for a model that is not a chain of Linear, Conv2d, and layers that treat every neuron alone.
    """
    check_tuning(train_data, tuning)
    layers = _chain(model)
    widths = [_inputs(layers[0]), *(len(_kernels(layer, 1)) for layer in layers)]
    kept = [np.arange(widths[0])]
    kept += [_most_important(before, after, keep) for before, after in itertools.pairwise(layers)]
    kept += [np.arange(widths[-1])]
    smaller = {
        id(layer): _sliced(layer, width, inputs, outputs)
        for layer, width, inputs, outputs in zip(layers, widths, kept, kept[1:], strict=False)
    }
    pruned: Sequential = replace_layers(model, lambda layer: id(layer) in smaller, lambda layer: smaller[id(layer)])
    if train_data is not None:
        fine_tune(pruned, train_data, **tuning)
    return pruned.eval()


def _chain(model: Layer) -> Sequence[Linear | Conv2d]:
    """The model's Linear and Conv2d layers in order; UsageError unless neurons can be removed from them."""
    if not isinstance(model, Layer):
        raise UsageError(f"prune_neurons needs a chain of layers, and this is a {type(model).__qualname__}")
    layers = [layer for layer in model.walk() if not _is_plain_sequential(layer)]
    for layer in layers:
        if isinstance(layer, (Linear, Conv2d)) and isinstance(layer.weight, CompactWeight):
            mend = "prune first, then make weights compact"
            raise UsageError(f"{layer!r} cannot be pruned: its weight is a {layer.weight!r}", mend=mend)
        if not isinstance(layer, (Linear, Conv2d, *NEURON_BY_NEURON, Flatten)):
            name = type(layer).__qualname__
            raise UsageError(f"prune_neurons needs a chain of Linear, Conv2d and activations, and here is a {name}")
        if isinstance(layer, Conv2d) and layer.groups != 1:
            raise UsageError(f"{layer!r} cannot be pruned: its groups bind channels together")
    for array in model.weights():
        check_finite(array, "pruned")
    places = [number for number, layer in enumerate(layers) if isinstance(layer, (Linear, Conv2d))]
    weighted = [layer for layer in layers if isinstance(layer, (Linear, Conv2d))]
    if len(weighted) < 2:
        message = f"prune_neurons needs a hidden layer, so at least 2 Linear or Conv2d; the model has {len(weighted)}"
        raise UsageError(message, mend="there is nothing between its layers to remove")
    if len({id(layer) for layer in weighted}) < len(weighted):
        raise UsageError("prune_neurons cannot narrow a layer that is used twice: each place keeps others")
    for first, second in itertools.pairwise(places):
        _check_joint(layers[first], layers[second], any(isinstance(x, Flatten) for x in layers[first:second]))
    return weighted


def _is_plain_sequential(layer: Layer) -> bool:
    """A container with a `forward` of its own does something else than its layers one after the other."""
    return isinstance(layer, Sequential) and type(layer).forward is Sequential.forward


def _check_joint(before: Any, after: Any, is_flattened: bool) -> None:
    """ShapeError unless every neuron of `before` is found again in the inputs of `after`."""
    width, inputs = len(_kernels(before, 1)), _inputs(after)
    is_image = isinstance(before, Conv2d) and isinstance(after, Linear)
    fits = is_flattened and inputs % width == 0 if is_image else inputs == width and isinstance(after, type(before))
    if not fits:
        raise ShapeError(f"{before!r} is followed by {after!r}: they must have as many features there")


def _kernels(layer: Linear | Conv2d, inputs: int) -> Array:
    """Weights as (outputs, inputs, weights of one input): a Linear sees a channel as one input for each pixel."""
    weight = layer.weight.data.T if isinstance(layer, Linear) else layer.weight.data
    return weight.reshape(len(weight), inputs, -1)


def _inputs(layer: Linear | Conv2d) -> int:
    return layer.in_features if isinstance(layer, Linear) else layer.in_channels


def _most_important(before: Linear | Conv2d, after: Linear | Conv2d, keep: int | float) -> Array:
    """Sorted indices of the neurons between two layers that stay."""
    incoming = np.square(_kernels(before, 1)).sum(axis=(1, 2))
    if before.bias is not None:
        incoming = incoming + np.square(before.bias.data)
    width = len(incoming)
    wanted = number_of("keep", keep, width)
    importance = incoming * np.square(_kernels(after, width)).sum(axis=(0, 2))
    return np.sort(np.argsort(-importance, kind="stable")[:wanted])


def _sliced(layer: Linear | Conv2d, width: int, inputs: Array, outputs: Array) -> Linear | Conv2d:
    """A copy of `layer`, which sees `width` neurons before it, with these inputs and outputs only."""
    kernels = _kernels(layer, width)[np.ix_(outputs, inputs)]
    bias = None if layer.bias is None else layer.bias.data[outputs]
    if isinstance(layer, Linear):
        return Linear.from_arrays(np.ascontiguousarray(kernels.reshape(len(outputs), -1).T), bias)
    weight = kernels.reshape(len(outputs), len(inputs), *layer.kernel_size)
    return Conv2d.from_arrays(weight, bias, layer.stride, layer.padding, layer.dilation)
