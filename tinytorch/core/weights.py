"""Putting compact weights into models of any class."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.layers import Linear
from tinytorch.core.model import Layer, set_training_mode
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.state import held
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.showing import nearest

Make = Callable[[Tensor, int | None], CompactWeight | None]  # of a weight and its channel axis

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


def with_weights(model: Any, make: Make, skip: Collection[str] = ()) -> Any:
    """A deep copy of a model of any class, for inference, in which weights are what `make(weight, axis)` says.

    `axis` counts channels; None as an answer leaves a weight as it is, and so does the layer's name in `skip`. A weight
    that two layers share is made once, and shared. Of a weight that is compact already, in a form that can be combined,
    the values are made anew; they have no axis of channels. Raises UsageError for a name in `skip` that no layer has.
    """
    check_names(skip, model)
    layers = list(all_weighted_layers(model))
    made: dict[int, Any] = {}
    for name, layer, axis in layers:
        if name not in skip and id(layer.weight) not in made:
            compact = _made(layer.weight, make, axis)
            if compact is not None:
                made[id(layer.weight)] = compact
    smaller = copy.deepcopy(model, made)  # to `deepcopy` these are copied already
    set_training_mode(smaller, False)
    for _, item in held(smaller):
        if isinstance(item, Tensor):
            item.requires_grad = False
    return smaller


def check_names(skip: Collection[str], model: object) -> None:
    """UsageError unless `skip` lists names of layers that have a weight."""
    names = [name for name, _, _ in all_weighted_layers(model)]
    if isinstance(skip, str) or not isinstance(skip, Collection) or not all(isinstance(name, str) for name in skip):
        raise UsageError(
            f"skip must be a list of names of layers, not {skip!r}", mend=f"choose from {', '.join(names)}"
        )
    for name in skip:
        if name not in names:
            raise UsageError(f"there is no layer {name!r} to skip", mend=nearest(name, names))


def weights_digest(model: object) -> str:
    """SHA-256 of a model's layers and weights as they lie in memory: values, types, shapes and strides.

    What else an object was given, such as a `forward` of its own, shows by its name.
    """
    digest = hashlib.sha256()
    for name, item in held(model):
        if isinstance(item, (Layer, CompactWeight)):
            kind = type(item)
            digest.update(repr((name, kind.__module__, kind.__qualname__, sorted(vars(item)))).encode())
        if isinstance(item, Tensor):
            array = item.data
            digest.update(repr((name, array.dtype.str, array.shape, array.strides)).encode())
            digest.update(array.tobytes())
    return digest.hexdigest()


def check_finite(weight: Array, done: str) -> None:
    """UsageError where a weight has a value that is NaN or infinite: such weights cannot be `done`."""
    if not np.isfinite(weight).all():
        raise UsageError(
            f"weights that are NaN or infinite cannot be {done}", mend="train with a smaller learning rate"
        )


def _made(weight: Any, make: Make, axis: int) -> CompactWeight | None:
    if isinstance(weight, Tensor):
        return make(weight, axis)
    found: CompactWeight | None = weight.recoded(lambda values, axis=None: make(values, axis))
    return found
