"""The metrics beside latency, each with what its figures follow from, and the model that they are of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tinytorch import units
from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.bits import pack_bits, unpack_bits
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metric import Estimated, Metric
from tinytorch.benchmarking.records.record import (
    Count,
    Fraction,
    Hexadecimal,
    Names,
    Positive,
    PositiveFloat,
    Record,
    Sha256,
    Text,
)
from tinytorch.benchmarking.records.samples import BlockNs, read_block, write_block
from tinytorch.benchmarking.records.work import Limits, Work
from tinytorch.marks import is_own

NAMES_BYTES = 4096  # of an artifact: names and shapes
LEAST_MB = units.megabytes(1)


class Memory(Estimated):
    """Megabytes (10^6 bytes) that a fresh process needs to keep the model; counted exactly, so without spread.

    That is the larger of what can be reached from it (`kept_bytes`) and its artifact without 4 kB of names, and the
    code of its own classes, compressed. Records made before schema 3.2 have no `code_bytes`, and count `kept_bytes`
    alone. `unseen` names the types that could not be looked into: then the model keeps at least so much.
    """

    unit: Literal["MB"] = "MB"
    mean: Annotated[float, Field(ge=0)]
    std: float | None = None
    ci_lower: float | None = None
    ci_upper: float | None = None
    kept_bytes: Count | None = None
    artifact_bytes: Positive | None = None
    code_bytes: Count | None = None
    peak_working_bytes: Count | None = None
    unseen: Annotated[list[Text], Field(max_length=100)] | None = None

    @classmethod
    def from_bytes(
        cls, kept_bytes: int, artifact_bytes: int | None = None, peak_working_bytes: int | None = None,
        unseen: Sequence[str] | None = None, code_bytes: int | None = 0,
    ) -> Self:  # fmt: skip
        """Derive the figures from counted bytes; a count has no error, so the interval is the count itself."""
        size = units.megabytes(_size_bytes(kept_bytes, artifact_bytes, code_bytes))
        return cls(
            mean=size, std=0.0, ci_lower=size, ci_upper=size,
            kept_bytes=kept_bytes, artifact_bytes=artifact_bytes, code_bytes=code_bytes,
            peak_working_bytes=peak_working_bytes, unseen=None if unseen is None else list(unseen),
        )  # fmt: skip

    @property
    def size_bytes(self) -> int | None:
        """What `mean` says in whole bytes; None where only that is known."""
        if self.kept_bytes is None:
            return None
        return _size_bytes(self.kept_bytes, self.artifact_bytes, self.code_bytes)

    @property
    def has_raw_samples(self) -> bool:
        """Whether the bytes were counted."""
        return self.kept_bytes is not None

    def recomputed(self) -> Self:
        """Derived again from the counted bytes."""
        if self.kept_bytes is None:
            return type(self)(mean=self.mean)
        return self.from_bytes(
            self.kept_bytes, self.artifact_bytes, self.peak_working_bytes, self.unseen, self.code_bytes
        )


def _size_bytes(kept_bytes: int, artifact_bytes: int | None, code_bytes: int | None) -> int:
    if code_bytes is None:
        return kept_bytes
    return max(kept_bytes, (artifact_bytes or 0) - NAMES_BYTES) + code_bytes


def compression_ratio(baseline: Memory, optimized: Memory) -> float:
    """Baseline size / optimized size; for that, one that keeps nothing has the size of one byte."""
    return max(baseline.mean, LEAST_MB) / max(optimized.mean, LEAST_MB)


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


class FreshAnswers(Record):
    """How many answers were right of those to inputs that were made after the model: nobody has seen them before."""

    correct: Count
    total: Positive
    bitmap: Hexadecimal

    @classmethod
    def from_correctness(cls, right: Sequence[bool]) -> Self:
        """Of one truth value for each answer."""
        return cls(correct=sum(map(bool, right)), total=len(right), bitmap=pack_bits(right))

    def right(self) -> list[bool]:
        """One truth value for each answer."""
        return unpack_bits(self.bitmap, self.total)

    @model_validator(mode="after")
    def _counts_its_bits(self) -> Self:
        if len(self.bitmap) != 2 * -(-self.total // 8) or sum(self.right()) != self.correct:
            raise ValueError(f"its bits are not those of {self.correct} right answers of {self.total}")
        return self


class ModelRecord(Record):
    """One model and its metrics. What is None is not known, or the metrics were given by hand.

    `backend` is the engine that runs it: numpy, or kernels that numba compiles, which makes up to a tenfold difference.
    `machine` is the best that all measuring processes saw of it, with reads as large as an inference's weights.
    """

    name: Text
    parameters: Count | None = None
    layer_kinds: Names | None = None
    backend: Literal["numpy", "numba"] | None = None
    artifact_sha256: Sha256 | None = None
    work: Work | None = None
    machine: Limits | None = None
    fresh_answers: FreshAnswers | None = None
    metrics: Metrics

    @property
    def whole_work(self) -> Work | None:
        """The counted work, where every layer is the framework's: what a class of one's own computes goes unseen."""
        is_whole = self.layer_kinds is not None and not any(map(is_own, self.layer_kinds))
        return self.work if is_whole else None
