"""Frozen records of what was measured, and the numbers that follow from them.

Raw samples are kept (integer nanoseconds, one bit per test sample); every other number here is derived from
them by a `from_...` constructor, so that anybody can derive it again. What was not measured is None.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from itertools import chain
from statistics import median
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, FailFast, Field, StringConstraints
from typing_extensions import TypeAliasType

from tinytorch import units
from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.bits import pack_bits, unpack_bits

Hexadecimal = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})*$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]
BlockNs = Annotated[list[Positive], Field(min_length=1), FailFast()]
SamplesNs = TypeAliasType(  # [placement][block][sample]; the first wrong element ends the reading of a hostile file
    "SamplesNs", Annotated[list[Annotated[list[BlockNs], FailFast()]], FailFast()]
)


class Record(BaseModel):
    """Base of every record: strict, immutable, no unknown keys, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class Metric(Record):
    """A quantity: its `mean` in its `unit`, and where it was measured the raw samples that everything follows from."""

    unit: str
    mean: float

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

    std: float | None = None
    ci_lower: float | None = None
    ci_upper: float | None = None

    def __repr__(self) -> str:
        if self.ci_lower is None or self.ci_upper is None:
            return super().__repr__()
        interval = f"[{units.three_digits(self.ci_lower)}, {units.three_digits(self.ci_upper)}]"
        return f"{type(self).__name__}({units.three_digits(self.mean)} {self.unit} {interval})"


class Latency(Estimated):
    """Time of one inference of one sample, in milliseconds: the quiet time, and how long it typically took.

    `samples_ns[placement][block][sample]` is the time of `calls_per_sample` calls; `copies_per_unit` consecutive
    placements are one unit, and mean and interval are Student's over the units. Samples of one `session` were taken in
    interleaved block pairs, so that they may be compared pair by pair. Spread and percentiles are of single calls, and
    None where a sample is a batch of several. Only `mean` is there when the number was given by hand.
    """

    unit: Literal["ms"] = "ms"
    mean: Annotated[float, Field(gt=0)]
    typical: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    calls_per_sample: Positive | None = None
    copies_per_unit: Positive | None = None
    session: SessionId | None = None
    samples_ns: SamplesNs | None = None

    @classmethod
    def from_samples(
        cls, samples_ns: Sequence[Sequence[Sequence[int]]], calls_per_sample: int, copies_per_unit: int,
        session: str | None = None,
    ) -> Self:  # fmt: skip
        """Derive every figure from raw samples (nanoseconds for `calls_per_sample` calls)."""
        figures = cls._derived(samples_ns, calls_per_sample, copies_per_unit)
        samples = [list(map(list, blocks)) for blocks in samples_ns]
        return cls.model_validate({**figures, "session": session, "samples_ns": samples})

    @staticmethod
    def _derived(samples_ns: statistics.PlacementTimes, calls_per_sample: int, copies_per_unit: int) -> dict[str, Any]:
        scale = calls_per_sample * units.NANOSECONDS_PER_MILLISECOND
        times = statistics.block_times(samples_ns)
        estimate = statistics.mean_estimate([time / scale for time in statistics.unit_times(times, copies_per_unit)])
        calls = statistics.single_calls(samples_ns, calls_per_sample) / units.NANOSECONDS_PER_MILLISECOND
        return {
            "mean": estimate.mean,
            "typical": statistics.typical_time(list(chain.from_iterable(times))) / scale,
            "std": float(np.std(calls, ddof=1)) if len(calls) > 1 else None,
            "ci_lower": estimate.interval.lower if estimate.interval else None,
            "ci_upper": estimate.interval.upper if estimate.interval else None,
            "p50": statistics.percentile(calls, 0.50),
            "p90": statistics.percentile(calls, 0.90),
            "p99": statistics.percentile(calls, 0.99),
            "calls_per_sample": calls_per_sample,
            "copies_per_unit": copies_per_unit,
        }

    @property
    def has_raw_samples(self) -> bool:
        """Whether the times themselves are there."""
        return self.samples_ns is not None

    def recomputed(self) -> Self:
        """Derived again from the times."""
        if self.samples_ns is None:
            return type(self)(mean=self.mean)
        figures = self._derived(self.samples_ns, self.calls_per_sample or 1, self.copies_per_unit or 1)
        fresh = type(self).model_validate({**figures, "session": self.session})
        samples = {"samples_ns": self.samples_ns}  # as they are: to look through them again takes as long as all else
        return fresh.model_copy(update=samples)

    @property
    def unit_count(self) -> int:
        """How many units there are: processes, or sessions."""
        return len(self.samples_ns or ()) // (self.copies_per_unit or 1)


class Memory(Estimated):
    """Megabytes (10^6 bytes) that the model keeps between inferences; counted exactly, so without spread.

    `unseen` names the types that the count could not look into: then the model keeps at least so much. A model without
    any array or number keeps 0.
    """

    unit: Literal["MB"] = "MB"
    mean: Annotated[float, Field(ge=0)]
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
    mean: Annotated[float, Field(gt=0)]
    batch_size: Positive
    samples_ns: BlockNs

    @classmethod
    def from_samples(cls, samples_ns: Sequence[int], batch_size: int) -> Self:
        """Derive from the times (nanoseconds) of single passes over a batch; the median pass counts."""
        return cls(mean=batch_size * 1e9 / median(samples_ns), batch_size=batch_size, samples_ns=list(samples_ns))

    @property
    def has_raw_samples(self) -> bool:
        """Always: a throughput cannot be given by hand."""
        return True

    def recomputed(self) -> Self:
        """Derived again from the times."""
        return self.from_samples(self.samples_ns, self.batch_size)


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
    """One model and its metrics. Parameters, kinds and digest are None where only numbers were given."""

    name: Text
    parameters: Count | None = None
    layer_kinds: Annotated[list[Text], Field(max_length=10_000)] | None = None
    artifact_sha256: Sha256 | None = None
    metrics: Metrics


class Doubt(Record):
    """A reason to trust a measurement less: what was seen of the machine, and what to do about it."""

    code: Text
    evidence: Text
    advice: Text


class Protocol(Record):
    """How a run was measured: enough to repeat it.

    The last three are what one measuring thread could do at its best: the cost of a reading of the clock, reading from
    the nearest cache that holds a model of this size, and multiply-add arithmetic (two operations each).
    """

    tier: Text
    seed: int
    mode: Literal["worker processes", "this process"]
    sessions: Positive = 1
    processes: Positive
    copies: Positive
    visits: Positive
    block_pairs: Positive
    discarded_calls: Count
    timed_calls: Positive
    clock: Text
    clock_resolution_ns: Count
    threads: Positive | None
    started_at: AwareDatetime
    ended_at: AwareDatetime
    timer_overhead_ns: Count | None = None
    memory_bandwidth_bytes_per_s: Rate | None = None
    flops_per_s: Rate | None = None
    doubts: Annotated[list[Doubt], Field(max_length=20)] | None = None


class SystemInfo(Record):
    """The machine, without anything that names its owner."""

    cpu_model: Text | None
    physical_cores: Positive | None
    logical_cores: Positive | None
    memory_bytes: Positive
    operating_system: Text
    python: Text
    numpy: Text
    blas: Text | None
    blas_threads: Positive | None
    governor: Text | None = None
