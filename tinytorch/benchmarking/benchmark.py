"""Benchmark: measure models on your own data, honestly, from a script or a notebook (module 19)."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking import records
from tinytorch.benchmarking.comparison import Comparison, compare_metrics
from tinytorch.benchmarking.placements import ModelSource, Subjects, ThisProcess, as_call
from tinytorch.benchmarking.records import Accuracy, Latency, Memory, Metrics, ModelRecord, Throughput
from tinytorch.benchmarking.remote import ModelLoadError, Workers
from tinytorch.benchmarking.schedule import TIERS, Tier
from tinytorch.benchmarking.session import Artifact, Session, Settings, run_session
from tinytorch.core.dataloader import Dataset
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError
from tinytorch.units import METRICS

MetricRecord = Latency | Memory | Accuracy | Throughput


class BenchmarkResults(Mapping[str, MetricRecord]):
    """Metric name -> record with `.mean .std .ci_lower .ci_upper` (ms, MB, fraction).

    `partner` holds the benchmark's first model as it was measured, interleaved, in the same session.
    """

    def __init__(
        self,
        model_record: ModelRecord,
        protocol: records.Protocol,
        system_info: records.SystemInfo,
        partner: BenchmarkResults | None = None,
    ) -> None:
        self.model_record = model_record
        self.protocol = protocol
        self.system_info = system_info
        self.partner = partner
        measured = {name: getattr(model_record.metrics, name) for name in Metrics.model_fields}
        self._records: dict[str, MetricRecord] = {name: record for name, record in measured.items() if record}

    def __getitem__(self, metric: str) -> MetricRecord:
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


class Benchmark:
    """Measures `models` on `datasets`; the first model is the one that others are interleaved with.

    Models are anything with `forward` or `__call__`; a dataset is (inputs, labels) with one row per sample, or a
    Dataset. Models are measured in fresh worker processes when those can rebuild them, else over live deep copies in
    this process; `protocol.mode` of every result says which.
    """

    def __init__(
        self,
        models: Sequence[object],
        datasets: Sequence[object],
        metrics: Sequence[str] = METRICS,
        *,
        tier: str | Tier = "default",
        seed: int = 0,
    ) -> None:
        if not models or len(datasets) != 1:
            raise UsageError(f"Benchmark needs models and one dataset, got {len(models)} and {len(datasets)}")
        unknown = [metric for metric in metrics if metric not in METRICS]
        if unknown or not metrics:
            raise UsageError(f"unknown metrics {unknown}", mend=f"choose from {', '.join(METRICS)}")
        for model in models:
            as_call(model)
        self.models = list(models)
        self.metrics = tuple(metrics)
        self._settings = Settings(_tier(tier), seed, self.metrics)
        self._inputs, self._labels, self._as_tensor = _arrays(datasets[0])

    def run(self, model: object | None = None) -> BenchmarkResults:
        """Measure the first model alone, or `model` interleaved with it."""
        if model is None:
            return self._measure([self.models[0]])[0]
        baseline, optimized = self._measure([self.models[0], model])
        optimized.partner = baseline
        return optimized

    def compare(self, baseline: object, optimized: object) -> BenchmarkComparison:
        """Measure two models interleaved; the speedup carries its interval, p-value and verdict."""
        first, second = self._measure([baseline, optimized])
        second.partner = first
        a, b = first.model_record.metrics, second.model_record.metrics
        statistics = compare_metrics(a, b)
        return BenchmarkComparison(
            baseline=first,
            optimized=second,
            speedup=statistics.speedup,
            compression_ratio=a.memory.mean / b.memory.mean if a.memory and b.memory else None,
            accuracy_delta=statistics.accuracy_delta,
        )

    def _measure(self, models: list[object]) -> list[BenchmarkResults]:
        with tempfile.TemporaryDirectory() as folder:
            sources = _pickled(models, Path(folder))
            session = self._session(models, sources, Path(folder))
            artifacts = [Artifact.of(Path(source.arguments["path"]).read_bytes()) for source in sources]
        records = [
            session.record(index, type(model).__qualname__, self._labels, artifacts[index] if artifacts else None)
            for index, model in enumerate(models)
        ]
        return [BenchmarkResults(record, session.protocol, session.system_info) for record in records]

    def _session(self, models: list[object], sources: tuple[ModelSource, ...], scratch: Path) -> Session:
        """In workers; in this process where a model cannot be sent, or is defined where no worker can import it."""
        builders = tuple(partial(copy.deepcopy, model) for model in models)
        here = ThisProcess(Subjects(builders, self._inputs, self._as_tensor))
        if not sources:
            return run_session(here, self._settings)
        inputs = scratch / "inputs.npy"
        np.save(inputs, self._inputs, allow_pickle=False)
        try:
            return run_session(Workers(sources, inputs, self._as_tensor, scratch), self._settings)
        except ModelLoadError as failure:
            if failure.outcome != "raised":
                raise
        return run_session(here, self._settings)


def _pickled(models: list[object], scratch: Path) -> tuple[ModelSource, ...]:
    """Sources for workers; none when one of the models cannot be pickled at all (lambdas, open files)."""
    sources = []
    for index, model in enumerate(models):
        try:
            content = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError):
            return ()
        path = scratch / f"model-{index}.pickle"
        path.write_bytes(content)
        sources.append(ModelSource("tinytorch.benchmarking.benchmark:unpickle", {"path": str(path)}))
    return tuple(sources)


def unpickle(path: str) -> object:
    """A model that this very benchmark pickled; never for files from elsewhere."""
    return pickle.loads(Path(path).read_bytes())


def _tier(tier: str | Tier) -> Tier:
    if isinstance(tier, Tier):
        return tier
    if tier not in TIERS:
        raise UsageError(f"unknown tier {tier!r}", mend=f"choose from {', '.join(TIERS)}")
    return TIERS[tier]


def _arrays(dataset: object) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Inputs, labels, and whether models are to be given Tensors (they get what the caller's data is made of)."""
    if isinstance(dataset, Dataset):
        rows = [dataset[index] for index in range(len(dataset))]
        inputs, labels = (np.stack([np.asarray(row[part]) for row in rows]) for part in (0, 1))
        return inputs, labels, True
    if not isinstance(dataset, (tuple, list)) or len(dataset) != 2:
        raise UsageError("a dataset is a pair (inputs, labels) or a tinytorch Dataset")
    inputs, labels = np.asarray(dataset[0]), np.asarray(dataset[1])
    if not inputs.ndim or not len(inputs) or len(inputs) != len(labels):
        raise ShapeError(f"inputs {inputs.shape} and labels {labels.shape} must have equally many rows, at least 1")
    return inputs, labels, isinstance(dataset[0], Tensor)
