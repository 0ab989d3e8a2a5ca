"""One measuring session: survey the models in one process, plan, then measure them in fresh ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from tinytorch.benchmarking import doubts, measure, samples, system
from tinytorch.benchmarking.bench import Description
from tinytorch.benchmarking.schedule import Plan, Probe, Tier, make_plan

Mode = Literal["worker processes", "this process"]
Progress = Callable[[str, float], None]  # told the stage and the share of it that is done


def silent(stage: str, share: float) -> None:
    """The progress observer that does nothing."""


class AnyBench(Protocol):
    """What `Bench` and `RemoteBench` have in common."""

    def describe(self, model: int) -> Description: ...
    def predict(self, model: int) -> NDArray[Any]: ...
    def probe(self) -> Probe: ...
    def limits(self, kept_bytes: int) -> measure.Limits: ...
    def time_passes(self, model: int) -> list[int]: ...
    def measure(self, plan: Plan, seed: int, observer: measure.Observer) -> measure.Samples: ...


OpenBench = Callable[[int, int], AbstractContextManager[AnyBench]]  # (copies, seed)


@dataclass(frozen=True)
class Survey:
    """What one process saw of one model before any latency was measured."""

    description: Description
    outputs: NDArray[Any]
    pass_ns: list[int]


@dataclass(frozen=True)
class Session:
    """Everything measured in one session, one element per model; `latency` is None when it was not asked for."""

    surveys: list[Survey]
    latency: list[samples.Latency] | None
    protocol: samples.Protocol
    system_info: samples.SystemInfo


def run_session(
    open_bench: OpenBench,
    models: int,
    tier: Tier,
    seed: int,
    mode: Mode,
    metrics: Collection[str] = samples.METRICS,
    progress: Progress = silent,
    accept: Callable[[int, Survey], None] = lambda model, survey: None,
) -> Session:
    """Survey, let `accept` refuse a model by raising, plan and measure. The same seed gives the same order."""
    started_at, before = datetime.now(UTC), doubts.read_machine()
    progress("survey", 0.0)
    with open_bench(1, seed) as bench:
        surveys = [_survey(bench, model, accept) for model in range(models)]
        kept_bytes = [survey.description.kept_bytes for survey in surveys]
        probe, limits = bench.probe(), bench.limits(min(kept_bytes))
    plan = make_plan(tier, probe, kept_bytes)
    latency = _latency(open_bench, plan, seed, progress) if "latency" in metrics else None
    threads = surveys[0].description.blas_threads
    evidence = doubts.Evidence(before, doubts.read_machine(), threads, probe.timer_overhead_ns + probe.timer_step_ns)
    protocol = samples.Protocol(
        tier=tier.name, seed=seed, mode=mode, processes=plan.processes, generations=plan.generations,
        copies=plan.copies, visits=plan.visits, block_pairs=plan.block.block_pairs,
        discarded_calls=plan.block.discarded, timed_calls=plan.block.timed, clock=measure.CLOCK_NAME,
        clock_resolution_ns=probe.timer_step_ns, timer_overhead_ns=probe.timer_overhead_ns,
        memory_bandwidth_bytes_per_s=limits.memory_bandwidth_bytes_per_s, flops_per_s=limits.flops_per_s,
        threads=threads, started_at=started_at, ended_at=datetime.now(UTC), doubts=doubts.find_doubts(evidence),
    )  # fmt: skip
    return Session(surveys, latency, protocol, system.describe(threads))


def _survey(bench: AnyBench, model: int, accept: Callable[[int, Survey], None]) -> Survey:
    survey = Survey(bench.describe(model), bench.predict(model), bench.time_passes(model))
    accept(model, survey)
    return survey


def _latency(open_bench: OpenBench, plan: Plan, seed: int, progress: Progress) -> list[samples.Latency]:
    """Measure in `plan.processes` fresh benches, one after the other, and join their placements."""
    parts: list[measure.Samples] = []
    for process in range(plan.processes):
        with open_bench(plan.copies, seed + process + 1) as bench:

            def observer(share: float, done: int = process) -> None:
                progress("measure", (done + share) / plan.processes)

            parts.append(bench.measure(plan, seed + process + 1, observer))
    session = secrets.token_hex(8)
    return [
        samples.Latency.from_samples(list(chain.from_iterable(part[model] for part in parts)), calls, session)
        for model, calls in enumerate(plan.calls_per_sample)
    ]
