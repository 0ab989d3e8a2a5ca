"""Scores: the worked example, records, missing metrics and numbers that cannot be."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.benchmarking.benchmark import BenchmarkResults
from tinytorch.benchmarking.comparison import compare_metrics
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, Memory
from tinytorch.competition import calculate_normalized_scores
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import former_rules, load_rules
from tinytorch.competition.scoring.scores import (
    MeasuredResults,
    compared,
    compute_scores,
    paired_models,
    speedup_across_sessions,
)
from tinytorch.errors import UsageError

BASELINE = {"latency": 100.0, "memory": 12.0, "accuracy": 0.85}
OPTIMIZED = {"latency": 40.0, "memory": 3.0, "accuracy": 0.83}
POSITIVE = st.floats(min_value=1e-6, max_value=1e6)
SHARE = st.floats(min_value=0, max_value=1)
NUMBERS = st.fixed_dictionaries({"latency": POSITIVE, "memory": POSITIVE, "accuracy": SHARE})


@pytest.mark.parametrize(("empty", "ratio"), [("baseline", 1 / 3_000_000), ("optimized", 12_000_000)])
def test_a_model_that_keeps_nothing_has_the_size_of_one_byte(empty: str, ratio: float) -> None:
    results = {"baseline": BASELINE, "optimized": OPTIMIZED}
    results[empty] = {**results[empty], "memory": Memory.from_bytes(0)}

    assert calculate_normalized_scores(**{f"{who}_results": each for who, each in results.items()})[
        "compression_ratio"
    ] == pytest.approx(ratio)


def test_the_worked_example() -> None:
    """The example that the design page promises."""
    scores = calculate_normalized_scores(baseline_results=BASELINE, optimized_results=OPTIMIZED)

    assert scores == pytest.approx(
        {
            "speedup": 2.5,
            "compression_ratio": 4.0,
            "accuracy_delta": -0.02,
            "accuracy_factor": 0.25,
            "all_around": (2.5 * 4.0 * 0.25) ** (1 / 3),
            "extreme_push": 10.0,
        }
    )


@given(NUMBERS, NUMBERS)
def test_swapping_the_models_inverts_every_score(first: dict[str, float], second: dict[str, float]) -> None:
    """Ratios become their inverse, the difference its negative."""
    there = calculate_normalized_scores(first, second)
    back = calculate_normalized_scores(second, first)

    for name, value in there.items():
        other = back[name]
        assert value is not None
        assert other is not None
        assert math.isclose(value, -other if name == "accuracy_delta" else 1 / other, rel_tol=1e-9, abs_tol=1e-15)


@given(NUMBERS)
def test_a_model_against_itself_scores_one(numbers: dict[str, float]) -> None:
    """No change is no score."""
    scores = calculate_normalized_scores(numbers, numbers)

    assert scores.pop("accuracy_delta") == 0
    assert list(scores.values()) == pytest.approx([1.0] * 5)


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ("latency", {"speedup", "all_around", "extreme_push"}),
        ("memory", {"compression_ratio", "all_around", "extreme_push"}),
        ("accuracy", {"accuracy_delta", "accuracy_factor", "all_around"}),
    ],
)
def test_a_missing_metric_takes_only_its_own_scores_along(missing: str, lost: set[str]) -> None:
    """What was not measured is None, and so is what needs it."""
    partial = {metric: value for metric, value in OPTIMIZED.items() if metric != missing}
    scores = calculate_normalized_scores(BASELINE, partial)

    assert {name for name, value in scores.items() if value is None} == lost


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("latency", 0, "optimized latency is 0"),
        ("latency", -3.0, "optimized latency is -3"),
        ("memory", math.nan, "optimized memory is nan"),
        ("memory", math.inf, "optimized memory is inf"),
        ("memory", 10**400, "optimized memory is inf"),
        ("latency", True, "must be a number, got bool"),
        ("latency", "40", "must be a number, got str"),
        ("accuracy", 85, "from 0 to 1"),
        ("accuracy", -0.1, "from 0 to 1"),
        ("throughput", 5.0, "Throughput record"),
        ("latency", Memory(mean=3.0), "Latency record, got Memory"),
        ("latncy", 40.0, "unknown metric 'latncy'"),
    ],
)
def test_impossible_numbers_are_refused(metric: str, value: Any, words: str) -> None:
    """The message names the value."""
    with pytest.raises(UsageError, match=words):
        calculate_normalized_scores(BASELINE, {**OPTIMIZED, metric: value})


def test_a_percentage_is_mended_by_the_message() -> None:
    """85 was meant as 0.85."""
    with pytest.raises(UsageError) as caught:
        calculate_normalized_scores({**BASELINE, "accuracy": 85}, OPTIMIZED)

    assert caught.value.mend == "write 0.85 for 85 %"


def test_results_must_be_a_mapping() -> None:
    """A list of numbers says nothing about what they measure."""
    with pytest.raises(UsageError, match="baseline results must be a mapping"):
        calculate_normalized_scores([100.0], OPTIMIZED)  # type: ignore[arg-type]


def test_records_and_numbers_may_be_mixed() -> None:
    """A record counts with its mean."""
    scores = calculate_normalized_scores({"latency": Latency.given(10.0)}, {"latency": 4.0})

    assert scores["speedup"] == 2.5


def test_paired_records_give_the_paired_speedup(run: Run) -> None:
    """Samples of one session are compared pair by pair, not mean by mean."""
    first, second = run.baseline.metrics.latency, run.optimized.metrics.latency
    assert first is not None
    assert second is not None
    speedup = calculate_normalized_scores({"latency": first}, {"latency": second})["speedup"]

    assert speedup == pytest.approx(5.0, rel=0.02)
    assert speedup != first.mean / second.mean


def results(run: Run, other_origin: str = "one") -> tuple[BenchmarkResults, BenchmarkResults]:
    """Baseline measured alone, and optimized interleaved with the baseline, by one benchmark or by another."""
    alone = run.baseline.model_copy(update={"metrics": run.optimized.metrics})
    interleaved = BenchmarkResults(run.baseline, run.protocol, run.system_info, other_origin)
    return (
        BenchmarkResults(alone, run.protocol, run.system_info, "one"),
        BenchmarkResults(run.optimized, run.protocol, run.system_info, other_origin, interleaved),
    )


def test_benchmark_results_are_measured_results(run: Run) -> None:
    """The Benchmark's results carry what pairing needs."""
    assert all(isinstance(result, MeasuredResults) for result in results(run))


def test_the_interleaved_partner_stands_for_the_baseline(run: Run) -> None:
    """The baseline as measured beside the optimized model is the fair one."""
    assert paired_models(*results(run)) == (run.baseline, run.optimized)


def test_the_partner_of_another_benchmark_does_not(run: Run) -> None:
    """The baseline that was given counts, however alike the other one is."""
    baseline, _ = paired_models(*results(run, "another"))

    assert baseline.metrics == run.optimized.metrics


def test_a_speedup_s_interval_is_one_over_many_sessions(run: Run) -> None:
    """Beside its own error there are the spread from session to session and what the machine may have done."""
    found = compared(run).speedup
    across = speedup_across_sessions(found, 1)
    own = compare_metrics(run.baseline.metrics, run.optimized.metrics).speedup

    assert (across.lower, across.upper) == pytest.approx((found.ci_lower, found.ci_upper))
    assert across.lower < own.ci_lower / 1.09 < own.ci_upper < across.upper


def test_a_run_of_several_sessions_has_seen_their_spread(run: Run) -> None:
    one, several = (speedup_across_sessions(compared(run).speedup, sessions) for sessions in (1, 2))

    assert one.lower < several.lower < several.upper < one.upper


def of_task(task: str, accuracy: float, run: Run) -> Run:
    """The same run of a task, with another accuracy of the optimized model."""
    metrics = run.optimized.metrics.model_copy(update={"accuracy": Accuracy.given(accuracy)})
    named = run.task.model_copy(update={"name": task})
    return run.model_copy(update={"task": named, "optimized": run.optimized.model_copy(update={"metrics": metrics})})


@pytest.mark.parametrize(("points", "factor"), [(0, 1.0), (1, 2.0), (-1, 0.5), (-10, 2.0**-10)])
def test_a_point_of_accuracy_is_worth_a_factor_of_two(points: float, factor: float, run: Run) -> None:
    """Counted from the task's constant, whatever the baseline had in this run."""
    reference = load_rules().reference_accuracy["fashion_mlp"]
    scores = compute_scores(of_task("fashion_mlp", reference + points / 100, run))

    assert scores.accuracy_factor == pytest.approx(factor)


def test_on_a_task_that_the_rules_do_not_know_points_are_counted_from_the_baseline(run: Run) -> None:
    scores = compute_scores(of_task("mine", run.baseline.metrics.accuracy.mean - 0.01, run))

    assert scores.accuracy_factor == pytest.approx(0.5)


def test_by_former_rules_accuracy_is_worth_the_ratio_of_errors(run: Run) -> None:
    scores = compute_scores(of_task("digits_mlp", 1.0, run), former_rules("1.1"))

    assert scores.accuracy_factor == pytest.approx((1 - run.baseline.metrics.accuracy.mean + 0.005) / 0.005)
