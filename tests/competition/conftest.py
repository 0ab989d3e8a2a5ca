"""Synthetic measurements from a seed: what a run of 6 processes with a copy each could have seen."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from numpy.typing import ArrayLike
from pydantic import ValidationError

from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, FreshAnswers, Memory, Metrics, ModelRecord, Throughput
from tinytorch.benchmarking.records.samples import Times, read_samples, write_samples
from tinytorch.benchmarking.records.session import Protocol, ReferenceTimes, SystemInfo, YardstickTimes
from tinytorch.competition.record.declaration import Provenance
from tinytorch.competition.record.run import Run, SourceRecord, TaskRecord
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.tasks import facts_of
from tinytorch.competition.scoring.disturbance import quiet_times
from tinytorch.competition.scoring.packaging import submission_from_run

STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FACTS = facts_of("digits_mlp")
TEST_SAMPLES = FACTS.test_samples
SESSION = "0123456789abcdef"
PROCESSES, COPIES, VISITS, BLOCK_PAIRS, TIMED = 6, 1, 1, 4, 8
YARDSTICK_NS = 60_000  # of a sample, of four calls

Mutate = Callable[[dict[str, Any]], None]


def sampled_times(seed: int, typical_ns: float, visits: int = VISITS) -> list[list[list[int]]]:
    """[placement][block][sample] around `typical_ns`."""
    generator = random.Random(seed)

    def sample() -> int:
        return max(1, round(generator.gauss(typical_ns, typical_ns * 0.02)))

    placements, blocks = range(PROCESSES * COPIES), range(visits * BLOCK_PAIRS)
    return [[[sample() for _ in range(TIMED)] for _ in blocks] for _ in placements]


def fresh(correct: int, total: int) -> FreshAnswers:
    """So many right answers to new inputs, the first ones."""
    return FreshAnswers.from_correctness([index < correct for index in range(total)])


def model_record(
    name: str, seed: int, typical_ns: int, kept_bytes: int, correct: int, total: int = TEST_SAMPLES
) -> ModelRecord:
    """A model with every metric measured."""
    return ModelRecord(
        name=name,
        parameters=kept_bytes // 4,
        layer_kinds=FACTS.layer_kinds,
        artifact_sha256=f"{seed:064x}",
        fresh_answers=fresh(round(90 * correct / total), 90),
        metrics=Metrics(
            latency=Latency.from_samples(sampled_times(seed, typical_ns), 1, COPIES, SESSION),
            memory=Memory.from_bytes(kept_bytes, kept_bytes + 500, 10_000, []),
            accuracy=Accuracy.from_correctness([index < correct for index in range(total)]),
            throughput=Throughput.from_samples([typical_ns * 20, typical_ns * 21], total),
        ),
    )


def yardstick_times(visits: int = VISITS, slowdown: float = 1.0) -> YardstickTimes:
    """A block of each placement in every visit."""
    blocks = [placement[:visits] for placement in sampled_times(3, YARDSTICK_NS * slowdown, visits)]
    return YardstickTimes(version=1, calls_per_sample=4, samples_ns=write_samples(blocks))


def protocol() -> Protocol:
    return Protocol(
        tier="fast", seed=0, mode="worker processes", processes=PROCESSES, copies=COPIES, visits=VISITS,
        block_pairs=BLOCK_PAIRS, discarded_calls=5, timed_calls=TIMED, clock="perf_counter_ns",
        clock_resolution_ns=1, threads=1, started_at=STARTED, ended_at=STARTED + timedelta(seconds=30),
        timer_overhead_ns=50, memory_bandwidth_bytes_per_s=20e9, flops_per_s=50e9, is_seed_chosen=False,
        answers_compared=4096, yardstick=yardstick_times(),
    )  # fmt: skip


def system_info() -> SystemInfo:
    return SystemInfo(
        cpu_model="Synthetic", physical_cores=2, logical_cores=2, memory_bytes=8_000_000_000,
        operating_system="Linux", python="3.11", numpy="2.0", blas="openblas", blas_threads=1,
    )  # fmt: skip


def known_run(baseline: float = 1.0, yardstick: float = 1.0, hours: int | None = 5, typical_ns: int = 200_000) -> Run:
    """A run of ten visits on a machine that is known, whose times are these multiples of the least ever seen.

    A machine with times of no hours is not known.
    """
    calm, visits = make_run(), 10
    times = {role: sampled_times(seed, ns, visits) for role, seed, ns in (
        ("baseline", 1, 1_000_000 * baseline), ("optimized", 2, typical_ns))}  # fmt: skip
    models = {role: with_times(getattr(calm, role), each) for role, each in times.items()}
    told = {"visits": visits, "yardstick": yardstick_times(visits, yardstick)}
    run = calm.model_copy(update={**models, "protocol": calm.protocol.model_copy(update=told)})
    if hours is None:
        return run
    found = quiet_times(run)
    reference = ReferenceTimes(
        key=found.key, baseline_ns=math.exp(found.baseline[0]) / baseline,
        yardstick_ns=math.exp(found.yardstick[0]) / yardstick, hours=hours, since=STARTED - timedelta(days=2),
        until=STARTED - timedelta(days=1),
    )  # fmt: skip
    return run.model_copy(update={"protocol": run.protocol.model_copy(update={"reference": reference})})


def with_times(model: ModelRecord, times: ArrayLike) -> ModelRecord:
    """A model that was timed otherwise."""
    latency = Latency.from_samples(times, 1, COPIES, SESSION)
    return model.model_copy(update={"metrics": model.metrics.model_copy(update={"latency": latency})})


def make_run(correct: int = 348, kept_bytes: int = 3_000_000, typical_ns: int = 200_000) -> Run:
    """By default 5x faster, 4.3x smaller, nearly as accurate."""
    return Run(
        id="20260301T120030Z-0a1b2c3d",
        task=TaskRecord(name="digits_mlp", dataset_sha256=FACTS.dataset_sha256, test_samples=TEST_SAMPLES),
        source=SourceRecord(
            kind="strategy", name="prune", sha256="b" * 64, division="closed", techniques=["structured pruning"]
        ),
        system_info=system_info(),
        protocol=protocol(),
        baseline=model_record("digits_mlp baseline", 1, 1_000_000, FACTS.kept_bytes, 350),
        optimized=model_record("prune", 2, typical_ns, kept_bytes, correct),
    )


def times_of(document: dict[str, Any], role: str) -> Times:
    """The latency samples of one model in a submission."""
    return read_samples(document["run"][role]["metrics"]["latency"]["samples_ns"])


def put_times(document: dict[str, Any], role: str, times: ArrayLike, copies_per_unit: int = 1) -> None:
    """Give a model of a submission other samples, with all that follows from them."""
    stored = document["run"][role]["metrics"]["latency"]
    fresh = Latency.from_samples(times, 1, copies_per_unit, stored["session"])
    document["run"][role]["metrics"]["latency"] = fresh.model_dump(mode="json")


def mutated(submission: dict[str, Any], mutate: Mutate) -> dict[str, Any]:
    """A changed copy with its own digest, so that only the change itself can be found."""
    document = copy.deepcopy(submission)
    mutate(document)
    try:
        return Submission.model_validate(document).sealed().model_dump(mode="json")
    except ValidationError:
        return document


@pytest.fixture(scope="session", name="make_run")
def make_run_fixture() -> Callable[..., Run]:
    """Builds runs by correct answers, kept bytes and nanoseconds of the optimized model."""
    return make_run


@pytest.fixture(scope="session")
def run() -> Run:
    """A run worth submitting."""
    return make_run()


@pytest.fixture(scope="session")
def submission(run: Run) -> dict[str, Any]:
    """A valid submission to the All-Around event; tests change copies only."""
    return submission_from_run(
        run, event="all_around", athlete_name="Ada", github_repo="https://github.com/ada/entry",
        provenance=Provenance(commit="a" * 40, is_dirty=False),
    )  # fmt: skip


@pytest.fixture(scope="session")
def change() -> Callable[[dict[str, Any], Mutate], dict[str, Any]]:
    """Makes changed copies that carry their own digest."""
    return mutated
