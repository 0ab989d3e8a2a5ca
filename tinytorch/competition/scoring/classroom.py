"""The curriculum's submission: its form, and what one report gained. It has no event and no raw samples."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tinytorch.competition.scoring.scores import calculate_normalized_scores
from tinytorch.showing import safe_text
from tinytorch.units import MEGABYTES_PER_MEBIBYTE

RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-6, 1e-12
GAINS = ("speedup", "compression_ratio", "accuracy_delta")

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False, protected_namespaces=())


class ReportMetrics(_Record):
    """A model's figures; sizes are MiB. Median, deviation and percentiles are None where they were not measured."""

    parameter_count: Annotated[int, Field(ge=0)]
    model_size_mb: NotNegative
    accuracy: Annotated[float, Field(ge=0, le=1)]
    latency_ms_mean: Positive
    latency_ms_median: Positive | None = None
    latency_ms_std: NotNegative | None = None
    latency_ms_p95: Positive | None = None
    latency_ms_p99: Positive | None = None
    throughput_samples_per_sec: Positive | None = None


class Section(_Record):
    """A model and its metrics."""

    model_name: str
    metrics: ReportMetrics


class Improvements(_Record):
    """What the optimized model gained; None where a size of nothing has no ratio."""

    speedup: float
    compression_ratio: float | None
    accuracy_delta: float


class ClassroomSubmission(_Record):
    """The whole document; improvements must follow from both metrics."""

    tinytorch_version: str
    submission_type: str
    timestamp: str
    system_info: dict[str, Any]
    baseline: Section
    optimized: Section | None = None
    improvements: Improvements | None = None
    student_name: str | None = None

    @model_validator(mode="after")
    def _follows(self) -> Self:
        if self.improvements is None:
            return self
        if self.optimized is None:
            raise ValueError("improvements need the optimized model that they are of")
        expected = improvements_of(self.baseline.metrics, self.optimized.metrics)
        for name in GAINS:
            told, follows = getattr(self.improvements, name), getattr(expected, name)
            if not _agree(told, follows):
                raise ValueError(f"{name} is {told}, and {follows} follows from the metrics")
        return self


def _agree(told: float | None, follows: float | None) -> bool:
    if told is None or follows is None:
        return told is follows
    return isclose(told, follows, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)


def improvements_of(baseline: ReportMetrics, optimized: ReportMetrics) -> Improvements:
    """Ratios of two reports: of their medians where both have one, else of their means."""
    has_medians = baseline.latency_ms_median is not None and optimized.latency_ms_median is not None
    first, second = (_values(metrics, has_medians) for metrics in (baseline, optimized))
    scores = calculate_normalized_scores(first, second)
    return Improvements.model_validate({name: scores[name] for name in GAINS})


def validate_submission_schema(submission: Mapping[str, Any]) -> bool:
    """True for what has the curriculum's form, otherwise AssertionError with the first thing that is wrong."""
    try:
        ClassroomSubmission.model_validate(submission)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "submission"
        raise AssertionError(safe_text(f"{place}: {first['msg']}")) from None
    return True


def _values(metrics: ReportMetrics, by_median: bool) -> dict[str, float | None]:
    latency = metrics.latency_ms_median if by_median else metrics.latency_ms_mean
    return {"latency": latency, "memory": metrics.model_size_mb * MEGABYTES_PER_MEBIBYTE, "accuracy": metrics.accuracy}
