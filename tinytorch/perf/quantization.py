"""Quantization: weights as 8-bit integers, a quarter of the bytes of float32 (module 15)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.layers import Layer, Linear, find_layers, replace_layers
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError

LARGEST_CODE = 127  # symmetric: -128 is left out, so that zero stays zero and signs are treated alike
SMALLEST_SCALE = np.finfo(np.float32).tiny  # of channels that are zero, or so near it that their scale would be


def quantize_array(weight: Array) -> tuple[Array, Array]:
    """weight (in, out) -> codes int8 (in, out) and scale float32 (out,), with weight ~ codes * scale.

    No element is off by more than half its channel's scale. Raises UsageError for weights that are not finite.
    """
    largest = np.abs(weight).max(axis=0)
    if not np.isfinite(largest).all():
        raise UsageError("weights that are NaN or infinite cannot be quantized")
    scale = np.maximum(largest / LARGEST_CODE, SMALLEST_SCALE).astype(np.float32)
    codes = np.rint(weight / scale).clip(-LARGEST_CODE, LARGEST_CODE).astype(np.int8)
    return codes, scale


class QuantizedLinear(Layer):
    """A Linear whose weight is kept as int8 `codes` (in, out) and a float32 `scale` (out,); for inference.

    The codes become floats again in every call: memory falls fourfold, small batches get slower.
    """

    kind = "Linear"

    def __init__(self, codes: Array, scale: Array, bias: Array | None) -> None:
        self.codes = codes
        self.scale = scale
        self.bias = bias

    @classmethod
    def from_linear(cls, linear: Linear) -> QuantizedLinear:
        """The quantized twin of `linear`, which stays as it is."""
        bias = None if linear.bias is None else linear.bias.data.astype(np.float32)
        return cls(*quantize_array(linear.weight.data), bias)

    @property
    def in_features(self) -> int:
        """Width of an input."""
        return int(self.codes.shape[0])

    @property
    def out_features(self) -> int:
        """Width of an output."""
        return int(self.codes.shape[1])

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        outputs = inputs @ self.codes.astype(np.float32) * self.scale
        return outputs if self.bias is None else outputs + self.bias

    def own_weights(self) -> list[Array]:
        """Codes and bias; scales belong to the number format."""
        return [self.codes] if self.bias is None else [self.codes, self.bias]

    def __repr__(self) -> str:
        return f"QuantizedLinear({self.in_features}, {self.out_features})"


def quantize_model(model: Any) -> Any:
    """A copy of `model`, of any class, with int8 weights per output channel in place of every Linear; for inference.

    Raises UsageError when there is no Linear to quantize, or one whose class has a `forward` of its own.
    """
    linears = [layer for layer in find_layers(model) if isinstance(layer, Linear)]
    if not linears:
        raise UsageError(f"quantize_model needs a Linear to quantize, and a {type(model).__qualname__} has none")
    for linear in linears:
        if type(linear).forward is not Linear.forward:
            name = type(linear).__qualname__
            mend = "quantize a model of plain Linear layers"
            raise UsageError(f"{name} has a forward of its own, which a quantized Linear would lose", mend=mend)
    quantized = replace_layers(model, lambda layer: isinstance(layer, Linear), QuantizedLinear.from_linear)
    for layer in find_layers(quantized):
        layer.training = False
    return quantized
