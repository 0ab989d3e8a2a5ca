"""The metrics of a model, each with the raw samples that its figures follow from."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from tinytorch import units
from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.bits import pack_bits, unpack_bits
from tinytorch.benchmarking.records.record import (
    Count,
    Fraction,
    Hexadecimal,
    Positive,
    PositiveFloat,
    Record,
    SessionId,
    Sha256,
    Text,
)
from tinytorch.benchmarking.records.samples import (
    BlockNs,
    SamplesNs,
    Times,
    read_block,
    read_samples,
    write_block,
    write_samples,
)


class Metric(Record):
    """A quantity: its `mean` in its `unit`, and where it was measured the raw samples that everything follows from."""

    if TYPE_CHECKING:  # fields of most metrics, derived in `Latency`

        @property
        def unit(self) -> str: ...
        @property
        def mean(self) -> float: ...

    @classmethod
    def given(cls, value: float) -> Self:
        """A number given by hand, in `unit`: nothing but that number is known."""
        return cls.model_validate({"mean": value})

    @property
    @abstractmethod
    def has_raw_samples(self) -> bool:
        """Whether every figure can be derived again."""

    @abstractmethod
    def recomputed(self) -> Self:
        """The record derived again from its raw samples; from a bare number nothing but that number follows."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({units.three_digits(self.mean)} {self.unit})"

    def __str__(self) -> str:
        return repr(self)


class Estimated(Metric):
    """A metric with its spread and the 95 % interval of its mean, None where they are not known."""

    if TYPE_CHECKING:

        @property
        def std(self) -> float | None: ...
        @property
        def ci_lower(self) -> float | None: ...
        @property
        def ci_upper(self) -> float | None: ...

    def __repr__(self) -> str:
        if self.ci_lower is None or self.ci_upper is None:
            return super().__repr__()
        interval = f"[{units.three_digits(self.ci_lower)}, {units.three_digits(self.ci_upper)}]"
        return f"{type(self).__name__}({units.three_digits(self.mean)} {self.unit} {interval})"


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


class Memory(Estimated):
    """Megabytes (10^6 bytes) that the model keeps between inferences; counted exactly, so without spread.

    `unseen` names the types that the count could not look into: then the model keeps at least so much. A model without
    any array or number keeps 0.
    """

    unit: Literal["MB"] = "MB"
    mean: Annotated[float, Field(ge=0)]
    std: float | None = None
    ci_lower: float | None = None
    ci_upper: float | None = None
    kept_bytes: Count | None = None
    artifact_bytes: Positive | None = None
    peak_working_bytes: Count | None = None
    unseen: Annotated[list[Text], Field(max_length=100)] | None = None

    @classmethod
    def from_bytes(
        cls, kept_bytes: int, artifact_bytes: int | None = None, peak_working_bytes: int | None = None,
        unseen: Sequence[str] | None = None,
    ) -> Self:  # fmt: skip
        """Derive the figures from counted bytes; a count has no error, so the interval is the count itself."""
        kept = units.megabytes(kept_bytes)
        return cls(
            mean=kept, std=0.0, ci_lower=kept, ci_upper=kept,
            kept_bytes=kept_bytes, artifact_bytes=artifact_bytes, peak_working_bytes=peak_working_bytes,
            unseen=None if unseen is None else list(unseen),
        )  # fmt: skip

    @property
    def has_raw_samples(self) -> bool:
        """Whether the bytes were counted."""
        return self.kept_bytes is not None

    def recomputed(self) -> Self:
        """Derived again from the counted bytes."""
        if self.kept_bytes is None:
            return type(self)(mean=self.mean)
        return self.from_bytes(self.kept_bytes, self.artifact_bytes, self.peak_working_bytes, self.unseen)


class Accuracy(Estimated):
    """Share of the test set that is right: integers, a bit per sample (first sample = highest bit), Wilson interval."""

    unit: Literal["fraction"] = "fraction"
    mean: Fraction
    std: float | None = None
    ci_lower: Fraction | None = None
    ci_upper: Fraction | None = None
    correct: Count | None = None
    total: Positive | None = None
    bitmap: Hexadecimal | None = None

    @classmethod
    def from_correctness(cls, right: Sequence[bool]) -> Self:
        """Derive the figures from one truth value per test sample."""
        correct, total = sum(map(bool, right)), len(right)
        interval = statistics.wilson_interval(correct, total)
        share = correct / total
        return cls(
            mean=share, std=math.sqrt(share * (1 - share)), ci_lower=interval.lower, ci_upper=interval.upper,
            correct=correct, total=total, bitmap=pack_bits(right),
        )  # fmt: skip

    @property
    def has_raw_samples(self) -> bool:
        """Whether it is known which samples were right."""
        return self.bitmap is not None

    def recomputed(self) -> Self:
        """Derived again from the bits."""
        right = self.right()
        return type(self)(mean=self.mean) if right is None else self.from_correctness(right)

    def right(self) -> list[bool] | None:
        """One truth value per test sample, or None when only the share is known."""
        return None if self.bitmap is None or self.total is None else unpack_bits(self.bitmap, self.total)


class Throughput(Metric):
    """Samples per second in one full batch: its own measurement, never 1 / latency."""

    unit: Literal["samples/s"] = "samples/s"
    mean: PositiveFloat
    batch_size: Positive
    samples_ns: BlockNs

    @classmethod
    def from_samples(cls, samples_ns: Sequence[int], batch_size: int) -> Self:
        """Derive from the times (nanoseconds) of single passes over a batch; the median pass counts."""
        return cls(
            mean=batch_size * 1e9 / median(samples_ns), batch_size=batch_size, samples_ns=write_block(samples_ns)
        )  # fmt: skip

    @property
    def times_ns(self) -> list[int]:
        """The raw times of single passes."""
        return read_block(self.samples_ns)

    @property
    def has_raw_samples(self) -> bool:
        """Always: a throughput cannot be given by hand."""
        return True

    def recomputed(self) -> Self:
        """Derived again from the times."""
        return self.from_samples(self.times_ns, self.batch_size)


METRIC_RECORDS: dict[str, type[Metric]] = {
    "latency": Latency, "memory": Memory, "accuracy": Accuracy, "throughput": Throughput,
}  # fmt: skip


class Metrics(Record):
    """What was measured of one model; None was not."""

    latency: Latency | None = None
    memory: Memory | None = None
    accuracy: Accuracy | None = None
    throughput: Throughput | None = None

    def measured(self) -> dict[str, Metric]:
        """The records that are there, by the metric's name."""
        return {name: record for name, record in self if record is not None}


class ModelRecord(Record):
    """One model and its metrics. What is None is not known, or the metrics were given by hand.

    `backend` is the engine that runs it: numpy, or kernels that numba compiles, which makes up to a tenfold difference.
    """

    name: Text
    parameters: Count | None = None
    layer_kinds: Annotated[list[Text], Field(max_length=10_000)] | None = None
    backend: Literal["numpy", "numba"] | None = None
    artifact_sha256: Sha256 | None = None
    metrics: Metrics
