"""The curriculum's names for module 20: every figure measured, by our rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinytorch import olympics
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.olympics import (
    BenchmarkReport,
    SimpleMLP,
    generate_submission,
    qualifies_event,
    validate_submission_schema,
)

INPUTS = np.random.default_rng(0).normal(size=(40, 10)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 3, 40)
GOOD = {"accuracy": 0.9, "latency_ms_median": 5.0, "model_size_mb": 2.0}


@pytest.fixture(scope="module")
def report() -> BenchmarkReport:
    made = BenchmarkReport("mlp")
    made.benchmark_model(SimpleMLP(), INPUTS, LABELS, num_runs=10)
    return made


def test_percentiles_are_of_single_calls_and_there_are_enough(report: BenchmarkReport) -> None:
    figures = report.metrics

    assert 0 < figures["latency_ms_median"] <= figures["latency_ms_p95"] <= figures["latency_ms_p99"]
    assert figures["latency_ms_std"] > 0
    assert figures["latency_ms_mean"] > 0


def test_a_slow_model_has_no_percentile_that_few_calls_cannot_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(olympics, "SINGLE_CALLS_BUDGET_NS", 0)
    calls = olympics._single_calls_ms(SimpleMLP(), INPUTS, runs=20)
    figures = olympics._latency_figures(1.0, calls)

    assert len(calls) == 20
    assert (figures["latency_ms_p95"], figures["latency_ms_p99"]) == (None, None)


class Plain:
    """A class of a student's own, with tensors that nobody said are to be trained."""

    def __init__(self) -> None:
        self.weight, self.bias = Tensor(np.ones((10, 3))), Tensor(np.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


def test_a_report_of_what_cannot_be_is_no_submission(report: BenchmarkReport) -> None:
    other = BenchmarkReport("other")
    other.metrics = {**report.metrics, "latency_ms_mean": 0.0}
    with pytest.raises(UsageError, match=r"latency_ms_mean of other must be what was measured, got 0\.0"):
        generate_submission(report, other)


def test_what_is_no_json_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written as JSON"):
        olympics.save_submission({"x": float("nan")}, tmp_path / "s.json")

    assert list(tmp_path.iterdir()) == []


def test_the_tensors_of_a_plain_class_are_counted() -> None:
    assert BenchmarkReport().benchmark_model(Plain(), INPUTS, LABELS, num_runs=1)["parameter_count"] == 33


def test_the_right_answers_are_counted(report: BenchmarkReport) -> None:
    assert 0 <= report.metrics["accuracy"] <= 1
    assert report.measure_memory(SimpleMLP(), INPUTS) * 2**20 == 4 * 283


def test_latency_alone_needs_no_labels(report: BenchmarkReport) -> None:
    assert {*report.measure_latency(SimpleMLP(), INPUTS, num_runs=2)} < {*report.metrics}


def test_the_limit_of_memory_is_ten_of_the_report_s_own_unit() -> None:
    almost, over = ({**GOOD, "model_size_mb": size} for size in (9.999, 10))

    assert qualifies_event(almost, "accuracy_contest")
    assert not qualifies_event(over, "accuracy_contest")


@pytest.mark.parametrize("labels", [[0, 3] * 20, [0, -1] * 20])
def test_a_label_without_a_score_is_refused(labels: list[int]) -> None:
    made = BenchmarkReport()
    with pytest.raises(UsageError, match="the model scores 3 classes"):
        made.benchmark_model(SimpleMLP(), INPUTS, labels)

    assert made.metrics == {}


METRICS = {"parameter_count": 10, "model_size_mb": 2.0, "accuracy": 0.8, "latency_ms_mean": 4.0}


def compared(**medians: float) -> dict[str, Any]:
    """A submission of two reports, the second with half of everything."""
    made = [BenchmarkReport(name) for name in ("large", "small")]
    made[0].metrics = {**METRICS, **medians}
    made[1].metrics = {**METRICS, "model_size_mb": 1.0, "latency_ms_mean": 2.0, "accuracy": 0.75,
                       **{name: value / 3 for name, value in medians.items()}}  # fmt: skip
    return generate_submission(*made)


@pytest.mark.parametrize(("medians", "speedup"), [({}, 2), ({"latency_ms_median": 3.0}, 3)])
def test_what_was_gained_is_of_medians_where_there_are_some(medians: dict[str, float], speedup: float) -> None:
    submission = compared(**medians)

    assert submission["improvements"]["speedup"] == pytest.approx(speedup)
    assert validate_submission_schema(submission)


def test_a_gain_of_nothing_is_one_that_follows() -> None:
    """Both models have as many answers right."""
    baseline, optimized = BenchmarkReport("baseline"), BenchmarkReport("optimized")
    baseline.metrics, optimized.metrics = {**METRICS}, {**METRICS}
    submission = generate_submission(baseline, optimized)

    assert submission["improvements"]["accuracy_delta"] == 0
    assert validate_submission_schema(submission)


def test_a_gain_that_is_off_by_an_answer_does_not_follow() -> None:
    submission = compared()
    submission["improvements"]["accuracy_delta"] += 0.001
    with pytest.raises(AssertionError, match="follows from the metrics"):
        validate_submission_schema(submission)


@pytest.mark.parametrize("gain", ["speedup", "compression_ratio", "accuracy_delta"])
@pytest.mark.parametrize("value", ["fabricated", float("nan"), True, 123.0, None])
def test_gains_that_do_not_follow_have_no_valid_form(gain: str, value: object) -> None:
    submission = compared()
    submission["improvements"][gain] = value
    with pytest.raises(AssertionError):
        validate_submission_schema(submission)


def test_gains_need_the_model_that_they_are_of() -> None:
    submission = compared()
    del submission["optimized"]
    with pytest.raises(AssertionError, match="optimized model"):
        validate_submission_schema(submission)


@pytest.mark.parametrize(
    "change",
    [{"accuracy": 2}, {"latency_ms_median": 0}, {"latency_ms_median": float("nan")}, {"model_size_mb": -1},
     {"model_size_mb": 0}],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        qualifies_event({**GOOD, **change}, "all_around")


def test_an_unknown_event_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown event") as caught:
        qualifies_event(GOOD, "all_arond")

    assert "all_around" in caught.value.mend


def test_an_empty_report_makes_no_submission() -> None:
    with pytest.raises(UsageError, match="has no metrics"):
        generate_submission(BenchmarkReport())


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("accuracy", 1.5),
        ("model_size_mb", -1),
        ("latency_ms_mean", -0.1),
        ("parameter_count", -2),
        ("accuracy", True),
        ("parameter_count", 1.5),
        ("latency_ms_std", float("inf")),
        ("throughput_samples_per_sec", "fast"),
    ],
)
def test_impossible_figures_have_no_valid_form(report: BenchmarkReport, part: str, value: float) -> None:
    submission = generate_submission(report)
    submission["baseline"]["metrics"][part] = value
    with pytest.raises(AssertionError, match=part):
        validate_submission_schema(submission)


def test_the_names_are_the_curriculum_s() -> None:
    assert {*olympics.__all__} <= {*vars(olympics)}
