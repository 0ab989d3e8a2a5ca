"""Latency: every figure of it follows from the raw times."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tinytorch import units
from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.records.metric import Estimated
from tinytorch.benchmarking.records.record import Positive, PositiveFloat, SessionId
from tinytorch.benchmarking.records.samples import SamplesNs, Times, read_samples, write_samples


class Latency(Estimated):
    """Time of one inference of one sample, nanoseconds: the quiet time, and how long it typically took.

    `samples_ns` has the times of `calls_per_sample` calls each; `copies_per_unit` consecutive placements are one unit,
    and mean and interval are Student's over the units. Samples of one `session` were taken in interleaved block pairs,
    so that they may be compared pair by pair. Spread and percentiles are of single calls, and None where a sample is a
    batch of several. Only `mean_ns` is there when the number was given by hand.

    `mean`, `std`, `ci_lower` ... are the same figures in milliseconds, as the course has them.
    """

    mean_ns: PositiveFloat
    typical_ns: float | None = None
    std_ns: float | None = None
    ci_lower_ns: float | None = None
    ci_upper_ns: float | None = None
    p50_ns: float | None = None
    p90_ns: float | None = None
    p99_ns: float | None = None
    calls_per_sample: Positive | None = None
    copies_per_unit: Positive | None = None
    session: SessionId | None = None
    samples_ns: SamplesNs | None = None

    @classmethod
    def from_samples(
        cls, times_ns: ArrayLike, calls_per_sample: int, copies_per_unit: int, session: str | None = None
    ) -> Self:
        """Derive every figure from raw times [placement, block, sample] (nanoseconds for `calls_per_sample` calls)."""
        figures = cls._derived(np.asarray(times_ns), calls_per_sample, copies_per_unit)
        return cls.model_validate({**figures, "session": session, "samples_ns": write_samples(times_ns)})

    @classmethod
    def given(cls, value: float) -> Self:
        """Milliseconds that were given by hand."""
        return cls.model_validate({"mean_ns": value * units.NANOSECONDS_PER_MILLISECOND})

    @staticmethod
    def _derived(times_ns: Times, calls_per_sample: int, copies_per_unit: int) -> dict[str, Any]:
        times = statistics.block_times(times_ns)
        units_ns = [time / calls_per_sample for time in statistics.unit_times(times, copies_per_unit)]
        estimate = statistics.mean_estimate(units_ns)
        calls = statistics.single_calls(times_ns, calls_per_sample)
        return {
            "mean_ns": estimate.mean,
            "typical_ns": statistics.typical_time(times.ravel()) / calls_per_sample,
            "std_ns": float(np.std(calls, ddof=1)) if len(calls) > 1 else None,
            "ci_lower_ns": estimate.interval.lower if estimate.interval else None,
            "ci_upper_ns": estimate.interval.upper if estimate.interval else None,
            "p50_ns": statistics.percentile(calls, 0.50),
            "p90_ns": statistics.percentile(calls, 0.90),
            "p99_ns": statistics.percentile(calls, 0.99),
            "calls_per_sample": calls_per_sample,
            "copies_per_unit": copies_per_unit,
        }

    @cached_property
    def times_ns(self) -> Times | None:
        """The raw times [placement, block, sample]; None where only a number was given."""
        return None if self.samples_ns is None else read_samples(self.samples_ns)

    @cached_property
    def block_times_ns(self) -> statistics.Floats | None:
        """[placement, block] the median of each block's samples."""
        return None if self.times_ns is None else statistics.block_times(self.times_ns)

    @property
    def has_raw_samples(self) -> bool:
        """Whether the times themselves are there."""
        return self.samples_ns is not None

    def recomputed(self) -> Self:
        """Derived again from the times."""
        if self.times_ns is None:
            return type(self)(mean_ns=self.mean_ns)
        figures = self._derived(self.times_ns, self.calls_per_sample or 1, self.copies_per_unit or 1)
        return self.model_copy(update=figures)

    @property
    def unit_count(self) -> int:
        """How many units there are: processes, or sessions."""
        return len(self.samples_ns or ()) // (self.copies_per_unit or 1)

    @property
    def unit(self) -> str:
        """Of the figures without a unit in their name."""
        return units.UNITS["latency"]

    @property
    def mean(self) -> float:
        """Milliseconds, as all that follow."""
        return units.milliseconds(self.mean_ns)

    @property
    def typical(self) -> float | None:
        """What a call took as things were."""
        return _milliseconds(self.typical_ns)

    @property
    def std(self) -> float | None:
        """Of single calls."""
        return _milliseconds(self.std_ns)

    @property
    def ci_lower(self) -> float | None:
        """The lower end of the mean's 95 % interval."""
        return _milliseconds(self.ci_lower_ns)

    @property
    def ci_upper(self) -> float | None:
        """The upper end of the mean's 95 % interval."""
        return _milliseconds(self.ci_upper_ns)

    @property
    def p50(self) -> float | None:
        """Of single calls, as the two that follow."""
        return _milliseconds(self.p50_ns)

    @property
    def p90(self) -> float | None:
        """Needs 64 calls."""
        return _milliseconds(self.p90_ns)

    @property
    def p99(self) -> float | None:
        """Needs 662 calls."""
        return _milliseconds(self.p99_ns)


def _milliseconds(time_ns: float | None) -> float | None:
    return None if time_ns is None else units.milliseconds(time_ns)
