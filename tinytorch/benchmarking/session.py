"""One measuring session: survey the models in one process, plan, then measure them in fresh ones."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking import measure, records, system
from tinytorch.benchmarking.placements import AnyPlacements, Description, Venue
from tinytorch.benchmarking.schedule import Plan, Probe, Tier, make_plan
from tinytorch.errors import ShapeError, UsageError
from tinytorch.files import sha256
from tinytorch.progress import Progress, part_of, silent
from tinytorch.units import METRICS


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
class ModelSurvey:
    """What one process saw of one model before any latency was measured."""

    description: Description
    outputs: NDArray[Any]
    pass_ns: list[int]


@dataclass(frozen=True)
class Survey:
    """What one process saw of all models and of the machine, for planning and checking."""

    started_at: datetime
    machine: system.Reading
    models: list[ModelSurvey]
    probe: Probe
    limits: measure.Limits

    @property
    def kept_bytes(self) -> list[int]:
        """Bytes that each model keeps."""
        return [model.description.kept_bytes for model in self.models]


@dataclass(frozen=True)
class Session:
    """Everything measured in one session, one element per model; `latency` is None when it was not asked for."""

    metrics: tuple[str, ...]
    surveys: list[ModelSurvey]
    latency: list[records.Latency] | None
    protocol: records.Protocol
    system_info: records.SystemInfo

    def record(
        self, model: int, name: str, labels: NDArray[Any], artifact: Artifact | None = None
    ) -> records.ModelRecord:
        """The record of one model, with the metrics that were asked for. ShapeError for labels that do not fit."""
        survey = self.surveys[model]
        latency = self.latency[model] if self.latency else None
        right = correctness(survey.outputs, labels) if "accuracy" in self.metrics else None
        return records.ModelRecord(
            name=name,
            parameters=survey.description.parameters,
            layer_kinds=survey.description.layer_kinds,
            artifact_sha256=artifact.sha256 if artifact else None,
            metrics=records.Metrics(
                latency=latency,
                memory=_memory(survey.description, artifact) if "memory" in self.metrics else None,
                accuracy=records.Accuracy.from_correctness(right) if right is not None else None,
                throughput=records.Throughput.from_samples(survey.pass_ns, len(labels)) if latency else None,
            ),
        )


def run_session(venue: Venue, settings: Settings, progress: Progress = silent) -> Session:
    """Survey, plan, measure."""
    return measure_models(venue, settings, survey_models(venue, settings, progress), progress)


def survey_models(venue: Venue, settings: Settings, progress: Progress = silent) -> Survey:
    """Look at every model in one process, one copy each."""
    started_at, machine = datetime.now(UTC), system.read_machine()
    progress("survey", 0.0)
    with venue.open(1, settings.seed) as placements:
        models = [_survey(placements, model) for model in range(venue.models)]
        limits = placements.limits(min(model.description.kept_bytes for model in models))
        return Survey(started_at, machine, models, placements.probe(), limits)


def measure_models(venue: Venue, settings: Settings, survey: Survey, progress: Progress = silent) -> Session:
    """Measure what was surveyed, by the plan that follows from it."""
    plan = make_plan(settings.tier, survey.probe, survey.kept_bytes)
    latency = _latency(venue, plan, settings.seed, progress) if "latency" in settings.metrics else None
    threads = survey.models[0].description.blas_threads
    timer_ns = survey.probe.timer_overhead_ns + survey.probe.timer_step_ns
    evidence = system.Evidence(survey.machine, system.read_machine(), threads, timer_ns)
    protocol = records.Protocol(
        **_planned(plan), **_seen(survey), tier=settings.tier.name, seed=settings.seed, mode=venue.mode,
        threads=threads, ended_at=datetime.now(UTC), doubts=system.find_doubts(evidence),
    )  # fmt: skip
    return Session(settings.metrics, survey.models, latency, protocol, system.describe(threads))


def correctness(outputs: NDArray[Any], labels: NDArray[Any]) -> list[bool]:
    """One truth value per label: scores (N, ..., classes) by their largest, outputs shaped as the labels by equality.

    Raises ShapeError when outputs and labels do not fit together, UsageError for outputs that are not finite.
    """
    if np.issubdtype(outputs.dtype, np.inexact) and not np.isfinite(outputs).all():
        raise UsageError(f"the model's outputs are not finite: {int((~np.isfinite(outputs)).sum())} NaN or infinite")
    if outputs.shape[:-1] == labels.shape and outputs.ndim > labels.ndim:
        predicted = outputs.argmax(axis=-1)
    elif outputs.shape == labels.shape:
        predicted = outputs
    else:
        raise ShapeError(f"the model's outputs {outputs.shape} do not fit the labels {labels.shape}")
    return [bool(right) for right in np.equal(predicted, labels).ravel()]


def _memory(description: Description, artifact: Artifact | None) -> records.Memory | None:
    if not description.kept_bytes:
        return None
    artifact_bytes = artifact.size_bytes if artifact else None
    return records.Memory.from_bytes(description.kept_bytes, artifact_bytes, description.peak_working_bytes)


def _survey(placements: AnyPlacements, model: int) -> ModelSurvey:
    return ModelSurvey(placements.describe(model), placements.predict(model), placements.time_passes(model))


def _latency(venue: Venue, plan: Plan, seed: int, progress: Progress) -> list[records.Latency]:
    """Measure in `plan.processes` fresh processes, one after the other, and join their placements."""
    parts: list[measure.Samples] = []
    for process in range(plan.processes):
        own_seed = seed + process + 1
        with venue.open(plan.copies, own_seed) as placements:
            told = part_of(progress, "measure", process, plan.processes)
            parts.append(placements.measure(plan, own_seed, told))
    session = secrets.token_hex(8)
    return [
        records.Latency.from_samples(list(chain.from_iterable(part[model] for part in parts)), calls, session)
        for model, calls in enumerate(plan.calls_per_sample)
    ]


def _planned(plan: Plan) -> dict[str, Any]:
    """The part of the protocol that was fixed in advance."""
    return {
        "processes": plan.processes, "generations": plan.generations, "copies": plan.copies, "visits": plan.visits,
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
