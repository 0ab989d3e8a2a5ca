"""Codes: integers of 8, 4, 3 or 2 bits and what they stand for, `(code - zero_point) * scale`.

Jacob et al. 2018, section 2.1. One scale serves the whole weight, or each channel has its own (Krishnamoorthi 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from tinytorch.core.arguments import is_whole
from tinytorch.core.compact import Codes, CompactWeight, looked_up, pack, unpack
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import check_finite
from tinytorch.errors import RangeError, UsageError
from tinytorch.showing import nearest

SMALLEST_SCALE = np.finfo(np.float32).tiny  # of channels that are zero, or so near it that their scale would be
PERCENTILE = 99.9
SHRINKS = np.linspace(1.0, 0.4, 61)  # parts of the range that the least squared error is looked for in

Bits = Literal[8, 4, 3, 2]
Round = Callable[[Array, int, int], Array]  # of numbers in a weight's shape, and the least and largest code
Ranges = Literal["min-max", "percentile", "mse"]


class QuantizedWeight(CompactWeight):
    """A weight of `shape` as integer codes, with the `scale` of each channel along `axis`, or of all (1,).

    Codes of 8 bits are int8 in the weight's shape, those of fewer bits packed (uint8), 2^(bits - 1) more than they are.
    `zero_point` is None where zero is the code 0.
    """

    fields = ("codes", "scale", "zero_point", "axis", "shape", "bits")

    def __init__(
        self, codes: Array, scale: Array, zero_point: Array | None, axis: int, shape: Shape, bits: int = 8
    ) -> None:
        self.codes, self.scale, self.zero_point = codes, scale, zero_point
        self.axis, self.shape, self.bits = axis, shape, bits

    def dense(self) -> Array:
        """The weight as float32."""
        return self._decoded(self.unpacked(), slice(None))

    def multiply(self, inputs: Tensor) -> Tensor:
        """inputs (..., rows) times the weight; scales that belong to columns go to the outputs, which are fewer."""
        if not (self.axis == 1 or self.scale.size == 1):
            return super().multiply(inputs)
        codes = self.codes.astype(np.float32) if self.bits == 8 else self._values()
        outputs: Tensor = inputs @ codes
        if self.zero_point is not None:
            outputs = outputs - inputs.sum(axis=-1, keepdims=True) * self.zero_point
        return outputs * self.scale

    def readable(self) -> Codes:
        """Codes as they are."""
        scale = None if self.scale.size == 1 and self.scale[0] == 1 else self.scale
        return Codes(self.codes, None, self.bits, scale, self.zero_point, self.axis)

    def rows(self, index: Any) -> Array:
        """`dense()[index]`, of which only those rows are made."""
        if isinstance(index, tuple):
            return super().rows(index)
        return self._decoded(self.unpacked()[index], index)

    def unpacked(self) -> Array:
        """The codes as int8, in the weight's shape."""
        if self.bits == 8:
            return self.codes
        return unpack(self.codes, self.bits, self.shape).astype(np.int8) - np.int8(2 ** (self.bits - 1))

    def _values(self) -> Array:
        """The codes as float32, in the weight's shape."""
        bottom = -(2 ** (self.bits - 1))
        return looked_up(self.codes, self.bits, np.arange(bottom, -bottom, dtype=np.float32), self.shape)

    def _decoded(self, codes: Array, index: Any) -> Array:
        """The codes of some rows as what they stand for."""
        scale = self._beside(self.scale, index)
        decoded = codes.astype(np.float32)
        if self.zero_point is not None:
            decoded -= self._beside(self.zero_point, index)
        decoded *= scale
        return decoded

    def _beside(self, values: Array, index: Any) -> Array:
        """Scales or zero points so that they broadcast to some rows of the weight."""
        placed = along(values, self.axis, len(self.shape))
        if values.size == 1:
            return placed
        return placed[index] if self.axis == 0 else placed[0] if isinstance(index, int) else placed

    def __repr__(self) -> str:
        return f"QuantizedWeight({self.shape}, {self.bits} bits)"


def quantize_weight(
    weight: Array,
    axis: int | None = None,
    *,
    bits: Bits = 8,
    symmetric: bool = True,
    ranges: Ranges = "min-max",
    rounding: Round | None = None,
) -> QuantizedWeight:
    """A weight as codes, each channel along `axis` with a scale of its own; None: one for all.

    `symmetric` codes reach as far below zero as above it, and leave the lowest code out, so that signs are treated
    alike; others shift zero to where the values lie. `ranges` says what the codes reach: the least and largest value;
    `percentile`, all but the outermost thousandth; `mse`, as far as gives the least squared error. Values beyond are
    cut off. Zero is always represented exactly. Scales are float16 where that has them: codes are then those of the
    rounded scale, so that nothing is lost. `rounding` makes codes of numbers; without it each becomes the nearest.
    Raises UsageError for weights that are not finite, RangeError for an axis that is not there.
    """
    check_codes(weight, bits, ranges)
    steps, zero_point = initial_steps(weight, axis, bits, symmetric, ranges)
    return coded(weight, 0 if axis is None else axis, steps, zero_point, bits, symmetric, rounding)


def initial_steps(weight: Array, axis: int | None, bits: Bits, symmetric: bool, ranges: Ranges) -> tuple[Array, Array]:
    """Scale and zero point of each channel along `axis`, or of all."""
    axis = None if axis is None else _checked_axis(axis, weight.ndim)
    return steps_for(by_channel(weight, axis), bits, symmetric, ranges)


def coded(
    weight: Array,
    axis: int,
    steps: Array,
    zero_point: Array,
    bits: Bits,
    symmetric: bool,
    rounding: Round | None = None,
) -> QuantizedWeight:
    """A weight as codes with these steps and zero points, each (1,), or one for each channel along `axis`."""
    if steps.size and (steps == steps[0]).all() and (zero_point == zero_point[0]).all():
        steps, zero_point = steps[:1], zero_point[:1]  # one serves all channels
    scale = _halved(steps.astype(np.float32))
    axis = _checked_axis(axis, weight.ndim)
    beside = [along(values, axis, weight.ndim) for values in (scale, zero_point)]
    codes = _codes(weight, beside[0], beside[1], bits, symmetric, rounding or _nearest)
    return QuantizedWeight(_packed(codes, bits), scale, None if symmetric else zero_point, axis, weight.shape, bits)


def steps_for(channels: Array, bits: int, symmetric: bool, ranges: Ranges) -> tuple[Array, Array]:
    """Scale (float32) and zero point (int8) of each channel, for its values: (channels, values of one)."""
    low, high = _range(channels, ranges)
    if ranges == "mse":
        low, high = _least_error(channels, low, high, bits, symmetric)
    return _steps(low, high, bits, symmetric)


def _packed(codes: Array, bits: int) -> Array:
    """Codes around zero as a weight keeps them."""
    return codes if bits == 8 else pack((codes + 2 ** (bits - 1)).astype(np.uint8), bits)


def along(values: Array, axis: int, ndim: int) -> Array:
    """Values (channels,) so that they broadcast along an axis; a single one as it is."""
    return values if values.size == 1 else values.reshape([-1 if number == axis else 1 for number in range(ndim)])


def limits(bits: int, symmetric: bool) -> tuple[int, int]:
    """The least and the largest code."""
    top = 2 ** (bits - 1) - 1
    return -top if symmetric else -top - 1, top


def check_codes(weight: Array, bits: int, ranges: str) -> None:
    """UsageError for codes of other bits or ranges than there are, and for weights that are not finite."""
    if not is_whole(bits) or bits not in get_args(Bits):
        raise UsageError(f"codes must have 8, 4, 3 or 2 bits, not {bits!r}")
    if ranges not in get_args(Ranges):
        raise UsageError(f"there are no ranges {ranges!r}", mend=nearest(ranges, get_args(Ranges)))
    check_finite(weight, "quantized")


def _checked_axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise RangeError(f"the axis of a weight of {ndim} axes must lie in {-ndim}..{ndim - 1}, not {axis}")
    return axis % ndim


def by_channel(weight: Array, axis: int | None) -> Array:
    """The weight as (channels, weights of one)."""
    if axis is None:
        return weight.reshape(1, -1)
    count = weight.shape[axis]
    return np.moveaxis(weight, axis, 0).reshape(count, weight.size // max(1, count))


def _range(channels: Array, ranges: Ranges) -> tuple[Array, Array]:
    """Least and largest value of each channel (channels, weights of one), with zero between them."""
    if not channels.shape[1]:
        return np.zeros(len(channels)), np.zeros(len(channels))
    if ranges == "percentile":
        low, high = np.percentile(channels, [100 - PERCENTILE, PERCENTILE], axis=1)
    else:
        low, high = channels.min(axis=1), channels.max(axis=1)
    return np.minimum(low, 0).astype(np.float64), np.maximum(high, 0).astype(np.float64)


def _steps(low: Array, high: Array, bits: int, symmetric: bool) -> tuple[Array, Array]:
    """Scale and zero point of each channel."""
    top, bottom = 2 ** (bits - 1) - 1, -(2 ** (bits - 1))
    width = np.maximum(-low, high) / top if symmetric else (high - low) / (top - bottom)
    scale = np.where(width > 0, np.maximum(width, SMALLEST_SCALE), 1).astype(np.float32)
    zero_point = np.zeros(len(scale)) if symmetric else np.where(width > 0, np.rint(bottom - low / scale), 0)
    return scale, zero_point.clip(bottom, top).astype(np.int8)


def _halved(scale: Array) -> Array:
    """The scales as float16; as they are where one is beyond what that has without losing digits."""
    limits = np.finfo(np.float16)
    has_all = bool(((scale >= limits.smallest_normal) & (scale <= limits.max)).all())
    return scale.astype(np.float16) if has_all else scale


def _codes(weight: Array, scale: Array, zero_point: Array, bits: int, symmetric: bool, rounding: Round) -> Array:
    found = rounding(weight / scale + zero_point, *limits(bits, symmetric))
    return found.astype(np.int8, order="C")


def _nearest(numbers: Array, least: int, largest: int) -> Array:
    nearest_codes: Array = np.rint(numbers).clip(least, largest)
    return nearest_codes


def _least_error(channels: Array, low: Array, high: Array, bits: int, symmetric: bool) -> tuple[Array, Array]:
    """For each channel the part of its range whose codes have the least squared error (Banner et al. 2019 cut so)."""
    best, chosen = np.full(len(channels), np.inf), np.ones(len(channels))
    for shrink in SHRINKS:
        scale, zero_point = _steps(low * shrink, high * shrink, bits, symmetric)
        codes = _codes(channels, scale[:, None], zero_point[:, None], bits, symmetric, _nearest)
        restored = (codes - zero_point[:, None].astype(np.float64)) * scale[:, None]
        error = np.square(restored - channels).sum(axis=1)
        chosen = np.where(error < best, shrink, chosen)
        best = np.minimum(error, best)
    return low * chosen, high * chosen
