"""The curriculum's Benchmark: the measuring of `tinytorch.benchmarking`, one metric at a time, under its names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tinytorch import benchmarking
from tinytorch.benchmarking import BenchmarkResults
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.schedule import Tier
from tinytorch.benchmarking.statistics import unit_times
from tinytorch.core.arguments import whole
from tinytorch.core.dataloader import Dataset
from tinytorch.core.model import as_call, inference
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.benchmarking.results import BenchmarkResult
from tinytorch.units import MEGABYTES_PER_MEBIBYTE, METRICS, milliseconds

Shape = tuple[int, ...]
Results = dict[str, BenchmarkResult]

USUAL_SHAPE = (1, 28, 28)
SAMPLES = 16  # of a shape that is given, so that not one input alone is timed
BUDGET_NS_PER_PROCESS = 250_000_000


@runtime_checkable
class Evaluates(Protocol):
    """A model that says itself how many answers on a dataset it gets right, as the curriculum's models may."""

    def evaluate(self, dataset: Any, /) -> float: ...


class Benchmark:
    """Measures `models` side by side on `datasets`: pairs (inputs, labels), lists of such batches, or Datasets.

    `measurement_runs` is the number of fresh processes; each gives one value, its quiet time, because in one process
    repeating a loop only repeats where its arrays happen to lie. Each block of calls discards the first five of them,
    whatever `warmup_runs` is. Models that no process can import are measured in this one, and then there is one value.
    """

    def __init__(
        self, models: Sequence[object], datasets: Sequence[Any], warmup_runs: int = 5, measurement_runs: int = 10
    ) -> None:
        if not models:
            raise UsageError("a Benchmark needs at least one model")
        whole("a Benchmark needs measurement_runs", measurement_runs, 1)
        self.models, self.datasets = list(models), list(datasets)
        self.warmup_runs, self.measurement_runs = warmup_runs, measurement_runs
        self.model_names = _names(self.models)
        self.results: dict[str, Results] = {}

    def run_latency_benchmark(self, input_shape: Shape | None = None) -> Results:
        """Milliseconds of one inference of one sample, by model.

        Inputs are the first dataset's, or of a shape that is given; it begins with the batch, which is one here.
        """
        measured = _measured(self.models, "latency", self._inputs(input_shape), self.measurement_runs)
        return self._kept("latency", [_latency(found) for found in measured])

    def run_accuracy_benchmark(self) -> Results:
        """The share of right answers, one value for each dataset, by model; of one with `evaluate` by its own word."""
        if not self.datasets:
            raise UsageError("accuracy needs at least one dataset of inputs and labels")
        found = {name: self._accuracy(model) for name, model in zip(self.model_names, self.models, strict=True)}
        self.results["accuracy"] = found
        return found

    def run_memory_benchmark(self, input_shape: Shape | None = None) -> Results:
        """MiB that a model keeps between inferences, counted exactly, by model."""
        measured = _measured(self.models, "memory", self._inputs(input_shape), runs=1)
        return self._kept("memory", [([found["memory"].mean / MEGABYTES_PER_MEBIBYTE], found) for found in measured])

    def compare_models(self, metric: str = "latency") -> list[dict[str, Any]]:
        """A row of figures for each model, measured now if that was not done yet; UsageError for an unknown metric."""
        if metric not in METRICS:
            raise UsageError(f"there is no metric {metric!r}", mend=f"choose from {', '.join(METRICS)}")
        found = self.results[metric] if metric in self.results else getattr(self, f"run_{metric}_benchmark")()
        shown = ("mean", "std", "ci_lower", "ci_upper", "count")
        return [{"model": name, "metric": metric, **{each: getattr(row, each) for each in shown}}
                for name, row in found.items()]  # fmt: skip

    def _inputs(self, shape: Shape | None) -> Any:
        """Inputs with labels that nobody looks at: the first dataset's, or random ones of a shape.

        What has no inputs, a name or a stand-in of a test, is as good as no dataset here.
        """
        if shape is None and self.datasets and _has_inputs(self.datasets[0]):
            return as_pair(self.datasets[0])
        return noise(shape or USUAL_SHAPE, seed=0)

    def _accuracy(self, model: object) -> BenchmarkResult:
        if isinstance(model, Evaluates):
            told = [model.evaluate(dataset) for dataset in self.datasets]
            return BenchmarkResult("accuracy", told, {"measured_in": "the model's own evaluate()"})
        found = [_measured([model], "accuracy", as_pair(dataset), runs=1)[0] for dataset in self.datasets]
        return BenchmarkResult("accuracy", [each["accuracy"].mean for each in found], _metadata(found[0]))

    def _kept(self, metric: str, found: Sequence[tuple[list[float], BenchmarkResults]]) -> Results:
        results = {
            name: BenchmarkResult(metric, values, _metadata(result))
            for name, (values, result) in zip(self.model_names, found, strict=True)
        }
        self.results[metric] = results
        return results


def noise(shape: Shape, seed: int) -> tuple[Tensor, NDArray[Any]]:
    """Inputs (SAMPLES, ...) for a shape that begins with the batch, and labels that nobody looks at."""
    values = np.random.default_rng(seed).standard_normal((SAMPLES, *shape[1:]), np.float32)
    return Tensor(values), np.zeros(SAMPLES, np.int64)


def check_answers(model: object, inputs: Any, labels: Any = None) -> None:
    """Let a model answer once, before anything is measured; UsageError where it does not score the labels' classes."""
    with inference(model):
        scores = np.asarray(as_call(model)(inputs if isinstance(inputs, Tensor) else Tensor(np.asarray(inputs))))
    classes = np.asarray([] if labels is None else labels)
    if scores.ndim == 2 and classes.size and not 0 <= classes.min() <= classes.max() < scores.shape[1]:
        message = f"labels go from {classes.min()} to {classes.max()}, and the model scores {scores.shape[1]} classes"
        raise UsageError(message, mend="number classes from 0 on")


def _measured(models: list[object], metric: str, dataset: Any, runs: int) -> list[BenchmarkResults]:
    """Each model's results of one metric, all measured in one session of so many processes."""
    tier = Tier("curriculum", BUDGET_NS_PER_PROCESS * runs, processes=runs)
    first = benchmarking.Benchmark(models, [dataset], [metric], tier=tier).run()
    return [first, *first.others]


def _has_inputs(dataset: Any) -> bool:
    """Whether it is a pair, a list of pairs, or something to take samples from."""
    if isinstance(dataset, (tuple, list)):
        return bool(dataset) and (len(dataset) == 2 or isinstance(dataset[0], tuple))
    return isinstance(dataset, Dataset)


def as_pair(dataset: Any) -> Any:
    """A list of batches as one pair of inputs and labels; anything else as it is."""
    batches = dataset if isinstance(dataset, list) and dataset and isinstance(dataset[0], tuple) else None
    if batches is None:
        return dataset
    if any(labels is None for _, labels in batches):
        raise UsageError("the dataset has inputs without labels: accuracy needs both")
    inputs, labels = (np.concatenate([np.asarray(batch[part]) for batch in batches]) for part in (0, 1))
    return Tensor(inputs), labels


def _latency(found: BenchmarkResults) -> tuple[list[float], BenchmarkResults]:
    """The quiet time of every unit, ms."""
    record = found["latency"]
    if not isinstance(record, Latency) or record.block_times_ns is None:
        raise UsageError("latency must be measured")
    times = unit_times(record.block_times_ns, record.copies_per_unit or 1)
    return [milliseconds(time / (record.calls_per_sample or 1)) for time in times], found


def _metadata(found: BenchmarkResults) -> Mapping[str, Any]:
    protocol = found.protocol
    return {"measured_in": protocol.mode, "processes": protocol.processes, "copies": protocol.copies}


def _names(models: Sequence[Any]) -> list[str]:
    """A model's own `name`, else `model_0` by its place; a name that another has already is told apart."""
    names: list[str] = []
    for number, model in enumerate(models):
        name = str(getattr(model, "name", f"model_{number}"))
        while name in names:
            name = f"{name}_{number}"
        names.append(name)
    return names
