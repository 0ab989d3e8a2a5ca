"""One measuring session: survey the models in one process, plan, then measure them in fresh ones."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking import measure, system
from tinytorch.benchmarking.placements import AnyPlacements, Description, Inspection, Venue
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, FreshAnswers, Memory, Metrics, ModelRecord, Throughput
from tinytorch.benchmarking.records.session import Protocol, SystemInfo
from tinytorch.benchmarking.schedule import (
    BlockShape,
    Probe,
    Schedule,
    Tier,
    in_one_process,
    make_schedule,
    process_seed,
    rounds,
    session_ns,
)
from tinytorch.core.metrics import correctness
from tinytorch.errors import ModelError
from tinytorch.files import sha256
from tinytorch.progress import Progress, part_of, silent
from tinytorch.text import safe_text
from tinytorch.units import METRICS, format_time

SINGLE_TOLERANCE = 1e-4  # of the largest output, between a sample alone and the same one in the batch
MOST_NAMED, MOST_UNSEEN = 5, 100
LEAST_READ_BYTES = 262_144  # to start reading less takes as long as to read it, and would pass for a slow memory
MOST_OVER_BUDGET = 2  # a session may take this many times its tier's before that is said aloud
BATCH_BUDGET_NS, LEAST_BATCH = 1_000_000_000, 16  # inputs go together that the slowest model answers in this time
SURVEY_ONLY = Schedule(1, 1, 1, 1, BlockShape(1, 0, 1), ())  # what runs where no latency was asked for

Wait = Callable[[float], None]


@dataclass(frozen=True)
class Settings:
    """How a session is measured, chosen before anything is seen. The same seed gives the same order."""

    tier: Tier
    seed: int = 0
    metrics: tuple[str, ...] = METRICS


@dataclass(frozen=True)
class Artifact:
    """The file that a fresh process loads a model from."""

    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, content: bytes) -> Artifact:
        """The artifact with this content."""
        return cls(sha256(content), len(content))


@dataclass(frozen=True)
class Truth:
    """The right answers to the inputs that were measured: the test set's, then those to inputs that were made anew."""

    labels: NDArray[Any]
    fresh: NDArray[Any] | None = None


@dataclass(frozen=True)
class ModelSurvey:
    """What one process saw of one model before any latency was measured."""

    description: Description
    outputs: NDArray[Any]
    singles: NDArray[Any]
    pass_ns: list[int]
    batch: int

    @property
    def differing(self) -> int | None:
        """The first input whose output alone, as it will be timed, is not that of the whole batch; None if all are."""
        alike = [_alike(single, batch) for single, batch in zip(self.singles, self.outputs, strict=False)]
        return alike.index(False) if False in alike else None


@dataclass(frozen=True)
class Survey:
    """What one process saw of all models and of the machine, for planning and checking."""

    started_at: datetime
    machine: system.Reading
    models: list[ModelSurvey]
    probe: Probe
    limits: measure.Limits
    inspection: Inspection

    @property
    def kept_bytes(self) -> list[int]:
        """Bytes that each model keeps."""
        return [model.description.kept_bytes for model in self.models]


@dataclass(frozen=True)
class Session:
    """Everything measured in one session, one element per model; `latency` is None when it was not asked for."""

    metrics: tuple[str, ...]
    surveys: list[ModelSurvey]
    kept_bytes: list[int]
    latency: list[Latency] | None
    protocol: Protocol
    system_info: SystemInfo

    def record(self, model: int, name: str, truth: Truth, artifact: Artifact | None = None) -> ModelRecord:
        """The record of one model, with the metrics that were asked for. ShapeError for labels that do not fit."""
        survey, known = self.surveys[model], len(truth.labels)
        inputs = known + (len(truth.fresh) if truth.fresh is not None else 0)
        latency = self.latency[model] if self.latency else None
        is_scored = "accuracy" in self.metrics
        right = correctness(survey.outputs[:known], truth.labels).ravel().tolist() if is_scored else None
        anew = correctness(survey.outputs[known:], truth.fresh) if is_scored and truth.fresh is not None else None
        return ModelRecord(
            name=name,
            parameters=survey.description.parameters,
            layer_kinds=survey.description.layer_kinds,
            backend=survey.description.backend,
            artifact_sha256=artifact.sha256 if artifact else None,
            fresh_answers=FreshAnswers.from_correctness(anew.ravel().tolist()) if anew is not None else None,
            metrics=Metrics(
                latency=latency,
                memory=self._memory(model, artifact) if "memory" in self.metrics else None,
                accuracy=Accuracy.from_correctness(right) if right is not None else None,
                throughput=Throughput.from_samples(survey.pass_ns, min(survey.batch, inputs)) if latency else None,
            ),
        )

    def _memory(self, model: int, artifact: Artifact | None) -> Memory:
        """The larger count of before and after the timed calls."""
        seen, artifact_bytes = self.surveys[model].description, artifact.size_bytes if artifact else None
        unseen = [safe_text(name, 100) for name in seen.unseen[:MOST_UNSEEN]]
        return Memory.from_bytes(self.kept_bytes[model], artifact_bytes, seen.peak_working_bytes, unseen)


def survey_models(venue: Venue, settings: Settings, progress: Progress = silent) -> Survey:
    """Look at every model in one process, one copy each. ModelError for one that cannot be measured honestly."""
    started_at, machine = datetime.now(UTC), system.read_machine()
    progress("survey", 0.0)
    with venue.open(1, [process_seed(settings.seed, 0, 0)]) as (placements,):
        _refuse_patches(placements.inspect())
        probe = placements.probe()
        batch = max(LEAST_BATCH, BATCH_BUDGET_NS // max(1, *probe.call_ns))
        models = [_survey(placements, model, probe.call_ns[model], batch) for model in range(venue.models)]
        limits = _best_limits(placements, [model.description.kept_bytes for model in models])
        inspection = placements.inspect()
        _refuse_patches(inspection)
        return Survey(started_at, machine, models, probe, limits, inspection)


def long_measurement(settings: Settings, survey: Survey) -> str | None:
    """How long the measuring will take, in words, where that is far from what the tier promises."""
    tier = settings.tier
    planned_ns = session_ns(make_schedule(tier, survey.probe, survey.kept_bytes), survey.probe)
    if planned_ns <= MOST_OVER_BUDGET * tier.budget_ns or "latency" not in settings.metrics:
        return None
    total = format_time(planned_ns * tier.sessions)
    return f"these models are slow: measuring will take about {total} of calls; Ctrl-C ends it"


def measure_models(
    venue: Venue, settings: Settings, survey: Survey, progress: Progress = silent, wait: Wait = time.sleep
) -> Session:
    """Measure what was surveyed, by the plan that follows from it. ModelError when a model patched the framework."""
    tier = settings.tier if venue.mode == "worker processes" else in_one_process(settings.tier)
    plan = make_schedule(tier, survey.probe, survey.kept_bytes)
    wanted = _sessions(tier, wait) if "latency" in settings.metrics else ()
    taken = [_measure(venue, plan, settings.seed, session, progress) for session in wanted]
    inspections = [survey.inspection, *(inspection for _, found in taken for inspection in found)]
    for inspection in inspections:
        _refuse_patches(inspection)
    threads = _worst([inspection.blas_threads for inspection in inspections])
    timer_ns = survey.probe.timer_overhead_ns + survey.probe.timer_step_ns
    latency = _latency(plan, [samples for samples, _ in taken]) if taken else None
    evidence = system.Observations(survey.machine, system.read_machine(), threads, timer_ns, _excess(latency))
    protocol = Protocol(
        **_ran(plan if taken else SURVEY_ONLY), **_seen(survey), tier=settings.tier.name, seed=settings.seed,
        mode=venue.mode, threads=threads, ended_at=datetime.now(UTC), doubts=system.find_doubts(evidence),
    )  # fmt: skip
    kept = _most_kept([survey.kept_bytes, *(inspection.kept_bytes for inspection in inspections)])
    return Session(settings.metrics, survey.models, kept, latency, protocol, system.describe(threads))


def _survey(placements: AnyPlacements, model: int, call_ns: int, most: int) -> ModelSurvey:
    """Single samples come last: what a model then keeps, it keeps when one comes, as when it is timed."""
    description, outputs = placements.describe(model), placements.predict(model, most)
    pass_ns = placements.time_passes(model, most)
    return ModelSurvey(description, outputs, placements.predict_singly(model, call_ns), pass_ns, most)


def _best_limits(placements: AnyPlacements, sizes: list[int]) -> measure.Limits:
    """The best that was seen of the machine, with reads as large as each model: no time may lie far below it."""
    seen = [placements.limits(max(size, LEAST_READ_BYTES)) for size in sizes]
    return measure.Limits(
        max(limits.memory_bandwidth_bytes_per_s for limits in seen), max(limits.flops_per_s for limits in seen)
    )


def _alike(single: NDArray[Any], batch: NDArray[Any]) -> bool:
    """Equal to 1e-4 of the largest value there, or exactly where they are no floating numbers."""
    if single.shape != batch.shape or not np.issubdtype(batch.dtype, np.inexact):
        return bool(np.array_equal(single, batch))
    return bool(
        np.allclose(single, batch, rtol=0.0, atol=SINGLE_TOLERANCE * float(np.abs(batch).max()), equal_nan=True)
    )


def _refuse_patches(inspection: Inspection) -> None:
    if inspection.patched:
        named = ", ".join(inspection.patched[:MOST_NAMED])
        mend = "leave what both models run on as it is; what is faster belongs into the model"
        raise ModelError(f"a model changed the framework that both models run on: {named}", mend=mend)


def _sessions(tier: Tier, wait: Wait) -> Iterator[int]:
    """The sessions' numbers, each when it is time to begin."""
    start_ns = measure.CLOCK()
    for session in range(tier.sessions):
        due_s = session * tier.span_s / max(1, tier.sessions - 1)
        wait(max(0.0, due_s - (measure.CLOCK() - start_ns) / 1e9))
        yield session


def _measure(
    venue: Venue, plan: Schedule, seed: int, session: int, progress: Progress
) -> tuple[list[measure.Samples], list[Inspection]]:
    """One session: all its processes alive, visited round after round; each one's samples, and what it looks like."""
    seeds = [process_seed(seed, session, process + 1) for process in range(plan.processes)]
    generator, visits = random.Random(process_seed(seed, session, 0)), plan.visits * plan.processes
    samples: list[measure.Samples] = [[[[] for _ in range(plan.copies)] for _ in plan.calls_per_sample] for _ in seeds]
    told = part_of(progress, "measure", session, plan.sessions)
    with venue.open(plan.copies, seeds) as processes:
        for done, process in enumerate(chain.from_iterable(rounds(plan, generator))):
            told("measure", done / visits)
            _extend(samples[process], processes[process].visit(plan))
        inspections = [process.inspect() for process in processes]
    told("measure", 1.0)
    return samples, inspections


def _extend(samples: measure.Samples, visit: measure.Samples) -> None:
    for model, copies in zip(samples, visit, strict=True):
        for blocks, more in zip(model, copies, strict=True):
            blocks.extend(more)


def _latency(plan: Schedule, sessions: list[list[measure.Samples]]) -> list[Latency]:
    """The records of all models, their placements in the order of sessions, processes and copies."""
    session = secrets.token_hex(8)
    processes = list(chain.from_iterable(sessions))
    return [
        Latency.from_samples(
            list(chain.from_iterable(samples[model] for samples in processes)), calls, plan.copies_per_unit, session
        )
        for model, calls in enumerate(plan.calls_per_sample)
    ]


def _excess(latency: list[Latency] | None) -> float | None:
    """The largest typical time of a model, in its quiet times."""
    return max(one.typical_ns / one.mean_ns for one in latency if one.typical_ns is not None) if latency else None


def _most_kept(counts: list[list[int]]) -> list[int]:
    """The largest count of each model: what a model keeps may grow while it is timed."""
    return [max(sizes) for sizes in zip(*counts, strict=True)]


def _worst(threads: list[int | None]) -> int | None:
    """The most threads that any process used; None when one could not be asked."""
    known = [count for count in threads if count is not None]
    return max(known) if len(known) == len(threads) else None


def _ran(plan: Schedule) -> dict[str, Any]:
    """The part of the protocol that was fixed in advance, and then done."""
    return {
        "sessions": plan.sessions, "processes": plan.processes, "copies": plan.copies, "visits": plan.visits,
        "block_pairs": plan.block.block_pairs, "discarded_calls": plan.block.discarded, "timed_calls": plan.block.timed,
    }  # fmt: skip


def _seen(survey: Survey) -> dict[str, Any]:
    """The part of the protocol that one process saw of its clock and of the machine."""
    return {
        "started_at": survey.started_at, "clock": measure.CLOCK_NAME,
        "clock_resolution_ns": survey.probe.timer_step_ns, "timer_overhead_ns": survey.probe.timer_overhead_ns,
        "memory_bandwidth_bytes_per_s": survey.limits.memory_bandwidth_bytes_per_s,
        "flops_per_s": survey.limits.flops_per_s,
    }  # fmt: skip
