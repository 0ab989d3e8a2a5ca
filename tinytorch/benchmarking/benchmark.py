"""Benchmark: measure models on your own data, honestly, from a script or a notebook (module 19)."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch import owners
from tinytorch.benchmarking.comparison import NOTHING_KNOWN, Comparison, Surroundings, compare_metrics
from tinytorch.benchmarking.placements import Subjects, ThisProcess, Venue
from tinytorch.benchmarking.records.metric import Metric
from tinytorch.benchmarking.records.metrics import ModelRecord, compression_ratio
from tinytorch.benchmarking.records.session import Protocol, SystemInfo
from tinytorch.benchmarking.remote import REQUEST_LIMIT_S, ModelLoadError, Sendable, Workers
from tinytorch.benchmarking.schedule import TIERS, Tier
from tinytorch.benchmarking.sending import UnsendableError, sources_of
from tinytorch.benchmarking.session import (
    Artifact,
    Session,
    Settings,
    Truth,
    long_measurement,
    measure_models,
)
from tinytorch.benchmarking.survey import survey_models
from tinytorch.core.dataloader import Dataset
from tinytorch.core.model import as_call
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ModelError, RunError, SetupMissingError, ShapeError, UsageError
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.progress import Progress, silent
from tinytorch.units import METRICS


class BenchmarkResults(Mapping[str, Metric]):
    """Metric name -> record with `.mean .std .ci_lower .ci_upper` (ms, MB, fraction).

    `partner` holds the benchmark's first model as it was measured in the same session, interleaved; `origin` is the
    same for all results of one benchmark; `others` are those of its other models.
    """

    def __init__(
        self,
        model_record: ModelRecord,
        protocol: Protocol,
        system_info: SystemInfo,
        origin: object,
        partner: BenchmarkResults | None = None,
    ) -> None:
        self.model_record = model_record
        self.protocol = protocol
        self.system_info = system_info
        self.origin = origin
        self.partner = partner
        self.others: tuple[BenchmarkResults, ...] = ()
        self._records = model_record.metrics.measured()

    def __getitem__(self, metric: str) -> Metric:
        return self._records[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={record.mean:.4g} {record.unit}" for name, record in self._records.items())
        return f"BenchmarkResults({self.model_record.name}: {values}; measured in {self.protocol.mode})"


@dataclass(frozen=True)
class BenchmarkComparison:
    """Two models measured interleaved in one session."""

    baseline: BenchmarkResults
    optimized: BenchmarkResults
    speedup: Comparison | None
    compression_ratio: float | None
    accuracy_delta: Comparison | None


class _NoWorkersError(Exception):
    """Why these models cannot be measured in worker processes."""


class Benchmark:
    """Measures `models` on `datasets`; the first model is the one that others are interleaved with.

    Models are anything with `forward` or `__call__`; a dataset is (inputs, labels) with one row per sample, or a
    Dataset. Models are measured in fresh worker processes, also those of a class that a script or a notebook defines.
    Where a model cannot be sent to one, or the system has none, it is measured over live deep copies in this process,
    which is one unit and gives no interval: a warning then says why, and `protocol.mode` of every result says which it
    was. No single request to a worker, such as a pass over all inputs, may take longer than `request_limit_s`.
    """

    def __init__(
        self,
        models: Sequence[object],
        datasets: Sequence[object],
        metrics: str | Sequence[str] = METRICS,
        *,
        tier: str | Tier = "default",
        seed: int | None = None,
        request_limit_s: float = REQUEST_LIMIT_S,
    ) -> None:
        if not models or len(datasets) != 1:
            raise UsageError(f"Benchmark needs models and one dataset, got {len(models)} and {len(datasets)}")
        metrics = [metrics] if isinstance(metrics, str) else metrics
        unknown = [metric for metric in metrics if metric not in METRICS]
        if unknown or not metrics:
            raise UsageError(f"unknown metrics {unknown}", mend=f"choose from {', '.join(METRICS)}")
        for model in models:
            as_call(model)
        self.models = list(models)
        self.metrics = tuple(metrics)
        self._settings = Settings.of(_tier(tier), seed, self.metrics)
        self._limit_s = request_limit_s
        self._inputs, self._labels, self._as_tensor = _arrays(datasets[0])

    def run(self, model: object | None = None, progress: Progress = silent) -> BenchmarkResults:
        """Measure all models interleaved, and give the first one's results; or `model` interleaved with the first."""
        if model is None:
            results = self._measure(self.models, progress, self)
            results[0].others = tuple(results[1:])
            return results[0]
        baseline, optimized = self._measure([self.models[0], model], progress, self)
        optimized.partner = baseline
        return optimized

    def compare(self, baseline: object, optimized: object, progress: Progress = silent) -> BenchmarkComparison:
        """Measure two models interleaved; the speedup carries its interval, p-value and verdict."""
        first, second = self._measure([baseline, optimized], progress, object())
        second.partner = first
        a, b = first.model_record.metrics, second.model_record.metrics
        beside = first.protocol.yardstick
        statistics = compare_metrics(
            a, b, surroundings=Surroundings(typical_excess=beside.typical_excess) if beside else NOTHING_KNOWN
        )
        return BenchmarkComparison(
            baseline=first,
            optimized=second,
            speedup=statistics.speedup,
            compression_ratio=compression_ratio(a.memory, b.memory) if a.memory and b.memory else None,
            accuracy_delta=statistics.accuracy_delta,
        )

    def _measure(self, models: list[object], progress: Progress, origin: object) -> list[BenchmarkResults]:
        reason = ""
        artifacts: Sequence[Artifact | None] = [None] * len(models)
        try:
            session, artifacts = self._in_workers(models, progress)
        except _NoWorkersError as error:
            reason = str(error)
        if reason:
            venue = self._this_process(models, reason)
            warnings.warn(f"{reason}; measured in this process instead, which gives no interval", stacklevel=3)
            session = self._checked(venue, progress)
        records = [
            session.record(index, type(model).__qualname__, Truth(self._labels), artifacts[index])
            for index, model in enumerate(models)
        ]
        return [BenchmarkResults(record, session.protocol, session.system_info, origin) for record in records]

    def _in_workers(self, models: list[object], progress: Progress) -> tuple[Session, Sequence[Artifact | None]]:
        """The session in fresh processes and what each model was sent as; _NoWorkersError where that cannot be done."""
        with owners.scratch() as scratch:
            inputs = scratch / "inputs.npy"
            np.save(inputs, self._inputs, allow_pickle=False)
            try:
                sources = sources_of(models, scratch)
                artifacts = [Artifact.of(Path(source.arguments["path"]).read_bytes()) for source in sources]
                sendable = Sendable(sources, str(inputs), self._as_tensor)
                return self._checked(Workers(sendable, scratch, self._limit_s), progress), artifacts
            except (UnsendableError, SetupMissingError) as error:
                raise _NoWorkersError(error.message) from error
            except WorkerFailedError as failure:
                if failure.outcome == "timed out":
                    mend = f"give Benchmark a request_limit_s above {self._limit_s:g}"
                    raise RunError(f"a model took too long: {failure.detail}", mend=mend) from failure
                if isinstance(failure, ModelLoadError) and failure.outcome == "raised":
                    message = f"a worker process cannot rebuild the models ({failure.detail})"
                    raise _NoWorkersError(message) from failure
                raise

    def _this_process(self, models: list[object], reason: str) -> ThisProcess:
        """ModelError for models that can neither be measured elsewhere, for that reason, nor be copied."""
        for model in models:
            try:
                copy.deepcopy(model)
            except Exception as error:  # noqa: BLE001 - whatever a stranger's __setstate__ raises
                message = f"{reason}; and it cannot be copied here: {error}"
                raise ModelError(message, mend="keep open files, locks and generators out of the model") from None
        builders = tuple(partial(copy.deepcopy, model) for model in models)
        return ThisProcess(Subjects(builders, self._inputs, self._as_tensor))

    def _checked(self, venue: Venue, progress: Progress) -> Session:
        with venue.alone(self._settings.first_seed) as alone:
            survey = survey_models(alone, progress)
            for model, seen in enumerate(survey.models):
                if seen.differing is not None:
                    raise ModelError(
                        f"model {model} gives another output for sample {seen.differing} alone than in the batch",
                        mend="single samples are what is timed: make a model's output independent of the batch",
                    )
            if warning := long_measurement(self._settings, survey):
                warnings.warn(warning, stacklevel=5)  # at the line that called run or compare
            return measure_models(venue, alone, self._settings, survey, progress)


def _tier(tier: str | Tier) -> Tier:
    if isinstance(tier, Tier):
        return tier
    if tier not in TIERS:
        raise UsageError(f"unknown tier {tier!r}", mend=f"choose from {', '.join(TIERS)}")
    return TIERS[tier]


def _arrays(dataset: object) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Inputs, labels, and whether models are to be given Tensors (they get what the caller's data is made of)."""
    if isinstance(dataset, Dataset):
        fields: Sequence[Any] = dataset.batch(np.arange(len(dataset))) if len(dataset) else ()
    else:
        fields = dataset if isinstance(dataset, (tuple, list)) else ()
    if len(fields) != 2:
        raise UsageError("a dataset must be a pair (inputs, labels), or a tinytorch Dataset of at least one such pair")
    try:
        inputs, labels = np.asarray(fields[0]), np.asarray(fields[1])
    except ValueError as error:
        message = f"inputs or labels are of unequal length inside: {error}"
        raise ShapeError(message, mend="give every sample as many numbers") from error
    if inputs.dtype.hasobject or labels.dtype.hasobject:
        raise UsageError("inputs and labels must be arrays of numbers", mend="give arrays that are not of objects")
    if not inputs.ndim or not len(inputs) or len(inputs) != len(labels):
        raise ShapeError(f"inputs {inputs.shape} and labels {labels.shape} must have equally many rows, at least 1")
    return inputs, labels, isinstance(dataset, Dataset) or isinstance(fields[0], Tensor)
