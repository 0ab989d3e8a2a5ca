"""Chains: models whose layers follow one another, so that a neuron of one layer is an input of the next.

A Sequential says so by its layers. What a class of somebody else's does is watched on an example.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.compact import CompactWeight
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.model import Layer, as_call, find_layers, inference, replaced
from tinytorch.core.ops import Array, Operation, watched
from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import LayerNorm
from tinytorch.core.weights import check_finite
from tinytorch.errors import ShapeError, UsageError

Weighted = Linear | Conv2d
Norm = BatchNorm2d | LayerNorm
NEURON_BY_NEURON = (ReLU, Sigmoid, Tanh, GELU, Dropout, MaxPool2d, AvgPool2d)  # what these make of one is its own
KNOWN = (Linear, Conv2d, BatchNorm2d, LayerNorm, *NEURON_BY_NEURON, Flatten, Softmax)
HOMOGENEOUS = (ReLU, Dropout, MaxPool2d, AvgPool2d, Flatten, "relu", "max_pool2d", "avg_pool2d", "reshape")
OPERATIONS_ALONE = ("relu", "sigmoid", "tanh", "gelu", "max_pool2d", "avg_pool2d")  # which a `forward` may call itself
FLATTENING = "reshape"


@dataclass
class Joint:
    """Two weighted layers that follow one another, the normalizations between them, and whether images become rows.

    It `keeps_scale` where all that lies between gives twice as much for twice as much, as ReLU does.
    """

    before: Weighted
    after: Weighted
    norms: list[Norm] = field(default_factory=list)
    is_flattened: bool = False
    keeps_scale: bool = False


Step = Layer | str  # a layer that was called, or the name of an operation


def joints_of(model: Any, example: Array | None = None) -> list[Joint]:
    """Where neurons of `model` can be changed: between its first Linear or Conv2d and its last.

    Raises UsageError for a model that is no chain of layers that treat every neuron alone, for one of a class of
    somebody else's without an `example` of its inputs (N, ...), and ShapeError for layers that do not fit together.
    """
    steps = _steps(model, example)
    norms = [id(step) for step in steps if isinstance(step, Norm)]
    if len(set(norms)) < len(norms):
        raise UsageError("this technique cannot narrow a normalization that is used twice: each place keeps others")
    places = [number for number, step in enumerate(steps) if isinstance(step, Weighted)]
    _check_weighted([step for step in steps if isinstance(step, Weighted)])
    return [_joint(steps[first : second + 1]) for first, second in itertools.pairwise(places)]


def _steps(model: Any, example: Array | None) -> Sequence[Step]:
    """What the model does, in order; of Sequentials as it is written, of other classes as an example shows it."""
    layers = list(model.walk()) if isinstance(model, Layer) else find_layers(model)
    others = [layer for layer in layers if type(layer) not in KNOWN and not _is_plain_sequential(layer)]
    if isinstance(model, Layer) and not others:
        return [layer for layer in layers if not isinstance(layer, Sequential)]
    if example is None:
        name = type([*others, model][0]).__qualname__
        raise UsageError(
            f"this technique needs a chain of Linear, Conv2d and activations, and here is a {name}",
            mend="give train_data=, or an example= of its inputs, which shows what that does with its layers",
        )
    known = [layer for layer in layers if type(layer) in KNOWN]
    watching = _Watching(Tensor(example).data, known)
    with ExitStack() as stack, inference(model), no_grad(), watched(watching.operation):
        for layer in known:
            stack.enter_context(replaced(layer, "forward", watching.layer(layer)))
        as_call(model)(Tensor(example))
    return watching.steps


class _Watching:
    """Writes down the layers and operations that inputs go through, each of which must take what the last one gave."""

    def __init__(self, inputs: Array, layers: Sequence[Layer]) -> None:
        self._weights = {id(item.data) for layer in layers for item in vars(layer).values() if isinstance(item, Tensor)}
        self.steps: list[Step] = []
        self._values = [inputs]  # kept, so that no other array gets the id of one
        self._is_inside = False  # a layer, whose operations are its own

    def layer(self, layer: Layer) -> Callable[..., Any]:
        """The layer's `forward`, which is written down."""
        forward = layer.forward

        def call(inputs: Tensor, *others: Any, **options: Any) -> Any:
            if not self._follow([inputs.data], repr(layer)):
                raise UsageError(f"this technique needs a chain of layers, and {layer!r} is given what no layer made")
            self._is_inside = True
            try:
                output = forward(inputs, *others, **options)
            finally:
                self._is_inside = False
            self.steps.append(layer)
            self._values.append(output.data)
            return output

        return call

    def operation(self, name: str, row: Operation) -> Operation:
        """The row of an operation, which is written down where it is computed outside of layers."""

        def forward(*arrays: Array, **options: Any) -> Array:
            output = np.asarray(row.forward(*arrays, **options))
            if not self._is_inside and any(id(array) in self._weights for array in arrays):
                raise UsageError(f"this technique needs a chain of layers, and {name} uses a weight past its layer")
            if not self._is_inside and self._follow(arrays, name):
                is_flat = name == FLATTENING and output.ndim == 2 and len(output) == len(self._values[-1])
                self.steps.append(name if is_flat or name != FLATTENING else f"reshape to {output.shape}")
                self._values.append(output)
            return output

        return Operation(forward, row.vjps)

    def _follow(self, arrays: Sequence[Array], shown: str) -> bool:
        """Whether a step works on what comes of the inputs; UsageError where that is not the last that was made."""
        known = {id(value) for value in self._values}
        found = [array for array in arrays if id(array) in known]
        if any(array is not self._values[-1] for array in found) or len(found) > 1:
            raise UsageError(f"this technique needs a chain of layers, and {shown} looks at more than the last gave")
        return bool(found)


def _joint(steps: Sequence[Step]) -> Joint:
    """Two weighted layers, the first and the last of the steps, with what lies between them."""
    before, *between, after = steps
    for step in between:
        is_known = isinstance(step, (*NEURON_BY_NEURON, BatchNorm2d, LayerNorm, Flatten))
        if not is_known and step not in (*OPERATIONS_ALONE, FLATTENING):
            shown = step if isinstance(step, str) else f"a {type(step).__qualname__}"
            raise UsageError(f"this technique needs a chain of Linear, Conv2d and activations, and here is {shown}")
    is_flattened = any(step == FLATTENING or isinstance(step, Flatten) for step in between)
    keeps_scale = all((step if isinstance(step, str) else type(step)) in HOMOGENEOUS for step in between)
    norms = [step for step in between if isinstance(step, Norm)]
    joint = Joint(before, after, norms, is_flattened, keeps_scale)  # type: ignore[arg-type]
    _check_joint(joint)
    return joint


def _is_plain_sequential(layer: Layer) -> bool:
    """A container with a `forward` of its own does something else than its layers one after the other."""
    return isinstance(layer, Sequential) and type(layer).forward is Sequential.forward


def _check_weighted(weighted: Sequence[Weighted]) -> None:
    """UsageError for layers that cannot be narrowed."""
    for layer in weighted:
        if isinstance(layer.weight, CompactWeight):
            mend = "do this first, then make weights compact"
            raise UsageError(f"neurons of {layer!r} cannot be changed: its weight is a {layer.weight!r}", mend=mend)
        if isinstance(layer, Conv2d) and layer.groups != 1:
            raise UsageError(f"neurons of {layer!r} cannot be changed: its groups bind channels together")
        for array in layer.own_weights():
            check_finite(array, "changed neuron by neuron")
    if len(weighted) < 2:
        message = f"this technique needs a hidden layer, so at least 2 Linear or Conv2d; the model has {len(weighted)}"
        raise UsageError(message, mend="there is nothing between its layers to remove")
    if len({id(layer) for layer in weighted}) < len(weighted):
        raise UsageError("this technique cannot narrow a layer that is used twice: each place keeps others")


def _check_joint(joint: Joint) -> None:
    """ShapeError unless every neuron of one layer is found again in the inputs of the next, and in the norms."""
    width, inputs = outputs_of(joint.before), inputs_of(joint.after)
    is_image = isinstance(joint.before, Conv2d)
    if is_image and isinstance(joint.after, Linear):
        fits = joint.is_flattened and inputs % width == 0
    else:
        fits = inputs == width and is_image == isinstance(joint.after, Conv2d)
    if not fits:
        raise ShapeError(f"{joint.before!r} is followed by {joint.after!r}: they must have as many features there")
    for norm in joint.norms:
        if norm.gamma.size != width or isinstance(norm, BatchNorm2d) != is_image:
            raise ShapeError(f"{joint.before!r} is followed by {norm!r}: it must have a number for each neuron")


def inputs_of(layer: Weighted) -> int:
    """Features or channels that go in."""
    return layer.in_features if isinstance(layer, Linear) else layer.in_channels


def outputs_of(layer: Weighted) -> int:
    """Neurons or channels that come out."""
    return layer.out_features if isinstance(layer, Linear) else layer.out_channels
