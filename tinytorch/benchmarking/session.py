"""One measuring session: after a survey of the models alone, plan, then measure them together in fresh processes."""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any

from numpy.typing import NDArray

from tinytorch.benchmarking import measure, system, yardstick
from tinytorch.benchmarking.agreement import compare_answers
from tinytorch.benchmarking.placements import Alone, AnyPlacements, Inspection, Venue
from tinytorch.benchmarking.provisional import Watch, Watching, unwatched
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, FreshAnswers, Memory, Metrics, ModelRecord, Throughput
from tinytorch.benchmarking.records.samples import write_samples
from tinytorch.benchmarking.records.session import Protocol, SystemInfo, YardstickTimes
from tinytorch.benchmarking.records.work import Limits, Work
from tinytorch.benchmarking.schedule import (
    SEEDS,
    BlockShape,
    Schedule,
    Tier,
    in_one_process,
    make_schedule,
    process_seed,
    session_ns,
)
from tinytorch.benchmarking.survey import ModelSurvey, Survey, refuse_leftovers, refuse_patches
from tinytorch.benchmarking.timing import Taken, Wait, begun, time_session
from tinytorch.core.metrics import correctness
from tinytorch.files import sha256
from tinytorch.progress import Progress, silent
from tinytorch.showing import safe_text
from tinytorch.units import METRICS, format_time

MOST_UNSEEN = 100
MOST_OVER_BUDGET = 2  # a session may take this many times its tier's before that is said aloud
SURVEY_ONLY = Schedule(1, 1, 1, 1, BlockShape(1, 0, 1), ())  # what runs where no latency was asked for


@dataclass(frozen=True)
class Settings:
    """How a session is measured, chosen before anything is seen. The same seed gives the same order and inputs.

    A seed that was not chosen is drawn, so that nobody can know the inputs beforehand.
    """

    tier: Tier
    seed: int = field(default_factory=partial(secrets.randbelow, SEEDS))
    metrics: tuple[str, ...] = METRICS
    is_seed_chosen: bool = False

    @classmethod
    def of(cls, tier: Tier, seed: int | None, metrics: tuple[str, ...] = METRICS) -> Settings:
        """With a seed that somebody chose, or None."""
        return cls(tier, metrics=metrics) if seed is None else cls(tier, seed, metrics, is_seed_chosen=True)

    @property
    def first_seed(self) -> int:
        """Of the processes that have one model alone."""
        return process_seed(self.seed, 0, 0)


@dataclass(frozen=True)
class Artifact:
    """The file that a fresh process loads a model from, and how much code it needs for that, compressed."""

    sha256: str
    size_bytes: int
    code_bytes: int = 0

    @classmethod
    def of(cls, content: bytes, code: bytes = b"") -> Artifact:
        """The artifact with this content, and the source of the model's own classes."""
        return cls(sha256(content), len(content), len(zlib.compress(code, level=9)) if code else 0)


@dataclass(frozen=True)
class Truth:
    """The right answers to the inputs that were measured: the test set's, then those to inputs that were made anew."""

    labels: NDArray[Any]
    fresh: NDArray[Any] | None = None


@dataclass(frozen=True)
class Session:
    """Everything measured in one session, one element per model; `latency` is None when it was not asked for.

    `first_was_changed` says that the first model's weights, or what it is made of, were others after the timing.
    `counted` is what an inference does, and `machine` what the machine showed at best; empty where nobody can count.
    """

    metrics: tuple[str, ...]
    surveys: list[ModelSurvey]
    kept_bytes: list[int]
    latency: list[Latency] | None
    protocol: Protocol
    system_info: SystemInfo
    first_was_changed: bool = False
    counted: list[Work | None] = field(default_factory=list)
    machine: list[Limits] = field(default_factory=list)

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
            work=self.counted[model] if self.counted else None,
            machine=self.machine[model] if self.machine else None,
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
        seen = self.surveys[model].description
        return Memory.from_bytes(
            self.kept_bytes[model],
            artifact_bytes=artifact.size_bytes if artifact else None,
            code_bytes=artifact.code_bytes if artifact else 0,
            peak_working_bytes=seen.peak_working_bytes,
            unseen=[safe_text(name, 100) for name in seen.unseen[:MOST_UNSEEN]],
        )


def long_measurement(settings: Settings, survey: Survey) -> str | None:
    """How long the measuring will take, in words, where that is far from what the tier promises."""
    tier = settings.tier
    planned_ns = session_ns(make_schedule(tier, survey.probe, survey.kept_bytes), survey.probe)
    if planned_ns <= MOST_OVER_BUDGET * tier.budget_ns or "latency" not in settings.metrics:
        return None
    total = format_time(planned_ns * tier.sessions)
    return f"these models are slow: measuring will take about {total} of calls; Ctrl-C ends it"


def measure_models(
    venue: Venue,
    alone: Alone,
    settings: Settings,
    survey: Survey,
    progress: Progress = silent,
    wait: Wait = time.sleep,
    watch: Watch = unwatched,
) -> Session:
    """Measure what was surveyed, by the plan that follows from it. ModelError when a model patched the framework."""
    tier = settings.tier if venue.mode == "worker processes" else in_one_process(settings.tier)
    plan = make_schedule(tier, survey.probe, survey.kept_bytes)
    counted = [each.counted(0, call_ns) for each, call_ns in zip(alone, survey.probe.call_ns, strict=True)]
    pairs = zip(counted, survey.kept_bytes, strict=True)
    reads = [work.reads(kept) if work else kept for work, kept in pairs] if any(counted) else []
    wanted = begun(tier, wait) if "latency" in settings.metrics else ()
    watching = Watching(plan, survey.machine, watch)
    taken = [time_session(venue, plan, settings.seed, session, progress, reads, watching) for session in wanted]
    timed = [inspection for each in taken for inspection in each.inspections]
    for inspection in timed:
        refuse_patches(inspection)
    compared = compare_answers(alone, plan, [block for each in taken for block in each.drawn]) if taken else None
    last = [_last_look(placements) for placements in alone]
    refuse_leftovers(alone)
    threads = _worst([inspection.blas_threads for inspection in (*survey.inspections, *timed, *last)])
    timer_ns = survey.probe.timer_overhead_ns + survey.probe.timer_step_ns
    latency = _latency(plan, [each.samples for each in taken]) if taken else None
    evidence = system.Observations(survey.machine, system.read_machine(), threads, timer_ns, _excess(latency))
    protocol = Protocol(
        **_ran(plan if taken else SURVEY_ONLY), **_seen(survey), tier=settings.tier.name, seed=settings.seed,
        is_seed_chosen=settings.is_seed_chosen, answers_compared=compared,
        mode=venue.mode, threads=threads, ended_at=datetime.now(UTC), doubts=system.find_doubts(evidence),
        yardstick=_yardstick(taken) if taken else None,
    )  # fmt: skip
    changed = any(digest != last[0].weights_sha256[0][0] for each in timed for digest in each.weights_sha256[0])
    kept = _kept(survey, last, timed)
    described = system.describe(threads)
    machine = [Limits.best(seen) for seen in zip(*(each.limits for each in taken), strict=True)]
    return Session(settings.metrics, survey.models, kept, latency, protocol, described, changed, counted, machine)


def _last_look(placements: AnyPlacements) -> Inspection:
    """At a model alone, which has given all its answers."""
    inspection = placements.inspect()
    refuse_patches(inspection)
    return inspection


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


def _yardstick(taken: Sequence[Taken]) -> YardstickTimes:
    """Its times, the placements in the same order."""
    copies = [copy for session in taken for process in session.samples for copy in process[-1]]
    return YardstickTimes(
        version=yardstick.VERSION, calls_per_sample=yardstick.CALLS_PER_SAMPLE, samples_ns=write_samples(copies)
    )


def _excess(latency: list[Latency] | None) -> float | None:
    """The largest typical time of a model, in its quiet times."""
    return max(one.typical_ns / one.mean_ns for one in latency if one.typical_ns is not None) if latency else None


def _kept(survey: Survey, last: list[Inspection], timed: list[Inspection]) -> list[int]:
    """The largest count of each model alone, before and after its answers; what it keeps may grow while it is timed.

    Of the first it is not asked then: what hangs on it in a process of them all may be another's.
    """
    first, *others = (max(kept, *each.kept_bytes) for kept, each in zip(survey.kept_bytes, last, strict=True))
    grown = [max((each.kept_bytes[model] for each in timed), default=0) for model in range(1, len(last))]
    return [first, *map(max, others, grown)]


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
