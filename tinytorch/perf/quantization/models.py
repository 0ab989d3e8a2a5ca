"""Whole models with quantized weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import WEIGHTED, weighted_layers, with_weights
from tinytorch.errors import UsageError
from tinytorch.perf.quantization.codes import Bits, QuantizedWeight, Ranges, quantize_weight
from tinytorch.text import nearest


def quantize_model(
    model: Any,
    *,
    bits: Bits = 8,
    symmetric: bool = True,
    per_channel: bool = True,
    ranges: Ranges = "min-max",
    keep: Collection[str] = (),
) -> Any:
    """A copy of `model`, of any class, whose Linear, Conv2d and embedding weights are codes; for inference.

    The other arguments are those of `quantize_weight`; `keep` names layers whose weights stay as they are, as
    `choose_layers` finds them. Biases and normalizations stay floats. Weights that are compact already are left alone.
    Raises UsageError when there is nothing to quantize, and for names that no layer has.
    """
    names = [name for name, _, _ in weighted_layers(model)]
    for name in keep:
        if name not in names:
            raise UsageError(f"there is no layer {name!r} to keep as it is", mend=nearest(name, names))
    if not set(names) - set(keep):
        kinds = ", ".join(kind.__name__ for kind in WEIGHTED)
        raise UsageError(f"quantize_model needs a {kinds} to quantize, and a {type(model).__qualname__} has none")

    def quantized(name: str, weight: Tensor, axis: int) -> QuantizedWeight | None:
        if name in keep:
            return None
        channel = axis if per_channel else None
        return quantize_weight(weight.data, channel, bits=bits, symmetric=symmetric, ranges=ranges)

    return with_weights(model, quantized)
