"""The capstone's stages, on the real task with real training, real workers and real statistics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinytorch.benchmarking import Benchmark
from tinytorch.benchmarking.comparison import compare_accuracy, compare_latency
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.session import Settings
from tinytorch.competition import OlympicEvent, calculate_normalized_scores
from tinytorch.competition.checks.validation import validate_submission
from tinytorch.competition.record.run import Run
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.models import load_model
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import apply

pytestmark = pytest.mark.filterwarnings("ignore:.*measuring will take about")  # where the machine is busy
TASK = find_task("digits_mlp")
SHORT = Tier("test", 100_000_000, processes=4, copies=2)


@pytest.fixture(scope="module", params=list(OlympicEvent))
def event_run(request: pytest.FixtureRequest, cache_directory: Path) -> tuple[OlympicEvent, Run]:
    """One run of each event's reference strategy."""
    run = run_competition(
        Challenge(
            TASK,
            Contender.reference(TASK.strategy(request.param.value)),
            Settings(SHORT),
            cache_directory=cache_directory,
        )
    )
    return request.param, run


def test_baseline_establishment(cache_directory: Path) -> None:
    """The baseline is trained, accurate, 12.9 MB, and measured with intervals around every metric."""
    model = load_model(str(cached_baseline(TASK, directory=cache_directory).path))
    _, test = TASK.load_data()
    results = Benchmark([model], [(test.inputs, test.labels)], ["latency", "memory", "accuracy"], tier=SHORT).run()

    assert results["accuracy"].mean >= 0.97
    assert results["memory"].mean == pytest.approx(12.9, abs=0.05)
    assert 0 < results["latency"].ci_lower < results["latency"].mean < results["latency"].ci_upper


def test_optimization_pipeline(event_run: tuple[OlympicEvent, Run]) -> None:
    """Each event's strategy is smaller, scores, qualifies in the closed division, and validates."""
    event, run = event_run
    scores = calculate_normalized_scores(_metrics(run, "baseline"), _metrics(run, "optimized"))
    document = submission_from_run(run, event=event, athlete_name="Ada", division="closed")
    verdict = validate_submission(document)

    assert verdict["valid"], verdict["issues"]
    if event is OlympicEvent.ACCURACY_CONTEST:
        assert run.baseline.metrics.memory.mean > 10 > run.optimized.metrics.memory.mean
        assert compare_accuracy(run.baseline.metrics.accuracy, run.optimized.metrics.accuracy).verdict != "worse"
    else:
        ranked_by = {"latency_sprint": "speedup", "memory_challenge": "compression_ratio"}.get(event, event.value)
        assert scores[ranked_by] > 0
        assert scores["compression_ratio"] > 1


def test_int8_alone_is_four_times_smaller_and_its_time_is_shown(cache_directory: Path) -> None:
    """In plain numpy the weights must be turned into floats at every call, whatever that costs here."""
    run = run_competition(
        Challenge(TASK, Contender.reference(TASK.strategy("int8")), Settings(SHORT), cache_directory=cache_directory)
    )
    speedup = compare_latency(run.baseline.metrics.latency, run.optimized.metrics.latency)

    assert run.baseline.metrics.memory.mean / run.optimized.metrics.memory.mean == pytest.approx(4, abs=0.05)
    assert speedup.ci_lower < speedup.estimate < speedup.ci_upper


def test_statistical_significance(cache_directory: Path) -> None:
    """Every comparison has its interval, p-value and the verdict that follows; simulations hold that they are right."""
    model = load_model(str(cached_baseline(TASK, directory=cache_directory).path))
    smaller = apply(TASK.strategy("accuracy_contest").steps, model, TASK.load_data()[0])
    _, test = TASK.load_data()
    benchmark = Benchmark([model], [(test.inputs, test.labels)], ["latency"], tier=SHORT)
    faster = benchmark.compare(model, smaller).speedup
    same = benchmark.compare(model, model).speedup

    for found in (faster, same):
        assert found.ci_lower <= found.estimate <= found.ci_upper
        assert (found.verdict == "no detectable difference") == (found.p_value >= 0.05)
        assert (found.verdict == "better") == (found.p_value < 0.05 and found.estimate > 1)
    assert len(faster.log_ratios) == SHORT.processes


def test_runs_measured_one_after_the_other_have_no_p_value(cache_directory: Path) -> None:
    model = load_model(str(cached_baseline(TASK, directory=cache_directory).path))
    _, test = TASK.load_data()
    tier = replace(SHORT, processes=1)
    first, second = (Benchmark([model], [(test.inputs, test.labels)], ["latency"], tier=tier).run() for _ in range(2))

    assert compare_latency(first["latency"], second["latency"]).p_value is None


def _metrics(run: Run, which: str) -> dict[str, object]:
    metrics = getattr(run, which).metrics
    return {"latency": metrics.latency, "memory": metrics.memory, "accuracy": metrics.accuracy}
