"""Whole models with quantized weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.layers import Layer, Linear, find_layers, inference, replace_layers
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.weights import WEIGHTED, all_weighted_layers, with_weights
from tinytorch.errors import UsageError
from tinytorch.perf.quantization.activations import QuantizedConv2d, QuantizedLinear
from tinytorch.perf.quantization.codes import Bits, QuantizedWeight, Ranges, quantize_weight

_ROUNDING: dict[str, Any] = {Linear.kind: QuantizedLinear, Conv2d.kind: QuantizedConv2d}


def quantize_model(
    model: Any,
    calibration_data: Any = None,
    *,
    bits: Bits = 8,
    symmetric: bool = True,
    per_channel: bool = True,
    ranges: Ranges = "min-max",
    skip: Collection[str] = (),
    dynamic: bool = False,
) -> Any:
    """A copy of `model`, of any class, whose Linear, Conv2d and embedding weights are codes; for inference.

    The other arguments are those of `quantize_weight`; `skip` names layers whose weights stay as they are, as
    `choose_layers` finds them. Biases and normalizations stay floats. Weights that are compact already are left alone.
    The inputs of quantized Linear and Conv2d layers are rounded to 8 bits, too, with `calibration_data`, a batch of the
    model's inputs, or a list of them, from which their ranges are learnt, or `dynamic`, by the range of each batch.
    Raises UsageError when there is nothing to quantize, and for names that no layer has.
    """
    done = False

    def quantized(weight: Tensor, axis: int | None) -> QuantizedWeight:
        nonlocal done
        done = True
        channel = axis if per_channel else None
        return quantize_weight(weight.data, channel, bits=bits, symmetric=symmetric, ranges=ranges)

    smaller = with_weights(model, quantized, skip)
    if not done and any(isinstance(layer.weight, CompactWeight) for _, layer, _ in all_weighted_layers(model)):
        mend = "quantize the model that has floats, or a sparse one, whose values can be codes"
        raise UsageError(
            "quantize_model needs weights of floats, and those of this model are compact already", mend=mend
        )
    if not done:
        kinds = ", ".join(kind.__name__ for kind in WEIGHTED)
        raise UsageError(f"quantize_model needs a {kinds} to quantize, and a {type(model).__qualname__} has none")
    if calibration_data is None and not dynamic:
        return smaller
    rounding = replace_layers(smaller, _can_round, lambda layer: _ROUNDING[layer.kind].from_layer(layer))
    if calibration_data is not None:
        calibrate(rounding, calibration_data, ranges)
    return rounding


def calibrate(model: Any, data: Any, ranges: Ranges = "min-max") -> None:
    """Learn, in place, the ranges of the inputs that layers round, from a batch of the model's, or several in a list.

    Layer after layer sees what the ones before it, calibrated already, make of the data. Raises UsageError without a
    sample.
    """
    if not len(data):
        raise UsageError("calibration needs at least one sample")
    for layer in find_layers(model):
        if isinstance(layer, (QuantizedLinear, QuantizedConv2d)):
            seen = _inputs_of(layer, model, data)
            if seen:  # what the model never calls has no range to learn
                layer.calibrate(seen, ranges)


def _inputs_of(layer: Any, model: Any, data: Any) -> list[Array]:
    """What a layer is given while the model runs over the data."""
    seen: list[Array] = []
    forward, call = layer.forward, model if callable(model) else model.forward

    def listening(inputs: Tensor) -> Any:
        seen.append(np.array(inputs))
        return forward(inputs)

    layer.forward = listening
    try:
        with inference(model), no_grad():
            for batch in data if isinstance(data, (list, tuple)) else [data]:
                call(Tensor(batch))
    finally:
        del layer.forward
    return seen


def _can_round(layer: Layer) -> bool:
    return type(layer) in (Linear, Conv2d) and isinstance(vars(layer)["weight"], QuantizedWeight)
