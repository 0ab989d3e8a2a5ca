"""Pareto fronts: what nothing else beats in every respect (Pareto, Manuale di economia politica, 1906)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def front(points: Sequence[Sequence[float]]) -> list[int]:
    """The indices of the points that none other dominates: as good in every respect, better in one. More is better."""
    values = np.asarray(points, dtype=float)
    return [index for index, point in enumerate(values) if not _is_dominated(values, point)]


def _is_dominated(values: NDArray[np.float64], point: NDArray[np.float64]) -> bool:
    return bool(((values >= point).all(axis=1) & (values > point).any(axis=1)).any())
