"""Module 19 in another style: figures come from the standard library, and models take turns."""

import statistics
import time
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
from scipy import stats

from tinytorch.core.tensor import Tensor


class BenchmarkResult:
    def __init__(self, metric_name, values, metadata=None):
        self.metric_name, self.values, self.metadata = metric_name, list(values), metadata or {}
        self.mean, self.median = statistics.fmean(values), statistics.median(values)
        self.std = statistics.stdev(values) if len(values) > 1 else 0.0
        self.min_val, self.max_val, self.count = min(values), max(values), len(values)
        reach = stats.t.ppf(0.975, max(self.count - 1, 1)) * self.std / self.count**0.5
        self.ci_lower, self.ci_upper = self.mean - reach, self.mean + reach

    def to_dict(self):
        return dict(vars(self))


@contextmanager
def precise_timer():
    timer = SimpleNamespace(elapsed=0.0)
    start = time.perf_counter()
    yield timer
    timer.elapsed = time.perf_counter() - start


def beats(one, other, lower_is_better):
    signed = [(a, b) if low else (-a, -b) for a, b, low in zip(one, other, lower_is_better)]
    return all(a <= b for a, b in signed) and any(a < b for a, b in signed)


def pareto_frontier(points, lower_is_better):
    return [
        name for name, point in points.items()
        if not any(beats(other, point, lower_is_better) for other in points.values())
    ]  # fmt: skip


class Benchmark:
    def __init__(self, models, datasets, warmup_runs=5, measurement_runs=10):
        self.models, self.datasets = models, datasets
        self.warmup_runs, self.measurement_runs = warmup_runs, measurement_runs

    def run_latency_benchmark(self, input_shape=(1, 28, 28)):
        x = Tensor(np.zeros(input_shape))
        times = {model.name: [] for model in self.models}
        for turn in range(self.warmup_runs + self.measurement_runs):
            for model in self.models:
                with precise_timer() as timer:
                    model.forward(x)
                if turn >= self.warmup_runs:
                    times[model.name].append(1000 * timer.elapsed)
        return {name: BenchmarkResult("latency", values) for name, values in times.items()}

    def run_accuracy_benchmark(self):
        return {model.name: BenchmarkResult("accuracy", [share(model, *data) for data in self.datasets])
                for model in self.models}  # fmt: skip

    def run_memory_benchmark(self, input_shape=(1, 28, 28)):
        sizes = {model.name: sum(each.data.nbytes for each in model.parameters()) / 2**20 for model in self.models}
        return {name: BenchmarkResult("memory", [size]) for name, size in sizes.items()}


def share(model, inputs, labels):
    answers = model.forward(Tensor(inputs)).data.argmax(axis=1)
    return float(np.mean(answers == labels))
