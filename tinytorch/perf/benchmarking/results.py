"""What a measurement is told as: values with their mean, spread and interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, median, stdev
from typing import Any, overload

import numpy as np

from tinytorch.benchmarking.measure import CLOCK
from tinytorch.benchmarking.statistics import Interval, mean_estimate
from tinytorch.errors import UsageError

NANOSECONDS_PER_SECOND = 1e9

Directions = Sequence[bool] | None


@dataclass
class BenchmarkResult:
    """Values of one metric; the 95 % interval of their mean is Student's, and None for fewer than four of them.

    Figures are computed from the values when they are first asked for; a class derived from this one may set its own.
    """

    metric_name: str
    values: Sequence[float]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.values) or not np.isfinite(np.asarray(self.values, np.float64)).all():
            raise UsageError(f"{self.metric_name} needs at least one value, and all must be finite numbers")
        self.values = [float(value) for value in self.values]

    @cached_property
    def mean(self) -> float:
        """Their mean."""
        return fmean(self.values)

    @cached_property
    def std(self) -> float:
        """Their standard deviation, 0 for a single one."""
        return stdev(self.values) if self.count > 1 else 0.0

    @cached_property
    def median(self) -> float:
        """Their median."""
        return median(self.values)

    @cached_property
    def min_val(self) -> float:
        """The least."""
        return min(self.values)

    @cached_property
    def max_val(self) -> float:
        """The greatest."""
        return max(self.values)

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    @cached_property
    def ci_lower(self) -> float | None:
        """Where the interval begins."""
        found = self._interval()
        return found.lower if found else None

    @cached_property
    def ci_upper(self) -> float | None:
        """Where it ends."""
        found = self._interval()
        return found.upper if found else None

    def percentile(self, q: float) -> float:
        """The percentile `q` (0 to 100) of these values, interpolated; of few values it says little."""
        return float(np.percentile(self.values, q))

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        names = ("mean", "std", "median", "min_val", "max_val", "count", "ci_lower", "ci_upper")
        figures = {name: getattr(self, name) for name in names}
        return {
            "metric_name": self.metric_name, "values": list(self.values), **figures, "metadata": dict(self.metadata)
        }  # fmt: skip

    def _interval(self) -> Interval | None:
        """All of them the same is an interval too: there is no spread."""
        found = mean_estimate(self.values).interval
        return Interval(self.mean, self.mean) if found is None and self.count > 1 and not self.std else found


class Timer:
    """How long a block took: `elapsed` seconds, 0 until it is over."""

    elapsed = 0.0


@contextmanager
def precise_timer() -> Iterator[Timer]:
    """Times the block below it, once; for a figure that others may rely on, measure with a Benchmark."""
    timer, start = Timer(), CLOCK()
    try:
        yield timer
    finally:
        timer.elapsed = (CLOCK() - start) / NANOSECONDS_PER_SECOND


@overload
def pareto_frontier(
    points: Sequence[Sequence[float]], lower_is_better: Directions = None, *, minimize: Directions = None
) -> list[int]: ...
@overload
def pareto_frontier(
    points: Mapping[str, Sequence[float]], lower_is_better: Directions = None, *, minimize: Directions = None
) -> list[str]: ...
def pareto_frontier(
    points: Sequence[Sequence[float]] | Mapping[str, Sequence[float]],
    lower_is_better: Directions = None,
    *,
    minimize: Directions = None,
) -> list[int] | list[str]:
    """Those `points` that no other beats, nowhere worse and somewhere better: their numbers, or the names they have.

    `lower_is_better`, also called `minimize`, says so for each coordinate (default: for all of them).
    """
    if isinstance(points, Mapping):
        names = list(points)
        return [names[number] for number in pareto_frontier(list(points.values()), lower_is_better, minimize=minimize)]
    minimize = lower_is_better if minimize is None else minimize
    given = np.asarray(points, np.float64)
    if given.ndim != 2:
        raise UsageError(f"points must be a list of points with equally many coordinates, got shape {given.shape}")
    if np.isnan(given).any():
        wrong = int(np.argwhere(np.isnan(given))[0, 0])
        raise UsageError(f"points must be numbers, and number {wrong} has NaN", mend="leave out what was not measured")
    signs = np.where([True] * given.shape[1] if minimize is None else list(minimize), 1.0, -1.0)
    if signs.shape != (given.shape[1],):
        raise UsageError(f"minimize must have {given.shape[1]} values, one for each coordinate, got {signs.size}")
    costs = given * signs
    beaten = [bool(((costs <= cost).all(axis=1) & (costs < cost).any(axis=1)).any()) for cost in costs]
    return [number for number, is_beaten in enumerate(beaten) if not is_beaten]
