"""Honest measurement (module 19). `from tinytorch.benchmarking import Benchmark`; loaded when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.benchmarking.benchmark import Benchmark, BenchmarkComparison, BenchmarkResults

__all__ = ["Benchmark", "BenchmarkComparison", "BenchmarkResults"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tinytorch.benchmarking import benchmark

    return getattr(benchmark, name)
