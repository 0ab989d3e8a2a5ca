"""What the course promises of module 20, whoever wrote it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.olympics import (
    BenchmarkReport,
    OlympicEvent,
    SimpleMLP,
    generate_submission,
    qualifies_event,
    save_submission,
    validate_submission_schema,
)

INPUTS = np.random.default_rng(0).normal(size=(30, 10)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 3, 30)
FIGURES = {"parameter_count": 100, "latency_ms_std": 0.1, "throughput_samples_per_sec": 100.0}
GOOD = {"accuracy": 0.9, "latency_ms_median": 5.0, "model_size_mb": 2.0}


@pytest.fixture(scope="module")
def reports() -> list[BenchmarkReport]:
    made = [BenchmarkReport("large"), BenchmarkReport("small")]
    for report, width in zip(made, (400, 20), strict=True):
        report.benchmark_model(SimpleMLP(10, width, 3), Tensor(INPUTS), LABELS, num_runs=20)
    return made


def test_a_report_has_every_figure(reports: list[BenchmarkReport]) -> None:
    names = {"parameter_count", "model_size_mb", "accuracy", "latency_ms_mean", "latency_ms_std",
             "latency_ms_median", "throughput_samples_per_sec"}  # fmt: skip

    assert names <= {*reports[0].metrics}
    assert reports[0].metrics["parameter_count"] == 10 * 400 + 400 + 400 * 3 + 3
    assert reports[0].metrics["model_size_mb"] == pytest.approx(4 * 5603 / 2**20, rel=0.01)


def test_a_report_says_when_and_where_it_was_made() -> None:
    report = BenchmarkReport("new")

    assert report.timestamp
    assert {"platform", "python_version"} <= {*report.system_info}
    assert report.metrics == {}


def test_a_model_counts_its_parameters() -> None:
    assert SimpleMLP(10, 20, 3).count_parameters() == 10 * 20 + 20 + 20 * 3 + 3


class Knowing:
    """Says the class of whatever is greatest among the first three numbers; a millisecond for each sample."""

    def forward(self, x: Tensor) -> Tensor:
        end = time.perf_counter() + 0.001 * len(x.data)
        while time.perf_counter() < end:
            pass
        return Tensor(np.asarray(x.data)[:, :3])

    __call__ = forward

    def parameters(self) -> list[Tensor]:
        return [Tensor(np.zeros(7))]

    def count_parameters(self) -> int:
        return 7


@pytest.fixture(scope="module")
def known() -> dict[str, float]:
    labels = INPUTS[:, :3].argmax(axis=1)
    labels[:6] = (labels[:6] + 1) % 3
    report = BenchmarkReport("knowing")
    report.benchmark_model(Knowing(), Tensor(INPUTS), labels, num_runs=10)
    return report.metrics


def test_accuracy_is_the_share_of_right_answers(known: dict[str, float]) -> None:
    assert known["accuracy"] == pytest.approx(24 / 30)


def test_a_latency_is_that_of_one_sample(known: dict[str, float]) -> None:
    assert 1 <= known["latency_ms_mean"] < 10
    assert 1 <= known["latency_ms_median"] < 10


def test_times_have_a_spread(known: dict[str, float]) -> None:
    assert 0 < known["latency_ms_std"] < 10


def test_a_throughput_is_in_samples_a_second(known: dict[str, float]) -> None:
    assert 100 < known["throughput_samples_per_sec"] <= 1000


def test_a_submission_has_both_reports_and_what_was_gained(reports: list[BenchmarkReport]) -> None:
    submission = generate_submission(*reports, student_name="Ada", techniques_applied=["pruning"])

    assert validate_submission_schema(submission)
    assert submission["student_name"] == "Ada"
    assert submission["improvements"]["compression_ratio"] == pytest.approx(5603 / 283, rel=0.01)
    assert submission["optimized"]["techniques_applied"] == ["pruning"]


def test_what_was_gained_follows_from_both_reports() -> None:
    before, after = BenchmarkReport("before"), BenchmarkReport("after")
    before.metrics = {
        **FIGURES,
        "latency_ms_mean": 8.0,
        "latency_ms_median": 8.0,
        "accuracy": 0.9,
        "model_size_mb": 4.0,
    }
    after.metrics = {
        **FIGURES,
        "latency_ms_mean": 2.0,
        "latency_ms_median": 2.0,
        "accuracy": 0.85,
        "model_size_mb": 1.0,
    }
    gained = generate_submission(before, after)["improvements"]

    assert gained["speedup"] == pytest.approx(4)
    assert gained["compression_ratio"] == pytest.approx(4)
    assert gained["accuracy_delta"] == pytest.approx(-0.05)


def test_a_baseline_alone_is_a_submission(reports: list[BenchmarkReport], tmp_path: Path) -> None:
    submission = generate_submission(reports[0])
    save_submission(submission, str(tmp_path / "submission.json"))

    assert "optimized" not in submission
    assert json.loads((tmp_path / "submission.json").read_text())["baseline"]["model_name"] == "large"


@pytest.mark.parametrize("field", ["submission_type", "baseline", "system_info"])
def test_a_submission_without_a_part_is_refused(reports: list[BenchmarkReport], field: str) -> None:
    submission = generate_submission(reports[0])
    del submission[field]
    with pytest.raises(AssertionError):
        validate_submission_schema(submission)


RULES = {
    "latency_sprint": ("latency_sprint", {}, True),
    "latency_sprint with 85 %": ("latency_sprint", {"accuracy": 0.85}, True),
    "latency_sprint with 84 %": ("latency_sprint", {"accuracy": 0.84}, False),
    "memory_challenge with 85 %": ("memory_challenge", {"accuracy": 0.85}, True),
    "memory_challenge with 84 %": ("memory_challenge", {"accuracy": 0.84}, False),
    "accuracy_contest inside of both limits": (
        "accuracy_contest", {"latency_ms_median": 99.9, "model_size_mb": 9.99}, True
    ),
    "accuracy_contest in 100 ms": ("accuracy_contest", {"latency_ms_median": 100.0}, False),
    "accuracy_contest with 10 MiB": ("accuracy_contest", {"model_size_mb": 10.0}, False),
    "all_around with 10 %": ("all_around", {"accuracy": 0.1}, True),
    "extreme_push with 80 %": ("extreme_push", {"accuracy": 0.80}, True),
    "extreme_push with 79 %": ("extreme_push", {"accuracy": 0.79}, False),
}  # fmt: skip


@pytest.mark.parametrize(("event", "change", "qualifies"), RULES.values(), ids=RULES)
def test_an_event_has_its_rule(event: str, change: dict[str, float], qualifies: bool) -> None:
    assert qualifies_event({**GOOD, **change}, OlympicEvent(event)) is qualifies


IMPOSSIBLE = {
    "more than all are right": {"accuracy": 1.5},
    "fewer than none are right": {"accuracy": -0.1},
    "no accuracy": {"accuracy": float("nan")},
    "before it began": {"latency_ms_median": -1.0},
    "no time": {"latency_ms_median": float("nan")},
    "less than nothing": {"model_size_mb": -1.0},
}


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every implementation has words of its own
        qualifies_event({**GOOD, **change}, OlympicEvent.ALL_AROUND)


def test_what_was_not_measured_is_missing() -> None:
    with pytest.raises(KeyError):
        qualifies_event({"accuracy": 0.9}, OlympicEvent.ALL_AROUND)
