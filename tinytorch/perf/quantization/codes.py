"""Codes: integers of 8 or 4 bits and what they stand for, `(code - zero_point) * scale`.

Jacob et al. 2018, section 2.1. One scale serves the whole weight, or each channel has its own (Krishnamoorthi 2018).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from tinytorch.core.arguments import is_whole
from tinytorch.core.compact import Codes, CompactWeight, looked_up, pack, unpack
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import check_finite
from tinytorch.errors import RangeError, UsageError
from tinytorch.text import nearest

FOUR_BITS = np.arange(-8, 8, dtype=np.float32)  # what codes of 4 bits stand for, as they are packed
SMALLEST_SCALE = np.finfo(np.float32).tiny  # of channels that are zero, or so near it that their scale would be
PERCENTILE = 99.9
SHRINKS = np.linspace(1.0, 0.4, 61)  # parts of the range that the least squared error is looked for in

Bits = Literal[8, 4]
Ranges = Literal["min-max", "percentile", "mse"]


class QuantizedWeight(CompactWeight):
    """A weight of `shape` as integer codes, with the `scale` of each channel along `axis`, or of all (1,).

    Codes of 8 bits are int8 in the weight's shape, of 4 bits uint8 (size / 2,), two to a byte. `zero_point` is None
    where zero is the code 0.
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
        if self.zero_point is not None or not (self.axis == 1 or self.scale.size == 1):
            return super().multiply(inputs)
        codes = self.codes.astype(np.float32) if self.bits == 8 else looked_up(self.codes, 4, FOUR_BITS, self.shape)
        outputs: Tensor = inputs @ codes * self.scale
        return outputs

    def readable(self) -> Codes:
        """Codes as they are."""
        return Codes(self.codes, None, self.bits, self.scale, self.zero_point, self.axis)

    def rows(self, index: Any) -> Array:
        """`dense()[index]`, of which only those rows are made."""
        if isinstance(index, tuple):
            return super().rows(index)
        return self._decoded(self.unpacked()[index], index)

    def unpacked(self) -> Array:
        """The codes as int8, in the weight's shape."""
        return self.codes if self.bits == 8 else unpack(self.codes, 4, self.shape).astype(np.int8) - np.int8(8)

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
) -> QuantizedWeight:
    """A weight as codes, each channel along `axis` with a scale of its own; None: one for all.

    `symmetric` codes reach as far below zero as above it, and leave the lowest code out, so that signs are treated
    alike; others shift zero to where the values lie. `ranges` says what the codes reach: the least and largest value;
    `percentile`, all but the outermost thousandth; `mse`, as far as gives the least squared error. Values beyond are
    cut off. Zero is always represented exactly. Raises UsageError for weights that are not finite, RangeError for an
    axis that is not there.
    """
    _check(weight, bits, ranges)
    axis = None if axis is None else _checked_axis(axis, weight.ndim)
    channels = _by_channel(weight, axis)
    low, high = _range(channels, ranges)
    if ranges == "mse":
        low, high = _least_error(channels, low, high, bits, symmetric)
    scale, zero_point = _steps(low, high, bits, symmetric)
    place = 0 if axis is None else axis
    codes = _codes(weight, along(scale, place, weight.ndim), along(zero_point, place, weight.ndim), bits, symmetric)
    packed = codes if bits == 8 else pack((codes + 8).astype(np.uint8), 4)
    return QuantizedWeight(packed, scale, None if symmetric else zero_point, place, weight.shape, bits)


def along(values: Array, axis: int, ndim: int) -> Array:
    """Values (channels,) so that they broadcast along an axis; a single one as it is."""
    return values if values.size == 1 else values.reshape([-1 if number == axis else 1 for number in range(ndim)])


def _check(weight: Array, bits: int, ranges: str) -> None:
    if not is_whole(bits) or bits not in get_args(Bits):
        raise UsageError(f"codes must have 8 or 4 bits, not {bits!r}")
    if ranges not in get_args(Ranges):
        raise UsageError(f"there are no ranges {ranges!r}", mend=nearest(ranges, get_args(Ranges)))
    check_finite(weight, "quantized")


def _checked_axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise RangeError(f"the axis of a weight of {ndim} axes must lie in {-ndim}..{ndim - 1}, not {axis}")
    return axis % ndim


def _by_channel(weight: Array, axis: int | None) -> Array:
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
    scale = np.maximum(width, SMALLEST_SCALE).astype(np.float32)
    zero_point = np.zeros(len(scale)) if symmetric else np.rint(bottom - low / scale)
    return scale, zero_point.clip(bottom, top).astype(np.int8)


def _codes(weight: Array, scale: Array, zero_point: Array, bits: int, symmetric: bool) -> Array:
    top, bottom = 2 ** (bits - 1) - 1, -(2 ** (bits - 1))
    nearest_codes = np.rint(weight / scale) + zero_point
    return nearest_codes.clip(-top if symmetric else bottom, top).astype(np.int8, order="C")


def _least_error(channels: Array, low: Array, high: Array, bits: int, symmetric: bool) -> tuple[Array, Array]:
    """For each channel the part of its range whose codes have the least squared error (Banner et al. 2019 cut so)."""
    best, chosen = np.full(len(channels), np.inf), np.ones(len(channels))
    for shrink in SHRINKS:
        scale, zero_point = _steps(low * shrink, high * shrink, bits, symmetric)
        codes = _codes(channels, scale[:, None], zero_point[:, None], bits, symmetric)
        restored = (codes - zero_point[:, None].astype(np.float64)) * scale[:, None]
        error = np.square(restored - channels).sum(axis=1)
        chosen = np.where(error < best, shrink, chosen)
        best = np.minimum(error, best)
    return low * chosen, high * chosen
