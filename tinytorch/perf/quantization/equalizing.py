"""Equalizing: neurons are made of one size, so that one scale serves a whole layer (Nagel et al. 2019, section 4.1).

Behind a ReLU half of a neuron's weights before and twice those after give the same: so the scale of every neuron of a
layer can be folded into the layer behind it.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tinytorch.core.chains import Weighted, joints_of
from tinytorch.core.layers import Linear
from tinytorch.core.model import set_training_mode
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor


def equalize(model: Any, example: Any = None) -> Any:
    """A copy of `model` that computes the same, in which the largest weights of all neurons of a layer are equal.

    That is so for every hidden layer behind which nothing stands but ReLU, pooling, Dropout and Flatten; others stay.
    `quantize_model(equalize(model))` then keeps one scale for each such layer. Raises UsageError for a model that is no
    chain of layers; a class of somebody else's is watched on an `example` of its inputs (N, ...).
    """
    equal = copy.deepcopy(model)
    shown = None if example is None else np.asarray(Tensor(example).data)
    for joint in joints_of(equal, shown):
        if joint.keeps_scale:
            sizes = _largest(joint.before)
            _multiply_outputs(joint.before, 1 / sizes)
            _multiply_inputs(joint.after, sizes)
    set_training_mode(equal, False)
    return equal


def _largest(layer: Weighted) -> Array:
    """The largest weight of each neuron or channel, without its sign; 1 where all are zero."""
    weight = np.abs(layer.weight.data)
    sizes = weight.max(axis=0) if isinstance(layer, Linear) else weight.max(axis=(1, 2, 3))
    return np.where(sizes > 0, sizes, 1)


def _multiply_outputs(layer: Weighted, factors: Array) -> None:
    beside = factors if isinstance(layer, Linear) else factors[:, None, None, None]
    layer.weight = _tensor(layer.weight.data * beside)
    if layer.bias is not None:
        layer.bias = _tensor(layer.bias.data * factors)


def _multiply_inputs(layer: Weighted, factors: Array) -> None:
    """A Linear sees a channel as one input for each pixel."""
    if isinstance(layer, Linear):
        layer.weight = _tensor(layer.weight.data * np.repeat(factors, layer.in_features // len(factors))[:, None])
    else:
        layer.weight = _tensor(layer.weight.data * factors[None, :, None, None])


def _tensor(array: Array) -> Tensor:
    return Tensor(array.astype(np.float32), requires_grad=True)
