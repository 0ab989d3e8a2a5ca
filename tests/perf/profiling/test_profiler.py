"""The curriculum's profiler: its names, its units, and nothing in it that was not counted or measured."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking.records.work import Limits
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.spatial import AvgPool2d, Conv2d, MaxPool2d
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT
from tinytorch.errors import UsageError
from tinytorch.perf.profiling import Profiler, analyze_weight_distribution, profiler, quick_profile
from tinytorch.perf.quantization import quantize_model
from tinytorch.units import BYTES_PER_MEBIBYTE

MODEL = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))
INPUTS = Tensor(np.ones((5, 4)))


@pytest.mark.parametrize("batch", [1, 7])
def test_flops_are_those_of_one_sample(batch: int) -> None:
    assert Profiler().count_flops(MODEL, (batch, 4)) == 24 + 3 + 12


@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
def test_shapes_go_on_through_convolutions_and_pools(pool: Any) -> None:
    model = Sequential(Conv2d(1, 2, 3), pool(2), Conv2d(2, 3, 3))

    assert Profiler().count_flops(model, (5, 1, 10, 10)) == 8 * 8 * 9 * 2 * 2 + 2 * 64 + 2 * 2 * 9 * 2 * 3 * 2


def test_a_shape_of_one_axis_is_one_sample() -> None:
    assert Profiler().count_flops(MODEL, (4,)) == 24 + 3 + 12
    assert quick_profile(MODEL, Tensor(np.ones(4)))["flops"] == 24 + 3 + 12


class WithList(Layer):
    def __init__(self) -> None:
        self.layers, self.relu = [Linear(64, 32), Linear(32, 10)], ReLU()

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.layers
        return second(self.relu(first(x)))


class WithHead(WithList):
    def __init__(self) -> None:
        super().__init__()
        self.head = Linear(10, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(super().forward(x))


def test_what_has_weights_beside_the_list_is_counted() -> None:
    assert Profiler().count_flops(WithHead(), (1, 64)) == 2 * (64 * 32 + 32 * 10 + 10 * 5)


def test_of_a_model_with_a_list_of_layers_those_are_counted() -> None:
    assert Profiler().count_flops(WithList(), (1, 64)) == 2 * (64 * 32 + 32 * 10)
    assert quick_profile(WithList(), Tensor(np.ones((1, 64))))["flops"] == 2 * (64 * 32 + 32 * 10) + 32


def test_a_model_that_reads_tokens_is_counted() -> None:
    assert Profiler().count_flops(GPT(7, 8, 1, 2, 5), (4, 3)) == 6708


class Plain:
    """No layer of ours: its weight is 2 MiB, its output one."""

    def __init__(self) -> None:
        self.weight = Tensor(np.zeros((512, 1024)))

    def forward(self, inputs: Tensor) -> Tensor:
        return Tensor(np.zeros((256, 1024)))


def test_parameters_of_any_class_are_counted() -> None:
    assert [Profiler().count_parameters(model) for model in (MODEL, Plain())] == [15 + 8, 2**19]


class Wrapped:
    """No layer of ours, around layers whose weights are compact."""

    def __init__(self) -> None:
        self.inside = quantize_model(Sequential(Linear(8, 4)))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.inside(inputs)


def test_compact_weights_count_as_what_they_are() -> None:
    for model in (Wrapped(), Wrapped().inside):
        assert Profiler().count_parameters(model) == 32 + 4
        assert (
            Profiler().measure_memory(model, (1, 8))["parameter_memory_mb"] * BYTES_PER_MEBIBYTE == 32 + 4 * 2 + 4 * 2
        )
        assert analyze_weight_distribution(model)["total_weights"] == 32 + 4


def test_memory_is_in_mebibytes_and_the_highest_point_contains_the_weights() -> None:
    found = Profiler().measure_memory(Plain(), (1, 1024))

    assert found["parameter_memory_mb"] == 2
    assert found["activation_memory_mb"] == 1 + 4096 / BYTES_PER_MEBIBYTE
    assert 3 <= found["peak_memory_mb"] < 6
    assert 0 < found["memory_efficiency"] <= 1


def test_an_output_that_is_the_input_counts_once() -> None:
    assert Profiler().measure_memory(Dropout(0.5), (1, 1024))["activation_memory_mb"] == 4096 / BYTES_PER_MEBIBYTE


def test_results_on_the_way_count_as_activations() -> None:
    found = Profiler().measure_memory(MODEL, (1, 4))

    assert found["activation_memory_mb"] * BYTES_PER_MEBIBYTE == 4 * (4 + 3 + 3 + 2)


def test_somebody_else_s_tracing_of_memory_goes_on() -> None:
    tracemalloc.start()
    try:
        Profiler().measure_memory(MODEL, (1, 4))
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_latency_is_that_of_inference_and_of_as_many_passes() -> None:
    calls: list[bool] = []

    class Listener(Dropout):
        def forward(self, inputs: Tensor, training: bool | None = None) -> Tensor:
            calls.append(self.training)
            return super().forward(inputs, training)

    assert Profiler().measure_latency(Listener(0.5), INPUTS, warmup=2, iterations=3) > 0
    assert calls == [False] * 5


@pytest.mark.parametrize("options", [{"iterations": 0}, {"warmup": -1}])
def test_a_latency_of_no_passes_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"a latency needs (iterations|warmup) as an integer"):
        Profiler().measure_latency(MODEL, INPUTS, **options)


def test_a_layer_s_profile_has_its_rate_over_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Profiler, "measure_latency", lambda *args, **options: 2.0)
    found = Profiler().profile_layer(Linear(4, 3), (7, 4))

    assert (found["layer_type"], found["parameters"], found["flops"]) == ("Linear", 15, 24)
    assert found["gflops_per_second"] == pytest.approx(7 * 24 / 1e9 / 0.002)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forward pass of 2 ms, a step of training of 5; 1 MB/s from memory, 2 MFLOP/s; 100 bytes while a pass runs."""
    took_ms = {profiler.FORWARD_PASSES: 2, profiler.STEPS: 5}
    shapes = {sum(passes): time_ms for passes, time_ms in took_ms.items()}
    monkeypatch.setattr(profiler, "time_block", lambda call, batches, warmup: [shapes[len(batches)] * 10**6])
    monkeypatch.setattr(
        profiler,
        "examine_limits",
        lambda kept_bytes: Limits(memory_bandwidth_bytes_per_s=1e6, near_bandwidth_bytes_per_s=1e6, flops_per_s=2e6),
    )
    monkeypatch.setattr(profiler, "peak_working_bytes", lambda call, sample: 100)


MOVED = 4 * ((4 + 12 + 3 + 3) + (3 + 3) + (3 + 6 + 2 + 2))  # of one sample: inputs, weights, biases, outputs


def test_rates_follow_from_what_was_measured(scripted: None) -> None:
    found = quick_profile(MODEL, INPUTS)

    assert found["latency_ms"] == 2
    assert found["gflops_per_second"] == pytest.approx(5 * 39 / 0.002 / 1e9)
    assert found["memory_bandwidth_mbs"] == pytest.approx(5 * MOVED / BYTES_PER_MEBIBYTE / 0.002)
    assert found["computational_efficiency"] == pytest.approx(5 * 39 / 0.002 / 2e6)
    assert (found["is_memory_bound"], found["bottleneck"]) == (True, "memory")


def test_the_backward_pass_is_what_a_step_takes_longer(scripted: None) -> None:
    found = Profiler().profile_backward_pass(MODEL, INPUTS)
    weights, kept = 4 * 23, 5 * 4 * (4 + 3 + 3 + 2)

    assert (found["forward_latency_ms"], found["backward_latency_ms"], found["total_latency_ms"]) == (2, 3, 5)
    assert found["total_memory_mb"] * BYTES_PER_MEBIBYTE == pytest.approx(2 * weights + kept)
    assert found["forward_memory_mb"] * BYTES_PER_MEBIBYTE == pytest.approx(weights + 5 * 16 + 100)
    assert found["total_gflops_per_second"] == pytest.approx(5 * found["total_flops"] / 0.005 / 1e9)


def test_memory_is_used_well_as_far_as_it_holds_weights_and_results(scripted: None) -> None:
    useful, peak = 4 * 23 + 4 * (4 + 3 + 3 + 2), 4 * 23 + 16 + 100

    assert Profiler().measure_memory(MODEL, (1, 4))["memory_efficiency"] == pytest.approx(useful / peak)
    assert Profiler().measure_memory(MODEL, (50, 4))["memory_efficiency"] == 1  # the peak is that of another size


def test_a_forward_pass_has_all_figures_and_what_limits_it() -> None:
    found = quick_profile(MODEL, INPUTS)

    assert (found["flops"], found["parameters"]) == (39, 23)
    assert found["bottleneck"] == ("memory" if found["is_memory_bound"] else "compute")
    assert found["is_memory_bound"] is not found["is_compute_bound"]
    assert min(found["latency_ms"], found["computational_efficiency"], found["memory_bandwidth_mbs"]) > 0


@pytest.mark.parametrize("loss_fn", [None, lambda outputs: CrossEntropyLoss()(outputs, np.zeros(5, int))])
def test_the_backward_pass_is_measured_and_its_gradients_counted(loss_fn: Any) -> None:
    found = Profiler().profile_backward_pass(MODEL, INPUTS, loss_fn)
    of_loss = 5 * 2 if loss_fn else 2

    # a weight and a bias, the activation, and inputs, weight and bias of the second layer
    assert found["backward_flops"] == 24 + 3 + 3 + 2 * 12 + 2 + of_loss
    assert found["total_flops"] == found["forward_flops"] + found["backward_flops"]
    assert found["total_latency_ms"] > 0
    assert found["gradient_memory_mb"] == 4 * 23 / BYTES_PER_MEBIBYTE
    assert found["optimizer_memory_estimates"]["adam"] == 2 * found["gradient_memory_mb"]


def test_profiling_a_backward_pass_leaves_gradients_as_they_were() -> None:
    model = Sequential(Linear(4, 3))
    first, second = model.parameters()
    first.grad = np.ones((4, 3), np.float32)
    Profiler().profile_backward_pass(model, INPUTS)

    assert (first.grad == 1).all()
    assert second.grad is None


def test_a_model_without_gradients_has_no_backward_pass() -> None:
    with pytest.raises(UsageError, match="no gradient"):
        Profiler().profile_backward_pass(ReLU(), INPUTS)


def test_weights_are_described_by_their_sizes() -> None:
    layer = Linear.from_arrays(np.array([[0.0, -0.005], [0.5, -2.0]], np.float32))
    found = analyze_weight_distribution(layer, percentiles=[50])

    assert (found["total_weights"], found["min"], found["max"]) == (4, 0, 2)
    assert found["percentile_50"] == pytest.approx(0.2525)
    assert (found["below_threshold_0001"], found["below_threshold_001"], found["below_threshold_01"]) == (25, 50, 50)


def test_a_model_without_weights_says_so() -> None:
    assert analyze_weight_distribution(ReLU()) == {"error": "No weights found"}
