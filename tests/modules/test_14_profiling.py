"""What the course promises of module 14, whoever wrote it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.perf.profiling import Profiler, analyze_weight_distribution, quick_profile


def model() -> Sequential:
    return Sequential(Linear(64, 32), ReLU(), Linear(32, 10))


def test_parameters_are_counted() -> None:
    assert Profiler().count_parameters(model()) == 64 * 32 + 32 + 32 * 10 + 10


def test_a_product_costs_two_flops_for_each_weight() -> None:
    assert Profiler().count_flops(Linear(64, 32), (1, 64)) == pytest.approx(2 * 64 * 32, rel=0.02)


def test_weights_take_four_bytes_each() -> None:
    found = Profiler().measure_memory(model(), (1, 64))

    assert found["parameter_memory_mb"] == pytest.approx(4 * 2410 / 2**20)
    assert found["peak_memory_mb"] >= found["parameter_memory_mb"]


class Busy:
    """A model that takes two milliseconds at least, however fast the machine is."""

    def __init__(self, first_calls_s: float = 0.002, later_calls_s: float = 0.002, first_calls: int = 0) -> None:
        self.calls, self._first_calls = 0, first_calls
        self._first_s, self._later_s = first_calls_s, later_calls_s

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        end = time.perf_counter() + (self._first_s if self.calls <= self._first_calls else self._later_s)
        while time.perf_counter() < end:
            pass
        return x

    __call__ = forward


def test_a_latency_is_a_time_in_milliseconds() -> None:
    x = Tensor(np.zeros((1, 64)))

    assert 2 <= Profiler().measure_latency(Busy(), x, warmup=2, iterations=5) < 100


def test_calls_to_warm_up_are_not_counted() -> None:
    cold = Busy(first_calls_s=0.2, later_calls_s=0.0, first_calls=3)

    assert Profiler().measure_latency(cold, Tensor(np.zeros((1, 64))), warmup=3, iterations=3) < 100


def test_one_slow_call_does_not_change_the_median() -> None:
    interrupted = Busy(first_calls_s=0.3, later_calls_s=0.0, first_calls=1)

    assert Profiler().measure_latency(interrupted, Tensor(np.zeros((1, 64))), warmup=0, iterations=5) < 50


def test_most_slow_calls_make_a_slow_median() -> None:
    tired = Busy(first_calls_s=0.02, later_calls_s=0.0, first_calls=3)

    assert Profiler().measure_latency(tired, Tensor(np.zeros((1, 64))), warmup=0, iterations=5) >= 20


def test_flops_are_those_of_one_sample() -> None:
    assert Profiler().count_flops(Linear(64, 32), (8, 64)) == Profiler().count_flops(Linear(64, 32), (1, 64))


def test_as_many_calls_are_made_as_were_asked_for() -> None:
    model = Busy(later_calls_s=0.0)
    Profiler().measure_latency(model, Tensor(np.zeros((1, 64))), warmup=2, iterations=5)

    assert model.calls == 7


def test_two_layers_cost_what_both_do() -> None:
    first, second = Linear(64, 32), Linear(32, 10)

    assert Profiler().count_flops(Sequential(first, second), (1, 64)) == pytest.approx(
        2 * (64 * 32 + 32 * 10), rel=0.02
    )


def test_the_figures_of_weights_are_theirs() -> None:
    made = Sequential(Linear(2, 2, bias=False))
    made.layers[0].weight.data = np.array([[1.0, 2.0], [3.0, 6.0]], np.float32)

    assert analyze_weight_distribution(made)["mean"] == pytest.approx(3)


def test_a_quick_profile_has_the_figures_together() -> None:
    assert quick_profile(model(), Tensor(np.zeros((1, 64))))


def test_the_weights_of_a_model_are_described() -> None:
    assert analyze_weight_distribution(model())["total_weights"] >= 64 * 32 + 32 * 10
