"""Weight sharing: each weight is one of a few values of a codebook (Deep Compression, Han et al. 2016, section 3)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tinytorch.core.compact import Codes, CompactWeight, looked_up, pack, unpack
from tinytorch.core.ops import Array, Shape
from tinytorch.core.weights import check_finite, with_weights
from tinytorch.errors import UsageError

MOST_CLUSTERS = 256
MOST_ROUNDS = 300
WIDTHS = (1, 2, 4, 8)  # bits of a code


class SharedWeight(CompactWeight):
    """A weight of `shape` as a `codebook` of float32 values and, for each weight, the number of its value.

    Numbers take 1, 2, 4 or 8 bits, as many as the codebook needs.
    """

    fields = ("codebook", "codes", "bits", "shape")

    def __init__(self, codebook: Array, codes: Array, bits: int, shape: Shape) -> None:
        self.codebook, self.codes, self.bits, self.shape = codebook, codes, bits, shape

    def dense(self) -> Array:
        """The weight as float32."""
        return looked_up(self.codes, self.bits, self.codebook, self.shape)

    def readable(self) -> Codes:
        """Numbers of values, and the values."""
        return Codes(self.codes, self.codebook, self.bits)

    def rows(self, index: Any) -> Array:
        """`dense()[index]`, of which only those rows are made."""
        rows: Array = self.codebook[unpack(self.codes, self.bits, self.shape)[index]]
        return rows

    def __repr__(self) -> str:
        return f"SharedWeight({self.shape}, {len(self.codebook)} values)"


def share_weights(model: Any, *, clusters: int = 16, skip: Collection[str] = ()) -> Any:
    """A copy of `model`, of any class, in which each weight has at most `clusters` different values; for inference.

    The values of each Linear, Conv2d and embedding are clustered by themselves; zeros stay zeros. `skip` names layers
    that stay as they are. The values of sparse weights are shared, too. Raises UsageError for less than 2 clusters or
    more than 256, and for weights that are not finite.
    """
    if not 2 <= clusters <= MOST_CLUSTERS:
        raise UsageError(f"clusters must lie in 2..{MOST_CLUSTERS}, not {clusters}")
    return with_weights(model, lambda weight, axis: shared(np.asarray(weight.data), clusters), skip)


def shared(weight: Array, clusters: int) -> SharedWeight:
    """A weight with the values of a codebook."""
    check_finite(weight, "shared")
    values = weight.ravel()
    is_zero = values == 0
    has_zero = bool(is_zero.any()) and not is_zero.all()
    centres = cluster(values[~is_zero] if has_zero else values, clusters - has_zero)
    codes = _nearest(values, centres)
    if has_zero:
        codes = np.where(is_zero, 0, codes + 1)
        centres = np.concatenate([[0.0], centres])
    bits = next(width for width in WIDTHS if len(centres) <= 2**width)
    return SharedWeight(centres.astype(np.float32), pack(codes.astype(np.uint8), bits), bits, weight.shape)


def cluster(values: Array, count: int) -> Array:
    """At most `count` centres of values (N,), sorted: k-means in one dimension, from centres at equal distances.

    Lloyd's algorithm (1982); a centre that nobody is near to moves to the value that is farthest from its own. Equal
    distances find large weights, of which there are few (Han et al. 2016, section 3.2).
    """
    if not values.size:
        return np.zeros(1)
    ordered = np.sort(values.astype(np.float64))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centres = np.linspace(ordered[0], ordered[-1], count) if count > 1 else ordered.mean(keepdims=True)
    for _ in range(MOST_ROUNDS):
        ends = np.concatenate([[0], np.searchsorted(ordered, _borders(centres)), [len(ordered)]])
        is_used = np.diff(ends) > 0
        moved = centres.copy()
        moved[is_used] = np.diff(sums[ends])[is_used] / np.diff(ends)[is_used]
        if not is_used.all():
            moved = _with_one_moved(moved, is_used, ordered)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return np.unique(centres)


def _with_one_moved(centres: Array, is_used: Array, ordered: Array) -> Array:
    """One centre that nobody is near to is put on the value that is farthest from all; gone where all are met."""
    used = centres[is_used]
    distances = np.abs(ordered - used[_nearest(ordered, used)])
    if distances.max() == 0:
        return used
    others = centres[~is_used][1:]
    return np.sort(np.concatenate([used, others, [ordered[distances.argmax()]]]))


def _borders(centres: Array) -> Array:
    """Between which values belong to a centre."""
    borders: Array = (centres[1:] + centres[:-1]) / 2
    return borders


def _nearest(values: Array, centres: Array) -> Array:
    return np.searchsorted(_borders(centres), values)
