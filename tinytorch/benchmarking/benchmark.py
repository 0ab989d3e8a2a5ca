"""Benchmark: measure models on your own data, honestly, from a script or a notebook (module 19)."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking import samples
from tinytorch.benchmarking.bench import Bench, Description, ModelSource, as_call
from tinytorch.benchmarking.samples import Accuracy, Comparison, Latency, Memory, Metrics, ModelRecord, Throughput
from tinytorch.benchmarking.schedule import TIERS, Tier
from tinytorch.benchmarking.session import AnyBench, Mode, Session, run_session
from tinytorch.benchmarking.workers import ModelLoadError, remote_bench
from tinytorch.core.dataloader import Dataset
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError
from tinytorch.files import sha256

MetricRecord = Latency | Memory | Accuracy | Throughput


class BenchmarkResults(Mapping[str, MetricRecord]):
    """Metric name -> record with `.mean .std .ci_lower .ci_upper` (ms, MB, fraction).

    `partner` holds the benchmark's first model as it was measured, interleaved, in the same session.
    """

    def __init__(
        self,
        model_record: ModelRecord,
        protocol: samples.Protocol,
        system_info: samples.SystemInfo,
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
        metrics: Sequence[str] = samples.METRICS,
        *,
        tier: str | Tier = "default",
        seed: int = 0,
    ) -> None:
        if not models or len(datasets) != 1:
            raise UsageError(f"Benchmark needs models and one dataset, got {len(models)} and {len(datasets)}")
        unknown = [metric for metric in metrics if metric not in samples.METRICS]
        if unknown or not metrics:
            raise UsageError(f"unknown metrics {unknown}", mend=f"choose from {', '.join(samples.METRICS)}")
        for model in models:
            as_call(model)
        self.models = list(models)
        self.metrics = tuple(metrics)
        self._tier = _tier(tier)
        self._seed = seed
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
        return BenchmarkComparison(
            baseline=first,
            optimized=second,
            speedup=samples.compare_latency(a.latency, b.latency) if a.latency and b.latency else None,
            compression_ratio=a.memory.mean / b.memory.mean if a.memory and b.memory else None,
            accuracy_delta=samples.compare_accuracy(a.accuracy, b.accuracy) if a.accuracy and b.accuracy else None,
        )

    def _measure(self, models: list[object]) -> list[BenchmarkResults]:
        with tempfile.TemporaryDirectory() as scratch:
            sources = _pickled(models, Path(scratch))
            try:
                session = self._in_workers(sources, Path(scratch)) if sources else self._in_this_process(models)
            except ModelLoadError as failure:
                if failure.outcome != "raised":
                    raise
                # defined where no worker can import it: a notebook, a script's own classes
                session = self._in_this_process(models)
            artifacts = [Path(source.arguments["path"]).read_bytes() for source in sources or []]
        records = [
            self._record(session, index, model, artifacts[index] if artifacts else None)
            for index, model in enumerate(models)
        ]
        return [BenchmarkResults(record, session.protocol, session.system_info) for record in records]

    def _in_workers(self, sources: list[ModelSource], scratch: Path) -> Session:
        inputs = scratch / "inputs.npy"
        np.save(inputs, self._inputs, allow_pickle=False)

        @contextmanager
        def open_bench(copies: int, seed: int) -> Iterator[AnyBench]:
            with remote_bench(sources, inputs, self._as_tensor, copies, seed, scratch) as bench:
                yield bench

        return self._session(open_bench, len(sources), "worker processes")

    def _in_this_process(self, models: list[object]) -> Session:
        builders = [lambda model=model: copy.deepcopy(model) for model in models]

        def open_bench(copies: int, seed: int) -> nullcontext[AnyBench]:
            return nullcontext(Bench(builders, self._inputs, self._as_tensor, copies, seed))

        return self._session(open_bench, len(models), "this process")

    def _session(self, open_bench: Any, models: int, mode: Mode) -> Session:
        return run_session(open_bench, models, self._tier, self._seed, mode, self.metrics)

    def _record(self, session: Session, index: int, model: object, artifact: bytes | None) -> ModelRecord:
        survey = session.surveys[index]
        latency = session.latency[index] if session.latency else None
        return model_record(
            type(model).__qualname__, survey.description, self.metrics, latency,
            right=correctness(survey.outputs, self._labels) if "accuracy" in self.metrics else None,
            throughput=Throughput.from_samples(survey.pass_ns, len(self._inputs)) if latency else None,
            artifact_sha256=sha256(artifact) if artifact else None,
            artifact_bytes=len(artifact) if artifact else None,
        )  # fmt: skip


def model_record(
    name: str,
    description: Description,
    metrics: Sequence[str],
    latency: Latency | None,
    right: list[bool] | None,
    throughput: Throughput | None,
    artifact_sha256: str | None = None,
    artifact_bytes: int | None = None,
) -> ModelRecord:
    """The record of one model from what a session saw of it."""
    kept = description.kept_bytes
    memory = Memory.from_bytes(kept, artifact_bytes, description.peak_working_bytes) if kept else None
    return ModelRecord(
        name=name,
        parameters=description.parameters,
        layer_kinds=description.layer_kinds,
        artifact_sha256=artifact_sha256,
        metrics=Metrics(
            latency=latency,
            memory=memory if "memory" in metrics else None,
            accuracy=Accuracy.from_correctness(right) if right is not None else None,
            throughput=throughput,
        ),
    )


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


def _pickled(models: list[object], scratch: Path) -> list[ModelSource] | None:
    """Sources for workers, or None for models that cannot be pickled at all (lambdas, open files)."""
    sources = []
    for index, model in enumerate(models):
        try:
            content = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError):
            return None
        path = scratch / f"model-{index}.pickle"
        path.write_bytes(content)
        sources.append(ModelSource("tinytorch.benchmarking.benchmark:unpickle", {"path": str(path)}))
    return sources


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
