"""Whole models with quantized weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, get_args

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.dataloader import as_dataset
from tinytorch.core.layers import Layer, Linear, find_layers, inference, replace_layers
from tinytorch.core.listening import heard
from tinytorch.core.model import as_call
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.weights import WEIGHTED, all_weighted_layers, with_weights
from tinytorch.errors import UsageError
from tinytorch.perf.quantization.activations import QuantizedConv2d, QuantizedLinear
from tinytorch.perf.quantization.codes import Bits, QuantizedWeight, Ranges, quantize_weight
from tinytorch.perf.quantization.compensated import rounding_for
from tinytorch.showing import nearest

Rounding = Literal["nearest", "compensated"]
BIAS_PART = 1 / 16  # of a step of the weights

_ROUNDING: dict[str, Any] = {Linear.kind: QuantizedLinear, Conv2d.kind: QuantizedConv2d}


def quantize_model(
    model: Any,
    calibration_data: Any = None,
    *,
    bits: Bits = 8,
    symmetric: bool = True,
    per_channel: bool = True,
    ranges: Ranges = "min-max",
    rounding: Rounding = "nearest",
    train_data: Any = None,
    skip: Collection[str] = (),
    dynamic: bool = False,
) -> Any:
    """A copy of `model`, of any class, whose Linear, Conv2d and embedding weights are codes; for inference.

    The other arguments are those of `quantize_weight`; `skip` names layers whose weights stay as they are, as
    `choose_layers` finds them. The `rounding` is to the nearest code, or `compensated` on inputs of `train_data`, such
    that outputs change least (`compensated.rounding_for`): below 8 bits that keeps much more. Normalizations stay
    floats, and so do biases, in float16 where that is far below a step. Weights that are compact already stay as they
    are.
    The inputs of quantized Linear and Conv2d layers are rounded to 8 bits, too, with `calibration_data`, a batch of the
    model's inputs, or a list of them, from which their ranges are learnt, or `dynamic`, by the range of each batch.
    Raises UsageError when there is nothing to quantize, and for names that no layer has.
    """
    _check_rounding(rounding, train_data)
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
    if rounding == "compensated":
        options = {"bits": bits, "symmetric": symmetric, "ranges": ranges}
        _compensate(model, smaller, np.asarray(as_dataset(train_data).inputs), per_channel, options)
    halve_biases(smaller)
    if calibration_data is None and not dynamic:
        return smaller
    round_inputs = replace_layers(smaller, _can_round, lambda layer: _ROUNDING[layer.kind].from_layer(layer))
    if calibration_data is not None:
        calibrate(round_inputs, calibration_data, ranges)
    return round_inputs


def _check_rounding(rounding: str, train_data: Any) -> None:
    """UsageError for another rounding than there is, and for data where none are needed, or none where they are."""
    if rounding not in get_args(Rounding):
        raise UsageError(f"there is no rounding {rounding!r}", mend=nearest(rounding, get_args(Rounding)))
    if rounding == "compensated" and train_data is None:
        raise UsageError("compensated rounding needs train_data, whose inputs show what has to stay")
    if rounding == "nearest" and train_data is not None:
        raise UsageError("train_data has no effect on rounding to the nearest", mend='write rounding="compensated"')


def _compensate(model: Any, smaller: Any, inputs: Array, per_channel: bool, options: dict[str, Any]) -> None:
    """Round weights of `model` anew for its quantized copy, in place; each layer on what the last gives."""
    done: set[int] = set()
    for (_, layer, axis), (_, rounded, _) in zip(all_weighted_layers(model), all_weighted_layers(smaller), strict=True):
        is_new = isinstance(layer.weight, Tensor) and isinstance(rounded.weight, QuantizedWeight)
        rounding = rounding_for(rounded, smaller, inputs) if is_new and id(rounded.weight) not in done else None
        if rounding is not None:
            channel = axis if per_channel else None
            codes = quantize_weight(layer.weight.data, channel, rounding=rounding, **options)
            vars(rounded.weight).update(vars(codes))  # the same object: another layer may share it
            done.add(id(rounded.weight))


def halve_biases(model: Any) -> None:
    """Keep biases of quantized layers as float16, in place, where that moves none by more than a part of a step."""
    for _, layer, _ in all_weighted_layers(model):
        bias = getattr(layer, "bias", None)
        if isinstance(layer.weight, QuantizedWeight) and isinstance(bias, Tensor):
            half = bias.data.astype(np.float16)
            if (np.abs(half - bias.data) <= layer.weight.scale * BIAS_PART).all():
                layer.bias = Tensor(half, dtype=np.float16)


def calibrate(model: Any, data: Any, ranges: Ranges = "min-max") -> None:
    """Learn, in place, the ranges of the inputs that layers round, from a batch of the model's, or several in a list.

    Layer after layer sees what the ones before it, calibrated already, make of the data. Raises UsageError without a
    sample.
    """
    if not hasattr(data, "__len__") or not len(data):
        raise UsageError("calibration needs at least one sample, in an array or a list of batches")
    for layer in find_layers(model):
        if isinstance(layer, (QuantizedLinear, QuantizedConv2d)):
            seen = _inputs_of(layer, model, data)
            if seen:  # what the model never calls has no range to learn
                layer.calibrate(seen, ranges)


def _inputs_of(layer: Any, model: Any, data: Any) -> list[Array]:
    """What a layer is given while the model runs over the data."""
    seen: list[Array] = []
    with heard(layer, lambda inputs: seen.append(inputs.copy())), inference(model), no_grad():
        for batch in data if isinstance(data, (list, tuple)) else [data]:
            as_call(model)(Tensor(batch))
    return seen


def _can_round(layer: Layer) -> bool:
    return type(layer) in (Linear, Conv2d) and isinstance(vars(layer)["weight"], QuantizedWeight)
