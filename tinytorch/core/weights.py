"""Putting compact weights into models of any class."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tinytorch.core.compact import CompactWeight
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.layers import Linear
from tinytorch.core.model import Layer, find_layers, set_training_mode
from tinytorch.core.spatial import Conv2d
from tinytorch.core.state import held
from tinytorch.core.tensor import Tensor

WEIGHTED: dict[type[Layer], int] = {Linear: 1, Conv2d: 0, Embedding: 0, PositionalEncoding: 0}
"""Layers whose `weight` may be compact, and the axis of it that counts output channels or rows."""


def weighted_layers(model: object) -> Iterator[tuple[str, Any, int]]:
    """Name, layer and channel axis of every layer whose weight is an array of floats and may become compact."""
    return (found for found in all_weighted_layers(model) if isinstance(found[1].weight, Tensor))


def dense_weights(model: object) -> list[str]:
    """Names of the layers whose weights are arrays of floats still: what techniques have left alone."""
    return [name for name, _, _ in weighted_layers(model)]


def all_weighted_layers(model: object) -> Iterator[tuple[str, Any, int]]:
    """The same, with layers whose weight is compact already."""
    for name, layer in held(model):
        axis = next((axis for kind, axis in WEIGHTED.items() if isinstance(layer, kind)), None)
        if axis is not None:
            yield name, layer, axis


def _made(weight: Any, make: Callable[[Tensor, int | None], CompactWeight | None], axis: int) -> CompactWeight | None:
    if isinstance(weight, Tensor):
        return make(weight, axis)
    found: CompactWeight | None = weight.recoded(lambda values: make(values, None))
    return found


def with_weights(model: Any, make: Callable[[str, Tensor, int | None], CompactWeight | None]) -> Any:
    """A deep copy of a model of any class, for inference, in which weights are what `make(name, weight, axis)` says.

    `name` is the layer's, `axis` counts channels; None as an answer leaves a weight as it is. A weight that two layers
    share is made once, and shared. Of a weight that is compact already, in a form that can be combined, the values are
    made anew; they have no axis of channels.
    """
    made: dict[int, Any] = {}
    for name, layer, axis in all_weighted_layers(model):
        if id(layer.weight) not in made:
            compact = _made(layer.weight, partial(make, name), axis)
            if compact is not None:
                made[id(layer.weight)] = compact
    smaller = copy.deepcopy(model, made)  # to `deepcopy` these are copied already
    set_training_mode(smaller, False)
    for layer in find_layers(smaller):
        layer.training = False
    for _, item in held(smaller):
        if isinstance(item, Tensor):
            item.requires_grad = False
    return smaller
