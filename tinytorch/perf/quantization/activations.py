"""Layers that round their inputs to codes, too, as hardware for integers does; here at the price of a little time.

The range of the inputs is looked at in every call (dynamic), or was learnt from samples (static).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tinytorch.core.layers import Linear
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.quantization.codes import QuantizedWeight, Ranges, quantize_weight, steps_for


@dataclass(frozen=True)
class InputCodes:
    """Codes of 8 bits for inputs: values lie on multiples of `scale`, and beyond -128..127 of them are cut off."""

    scale: Array
    zero_point: Array

    @classmethod
    def of(cls, samples: Array, ranges: Ranges = "min-max") -> InputCodes:
        """Codes that suit the values of all samples; UsageError when there is none."""
        if not samples.size:
            raise UsageError("calibration needs at least one sample")
        if not np.isfinite(samples).all():
            raise UsageError("inputs must be finite numbers to be rounded, and some are NaN or infinite")
        return cls(*steps_for(samples.reshape(1, -1), 8, False, ranges))

    def rounded(self, values: Array) -> Array:
        """The values as the codes stand for them, float32."""
        codes = (np.rint(values / self.scale) + self.zero_point).clip(-128, 127)
        rounded: Array = ((codes - self.zero_point) * self.scale).astype(np.float32)
        return rounded


class _RoundsInputs:
    """What both kinds of layers have in common: `input_codes` is None where each batch has codes of its own."""

    input_codes: InputCodes | None

    @classmethod
    def from_layer(cls, layer: Any, input_codes: InputCodes | None = None) -> Self:
        """A layer with the same weight, not copied."""
        made = cls.__new__(cls)
        vars(made).update(vars(layer), input_codes=input_codes, training=False)
        return made

    def rounded(self, inputs: Tensor) -> Tensor:
        """The inputs on their codes."""
        if not inputs.size:  # it has no range, and nothing to round
            return inputs
        codes = self.input_codes or InputCodes.of(inputs.data)
        return Tensor(codes.rounded(inputs.data))

    def calibrate(self, samples: Iterable[Any], ranges: Ranges = "min-max") -> None:
        """Learn the range of inputs from samples of any shape; from then on it is static."""
        values = [np.asarray(sample, np.float32).ravel() for sample in samples]
        self.input_codes = InputCodes.of(np.concatenate(values) if values else np.empty(0, np.float32), ranges)


class QuantizedLinear(_RoundsInputs, Linear):
    """A Linear with codes for its weight and for its inputs; made of a Linear, which stays as it is."""

    kind = "Linear"

    def __init__(self, linear_layer: Linear) -> None:
        weight = linear_layer.weight
        codes = weight if isinstance(weight, QuantizedWeight) else quantize_weight(np.array(weight.data), 1)
        vars(self).update(vars(linear_layer), weight=codes, input_codes=None, training=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return Linear.forward(self, self.rounded(inputs))

    @property
    def q_weight(self) -> Tensor:
        """The weight's codes (in, out), whole numbers (the curriculum's name)."""
        weight: Any = self.weight
        codes = weight.unpacked()
        return Tensor(codes, dtype=codes.dtype)

    @property
    def input_scale(self) -> float | None:
        """How far apart the inputs' codes are; None before `calibrate` (the curriculum's name)."""
        return None if self.input_codes is None else float(self.input_codes.scale.item())

    @property
    def input_zero_point(self) -> int | None:
        """The code of zero; None before `calibrate` (the curriculum's name)."""
        return None if self.input_codes is None else int(self.input_codes.zero_point.item())

    def memory_usage(self) -> dict[str, float]:
        """Bytes as floats and as they are kept, and their ratio (the curriculum's names)."""
        bias = 0 if self.bias is None else self.bias.data.nbytes
        weight: Any = self.weight
        original, kept = 4 * weight.size + bias, weight.nbytes + bias
        return {"original_bytes": original, "quantized_bytes": kept, "compression_ratio": original / kept}


class QuantizedConv2d(_RoundsInputs, Conv2d):
    """A Conv2d with codes for its weight and for its images."""

    kind = "Conv2d"

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, O, rows, columns)."""
        return Conv2d.forward(self, self.rounded(inputs))
