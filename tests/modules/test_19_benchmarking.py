"""What the course promises of module 19, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.layers import Linear, Sequential
from tinytorch.perf.benchmarking import Benchmark, BenchmarkResult, precise_timer

INPUTS = np.random.default_rng(0).normal(size=(12, 8)).astype(np.float32)
LABELS = np.zeros(12, np.int64)
VALUES = [1.0, 2.0, 3.0, 4.0, 10.0]


def model(width: int) -> Sequential:
    made = Sequential(Linear(8, width), Linear(width, 3))
    made.name = f"width_{width}"
    return made


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    return Benchmark([model(4), model(512)], [(INPUTS, LABELS)], warmup_runs=2, measurement_runs=4)


@pytest.mark.parametrize(
    ("figure", "expected"), [("mean", 4.0), ("median", 3.0), ("min_val", 1.0), ("max_val", 10.0), ("count", 5)]
)
def test_a_result_knows_its_figures(figure: str, expected: float) -> None:
    assert getattr(BenchmarkResult("latency", VALUES), figure) == pytest.approx(expected)


def test_the_interval_holds_the_mean() -> None:
    result = BenchmarkResult("latency", VALUES)

    assert result.ci_lower < result.mean < result.ci_upper


def test_a_result_can_be_written_down() -> None:
    assert BenchmarkResult("latency", VALUES).to_dict()["mean"] == 4.0


def test_each_model_has_a_latency(benchmark: Benchmark) -> None:
    found = benchmark.run_latency_benchmark(input_shape=(1, 8))

    assert {*found} == {"width_4", "width_512"}
    assert all(0 < result.mean < 1000 for result in found.values())


def test_accuracy_is_a_share(benchmark: Benchmark) -> None:
    assert all(0 <= result.mean <= 1 for result in benchmark.run_accuracy_benchmark().values())


def test_the_larger_model_takes_more_memory(benchmark: Benchmark) -> None:
    found = benchmark.run_memory_benchmark(input_shape=(1, 8))

    assert found["width_512"].mean > found["width_4"].mean


def test_a_block_is_timed() -> None:
    with precise_timer() as timer:
        sum(range(1000))

    assert 0 < timer.elapsed < 1
