"""Quantization (module 15): weights stored as int8, with one scale per output channel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.tensor import Tensor

LARGEST_INT8 = 127  # symmetric: -127..127, so that zero is exact and signs are alike


class QuantizedLinear(Layer):
    """A Linear whose weight (in, out) is really stored as int8, with float32 scales (out,) and bias (out,).

    It multiplies in float32, because numpy has no fast int8 product: memory falls fourfold, a batch of one is slower.
    """

    kind: ClassVar[str | None] = "Linear"

    def __init__(self, linear: Linear) -> None:
        self.weight, self.scale = quantize_per_channel(linear.weight.data)
        self.bias = None if linear.bias is None else linear.bias.data.copy()

    def forward(self, x: Tensor) -> Tensor:
        out = (x.data @ self.weight.astype(np.float32)) * self.scale
        return Tensor(out if self.bias is None else out + self.bias)

    def weight_count(self) -> int:
        return self.weight.size + (0 if self.bias is None else self.bias.size)


def quantize_per_channel(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 of a weight (in, out) and its scales (out,): weight ~ int8 * scale, off by half a scale at most.

    Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", 2018.
    """
    largest = np.abs(weight).max(axis=0)
    scale = np.where(largest > 0, largest / LARGEST_INT8, 1).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


def quantize_model(model: Layer) -> Layer:
    """A model with every Linear stored as int8; the original is left as it is, other layers are shared with it."""
    if isinstance(model, Sequential):
        return Sequential([quantize_model(layer) for layer in model])
    return QuantizedLinear(model) if isinstance(model, Linear) else model
