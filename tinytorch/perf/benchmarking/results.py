"""What a measurement is told as: values with their mean, spread and interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, stdev
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.measure import CLOCK
from tinytorch.benchmarking.statistics import Interval, mean_estimate, mean_of
from tinytorch.errors import UsageError

NANOSECONDS_PER_SECOND = 1e9

Directions = Sequence[bool] | None


class Figure:
    """What is computed of a result each time that it is asked for, unless somebody has set it to something else."""

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, result: Any, kind: type) -> Any:
        return self if result is None else self._compute(result)


@dataclass
class BenchmarkResult:
    """Values of one metric; the 95 % interval of their mean is Student's, and None for fewer than four of them.

    Figures follow from the values as they are; a class derived from this one may set its own.
    """

    metric_name: str
    values: Sequence[float]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.values) or not np.isfinite(np.asarray(self.values, np.float64)).all():
            raise UsageError(f"{self.metric_name} needs at least one value, and all must be finite numbers")
        self.values = [float(value) for value in self.values]

    @Figure
    def mean(self) -> float:
        """Their mean."""
        return mean_of(self.values)

    @Figure
    def std(self) -> float:
        """Their standard deviation, 0 for a single one."""
        return stdev(self.values) if self.count > 1 else 0.0

    @Figure
    def median(self) -> float:
        """Their median."""
        return median(self.values)

    @Figure
    def min_val(self) -> float:
        """The least."""
        return min(self.values)

    @Figure
    def max_val(self) -> float:
        """The greatest."""
        return max(self.values)

    @Figure
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    @Figure
    def ci_lower(self) -> float | None:
        """Where the interval begins."""
        found = self._interval()
        return found.lower if found else None

    @Figure
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
    names = list(points) if isinstance(points, Mapping) else list(range(len(points)))
    costs = _costs(list(points.values()) if isinstance(points, Mapping) else points, names, lower_is_better, minimize)
    beaten = [bool(((costs <= cost).all(axis=1) & (costs < cost).any(axis=1)).any()) for cost in costs]
    return [name for name, is_beaten in zip(names, beaten, strict=True) if not is_beaten]  # type: ignore[return-value]


def _costs(
    points: Sequence[Sequence[float]], names: Sequence[object], lower_is_better: Directions, minimize: Directions
) -> NDArray[np.float64]:
    """Coordinates of which less is always better; UsageError for what are no points, or no directions."""
    if lower_is_better is not None and minimize is not None:
        raise UsageError("lower_is_better and minimize are two names for one thing", mend="give one of them")
    try:
        given = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        given = np.empty(0)
    if given.ndim != 2 or not given.size:
        raise UsageError("points must be lists of numbers, at least one, and all with equally many coordinates")
    if np.isnan(given).any():
        wrong = names[int(np.argwhere(np.isnan(given))[0, 0])]
        raise UsageError(f"points must be numbers, and point {wrong!r} has NaN", mend="leave out what was not measured")
    directions = lower_is_better if minimize is None else minimize
    wanted = [True] * given.shape[1] if directions is None else directions
    is_each = isinstance(wanted, Sequence) and all(isinstance(each, (bool, np.bool_)) for each in wanted)
    if not is_each or len(wanted) != given.shape[1]:
        mend = f"give {given.shape[1]} of them, one for each coordinate"
        raise UsageError(f"minimize must say True or False for each coordinate, got {wanted!r}", mend=mend)
    return given * np.where(wanted, 1.0, -1.0)
