"""Module 19: measuring so that it can be believed.

Before you write it, time one function ten times and look at the numbers: what would you tell somebody else?
Test it:  tito module test benchmarking
"""

import time
from contextlib import contextmanager

import numpy as np


class BenchmarkResult:
    """Values of one metric: mean, std, median, min_val, max_val, count, ci_lower and ci_upper.

    std is that of a sample: divided by count - 1. ci_lower and ci_upper are the 95 % interval of the mean; for few
    values it is wider than mean -+ 1.96 std / sqrt(count): Student's t knows how much.
    """

    def __init__(self, metric_name, values, metadata=None):
        raise NotImplementedError("BenchmarkResult(...)")

    def to_dict(self):
        raise NotImplementedError("to_dict")


@contextmanager
def precise_timer():
    """with precise_timer() as timer: ...; afterwards timer.elapsed has the seconds. time.perf_counter()."""
    raise NotImplementedError("precise_timer")
    yield


def pareto_frontier(points, lower_is_better):
    """The names of those points (a dict: name -> figures) that no other beats: nowhere worse and somewhere better.

    lower_is_better says for each figure whether less is better.
    """
    raise NotImplementedError("pareto_frontier")


class Benchmark:
    """Measures models on datasets, pairs (inputs, labels). Each method gives {model.name: BenchmarkResult}."""

    def __init__(self, models, datasets, warmup_runs=5, measurement_runs=10):
        raise NotImplementedError("Benchmark(...)")

    def run_latency_benchmark(self, input_shape=(1, 28, 28)):
        """Milliseconds of one call; warmup_runs calls before are not counted.

        Measure the models in turns: whatever slows the machine then slows them all.
        """
        raise NotImplementedError("run_latency_benchmark")

    def run_accuracy_benchmark(self):
        """The share of right answers on each dataset."""
        raise NotImplementedError("run_accuracy_benchmark")

    def run_memory_benchmark(self, input_shape=(1, 28, 28)):
        """MiB of all that a model keeps."""
        raise NotImplementedError("run_memory_benchmark")
