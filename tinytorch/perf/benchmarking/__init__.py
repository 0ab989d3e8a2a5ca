"""The curriculum's names for measuring (module 19), on top of `tinytorch.benchmarking`. Its sizes are MiB."""

from tinytorch.perf.benchmarking.benchmark import Benchmark
from tinytorch.perf.benchmarking.mlperf import MLPerf
from tinytorch.perf.benchmarking.results import BenchmarkResult, pareto_frontier, precise_timer
from tinytorch.perf.benchmarking.suite import BenchmarkSuite

TinyMLPerf = MLPerf
"""As the class was called until spring 2026."""

__all__ = [
    "Benchmark",
    "BenchmarkResult",
    "BenchmarkSuite",
    "MLPerf",
    "TinyMLPerf",
    "pareto_frontier",
    "precise_timer",
]
