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

    def forward(self, x: Tensor) -> Tensor:
        end = time.perf_counter() + 0.002
        while time.perf_counter() < end:
            pass
        return x


def test_a_latency_is_a_time_in_milliseconds() -> None:
    x = Tensor(np.zeros((1, 64)))

    assert Profiler().measure_latency(Busy(), x, warmup=2, iterations=5) >= 2


def test_a_quick_profile_has_the_figures_together() -> None:
    assert quick_profile(model(), Tensor(np.zeros((1, 64))))


def test_the_weights_of_a_model_are_described() -> None:
    assert analyze_weight_distribution(model())["total_weights"] >= 64 * 32 + 32 * 10
