"""What the course promises of module 19, whoever wrote it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.perf.benchmarking import Benchmark, BenchmarkResult, pareto_frontier, precise_timer

INPUTS = np.random.default_rng(0).normal(size=(12, 8)).astype(np.float32)
LABELS = np.zeros(12, np.int64)
VALUES = [1.0, 2.0, 3.0, 4.0, 10.0]


def model(width: int) -> Sequential:
    made = Sequential(Linear(8, width), Linear(width, 3))
    made.name = f"width_{width}"
    return made


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    return Benchmark([model(4), model(512)], [(Tensor(INPUTS), LABELS)], warmup_runs=2, measurement_runs=4)


FIGURES = {"mean": 4.0, "median": 3.0, "min_val": 1.0, "max_val": 10.0, "count": 5, "std": 12.5**0.5}


@pytest.mark.parametrize(("figure", "expected"), FIGURES.items(), ids=FIGURES)
def test_a_result_knows_its_figures(figure: str, expected: float) -> None:
    assert getattr(BenchmarkResult("latency", VALUES), figure) == pytest.approx(expected)


def test_the_interval_holds_the_mean() -> None:
    result = BenchmarkResult("latency", VALUES)

    assert result.ci_lower < result.mean < result.ci_upper
    assert (result.ci_lower + result.ci_upper) / 2 == pytest.approx(result.mean)
    assert 2.9 < result.ci_upper - result.mean < 4.6  # 1.96 or Student's 2.78 times 3.54 / sqrt(5)


def test_more_values_make_the_interval_narrower() -> None:
    few, many = (BenchmarkResult("latency", VALUES * times) for times in (1, 20))

    assert many.ci_upper - many.ci_lower < (few.ci_upper - few.ci_lower) / 3


def test_a_result_can_be_written_down() -> None:
    assert BenchmarkResult("latency", VALUES).to_dict()["mean"] == 4.0


def test_each_model_has_a_latency(benchmark: Benchmark) -> None:
    found = benchmark.run_latency_benchmark(input_shape=(1, 8))

    assert {*found} == {"width_4", "width_512"}
    assert all(0 < result.mean < 1000 for result in found.values())
    assert all(result.count == 4 for result in found.values())


class Knowing:
    """Says class 1 for whatever begins above zero, and takes its time."""

    def __init__(self, name: str, seconds: float = 0.0, first_calls: int = 0, first_calls_s: float = 0.0) -> None:
        self.name, self._seconds, self._first_calls, self._first_calls_s = name, seconds, first_calls, first_calls_s

    def forward(self, x: Tensor) -> Tensor:
        self._first_calls -= 1
        end = time.perf_counter() + (self._first_calls_s if self._first_calls >= 0 else self._seconds)
        while time.perf_counter() < end:
            pass
        scores = np.asarray(x.data).reshape(len(x.data), -1)[:, :1]
        return Tensor(np.concatenate([-scores, scores], axis=1))

    __call__ = forward

    def parameters(self) -> list[Tensor]:
        return []


def test_a_latency_is_in_milliseconds_and_each_model_has_its_own() -> None:
    slow, quick = Knowing("slow", 0.004), Knowing("quick", 0.001)
    found = Benchmark([slow, quick], [(Tensor(INPUTS), LABELS)], 1, 4).run_latency_benchmark(input_shape=(1, 8))

    assert found["slow"].mean >= 4
    assert 1 <= found["quick"].mean < found["slow"].mean


def test_calls_to_warm_up_are_not_counted() -> None:
    cold = Knowing("cold", first_calls=3, first_calls_s=0.2)
    found = Benchmark([cold], [(Tensor(INPUTS), LABELS)], warmup_runs=3, measurement_runs=4).run_latency_benchmark(
        (1, 8)
    )

    assert found["cold"].mean < 20


@pytest.mark.parametrize("right", [0, 3, 12])
def test_accuracy_is_the_share_of_right_answers(right: int) -> None:
    answers = (INPUTS[:, 0] > 0).astype(np.int64)
    labels = np.where(np.arange(12) < right, answers, 1 - answers)
    found = Benchmark([Knowing("knowing")], [(Tensor(INPUTS), labels)], 1, 2).run_accuracy_benchmark()

    assert found["knowing"].mean == pytest.approx(right / 12)


def test_every_data_set_counts() -> None:
    answers = (INPUTS[:, 0] > 0).astype(np.int64)
    data = [(Tensor(INPUTS), answers), (Tensor(INPUTS), 1 - answers)]

    assert Benchmark([Knowing("knowing")], data, 1, 2).run_accuracy_benchmark()["knowing"].mean == pytest.approx(0.5)


FRONTS = {
    "one is quicker, one is right more often": (
        {"a": (5.0, 0.80), "b": (40.0, 0.94), "c": (40.0, 0.70), "d": (60.0, 0.94)}, (True, False), ["a", "b"]
    ),
    "equals do not beat each other": ({"x": (1.0, 1.0), "y": (1.0, 1.0), "z": (2.0, 2.0)}, (True, True), ["x", "y"]),
    "three figures": (
        {"p": (1.0, 3.0, 2.0), "q": (2.0, 1.0, 3.0), "r": (3.0, 3.0, 3.0), "s": (1.0, 3.0, 1.0)},
        (True, True, True), ["q", "s"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("points", "lower_is_better", "front"), FRONTS.values(), ids=FRONTS)
def test_on_the_pareto_front_is_who_nobody_beats(points, lower_is_better, front: list[str]) -> None:
    assert list(pareto_frontier(points, lower_is_better)) == front


def test_accuracy_is_a_share(benchmark: Benchmark) -> None:
    assert all(0 <= result.mean <= 1 for result in benchmark.run_accuracy_benchmark().values())


def test_the_larger_model_takes_more_memory(benchmark: Benchmark) -> None:
    found = benchmark.run_memory_benchmark(input_shape=(1, 8))

    assert found["width_512"].mean > found["width_4"].mean
    assert found["width_512"].mean < 1  # MiB: its weights take 0.023


def test_a_block_is_timed() -> None:
    with precise_timer() as timer:
        time.sleep(0.02)

    assert 0.02 <= timer.elapsed < 1
