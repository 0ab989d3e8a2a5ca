"""The curriculum's profiler: figures of a whole model as dictionaries. Its sizes are MiB (2^20 bytes), under `_mb`.

FLOPs are those of one sample, whatever the batch; rates count the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tinytorch.benchmarking.measure import Call, examine_limits, peak_working_bytes, quiet, time_block
from tinytorch.core.arguments import whole
from tinytorch.core.compact import CompactWeight
from tinytorch.core.model import as_call, inference, tensors_of
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.weights import all_weighted_layers
from tinytorch.errors import UsageError
from tinytorch.perf.profiling.costs import Work, observing
from tinytorch.perf.profiling.layers import count_parameters, count_weight_bytes, count_work
from tinytorch.perf.profiling.roofline import roofline
from tinytorch.units import BYTES_PER_MEBIBYTE, NANOSECONDS_PER_MILLISECOND

FORWARD_PASSES, STEPS, LAYER_PASSES = (5, 20), (3, 20), (3, 10)  # to warm up, and timed
THRESHOLDS = (0.001, 0.01, 0.1)
MILLISECONDS_PER_SECOND = 1e3
OPTIMIZER_COPIES = {"sgd": 0, "adam": 2, "adamw": 2}  # of every gradient's size, that it keeps

Shape = Sequence[int]


class Profiler:
    """Counts and measures models of any class that have `forward` or can be called."""

    def count_parameters(self, model: Any) -> int:
        """Number of weights, in whatever type they are stored; shared ones count once."""
        return count_parameters(model)

    def count_flops(self, model: Any, input_shape: Shape) -> int:
        """FLOPs of one sample of shape `input_shape[1:]`, by what the model does with it (multiply-add = 2).

        Of a model with a list of `layers` they are what those and others with weights do, as the course counts; what it
        does between them is left out: 2 in out for each Linear.
        """
        return count_work(model, _one_sample(input_shape), getattr(model, "layers", None)).flops

    def measure_memory(self, model: Any, input_shape: Shape) -> dict[str, float]:
        """MiB: weights; inputs and all results on the way; the highest point of a pass, weights included.

        `memory_efficiency` is the share of the first two in the third, or in themselves if that is less.
        """
        inputs = Tensor(np.zeros(input_shape, np.float32))
        call, parameters = as_call(model), count_weight_bytes(model)
        with inference(model), no_grad():
            output = np.asarray(call(inputs))
            peak = parameters + inputs.data.nbytes + peak_working_bytes(call, inputs)
        results = count_work(model, inputs).written_bytes or (0 if output is inputs.data else output.nbytes)
        useful = parameters + inputs.data.nbytes + results
        return {
            "parameter_memory_mb": parameters / BYTES_PER_MEBIBYTE,
            "activation_memory_mb": (inputs.data.nbytes + results) / BYTES_PER_MEBIBYTE,
            "peak_memory_mb": peak / BYTES_PER_MEBIBYTE,
            "memory_efficiency": min(1.0, useful / peak) if peak else 1.0,
        }

    def measure_latency(self, model: Any, input_tensor: Any, warmup: int = 10, iterations: int = 100) -> float:
        """Median milliseconds of a pass, with one BLAS thread, in inference. UsageError without an iteration."""
        with inference(model), quiet():
            return _median_ms(as_call(model), input_tensor, warmup, iterations)

    def profile_layer(self, layer: Any, input_shape: Shape) -> dict[str, Any]:
        """Type, parameters, FLOPs, latency, rate and memory of one layer."""
        flops, inputs = self.count_flops(layer, input_shape), Tensor(np.zeros(input_shape, np.float32))
        latency_ms = self.measure_latency(layer, inputs, *LAYER_PASSES)
        return {
            "layer_type": type(layer).__name__,
            "layer_name": type(layer).__name__,
            "parameters": self.count_parameters(layer),
            "flops": flops,
            "latency_ms": latency_ms,
            "gflops_per_second": _gflops_per_second(flops * _samples(input_shape), latency_ms),
            **self.measure_memory(layer, input_shape),
        }

    def profile_forward_pass(self, model: Any, input_tensor: Any) -> dict[str, Any]:
        """All of the above for one input, and what limits the pass on this machine, whose limits are measured now."""
        shape = np.shape(input_tensor)
        work, latency_ms = self._work(model, shape), self.measure_latency(model, input_tensor, *FORWARD_PASSES)
        with threadpool_limits(1, user_api="blas"):
            limits = examine_limits(count_weight_bytes(model))
        bound, _ = roofline(work.flops, work.moved_bytes, limits)
        rate = _gflops_per_second(work.flops * _samples(shape), latency_ms)
        moved_mb = work.moved_bytes * _samples(shape) / BYTES_PER_MEBIBYTE
        return {
            "parameters": self.count_parameters(model),
            "flops": work.flops,
            "latency_ms": latency_ms,
            **self.measure_memory(model, shape),
            "gflops_per_second": rate,
            "memory_bandwidth_mbs": moved_mb * MILLISECONDS_PER_SECOND / latency_ms,
            "computational_efficiency": rate * 1e9 / limits.flops_per_s,
            "is_memory_bound": bound == "memory",
            "is_compute_bound": bound == "compute",
            "bottleneck": bound,
        }

    def profile_backward_pass(
        self, model: Any, input_tensor: Any, loss_fn: Callable[[Any], Any] | None = None
    ) -> dict[str, Any]:
        """What a pass and the gradients of `loss_fn(outputs)`, or of their sum, cost together; both are measured.

        A gradient counts as many FLOPs as the operation that it belongs to. Raises UsageError for outputs that have
        no gradient.
        """
        forward, samples = self.profile_forward_pass(model, input_tensor), _samples(np.shape(input_tensor))
        with inference(model), _gradients_put_back(model):
            step = _training_step(as_call(model), loss_fn)
            backward_flops = _gradient_flops(step, input_tensor) // samples
            total_ms = _median_ms(step, input_tensor, *STEPS)
        gradients = sum(tensor.data.nbytes for tensor in tensors_of(model) if tensor.requires_grad) / BYTES_PER_MEBIBYTE
        total_flops = forward["flops"] + backward_flops
        return {
            "forward_flops": forward["flops"],
            "forward_latency_ms": forward["latency_ms"],
            "forward_memory_mb": forward["peak_memory_mb"],
            "backward_flops": backward_flops,
            "backward_latency_ms": max(0.0, total_ms - forward["latency_ms"]),
            "gradient_memory_mb": gradients,
            "total_flops": total_flops,
            "total_latency_ms": total_ms,
            "total_memory_mb": forward["parameter_memory_mb"] + forward["activation_memory_mb"] + gradients,
            "total_gflops_per_second": _gflops_per_second(total_flops * samples, total_ms),
            "optimizer_memory_estimates": {name: copies * gradients for name, copies in OPTIMIZER_COPIES.items()},
            "memory_efficiency": forward["memory_efficiency"],
            "bottleneck": forward["bottleneck"],
        }

    def _work(self, model: Any, input_shape: Shape) -> Work:
        """What one sample costs."""
        return count_work(model, _one_sample(input_shape))


def quick_profile(model: Any, input_tensor: Any, profiler: Profiler | None = None) -> dict[str, Any]:
    """`profile_forward_pass` in one call; it prints nothing."""
    return (profiler or Profiler()).profile_forward_pass(model, input_tensor)


def analyze_weight_distribution(model: Any, percentiles: Sequence[float] = (10, 25, 50, 75, 90)) -> dict[str, Any]:
    """How large weights are, without their signs, and per cent of them below thresholds: what pruning could take away.

    The dictionary has an `error` alone when there are no weights.
    """
    compact: list[Any] = [
        layer.weight for _, layer, _ in all_weighted_layers(model) if isinstance(layer.weight, CompactWeight)
    ]
    weights = [np.abs(weight.data).ravel() for weight in (*tensors_of(model), *compact)]
    if not weights:
        return {"error": "No weights found"}
    sizes = np.concatenate(weights)
    return {
        "total_weights": sizes.size,
        "mean": float(sizes.mean()),
        "std": float(sizes.std()),
        "min": float(sizes.min()),
        "max": float(sizes.max()),
        **{f"percentile_{number}": float(np.percentile(sizes, number)) for number in percentiles},
        **{f"below_threshold_{_digits(limit)}": float(100 * (sizes < limit).mean()) for limit in THRESHOLDS},
    }


def _digits(threshold: float) -> str:
    """0.001 as `0001`: a name without a point."""
    return str(threshold).replace(".", "")


def _one_sample(shape: Shape) -> Tensor:
    return Tensor(np.zeros((1, *shape[1:]) if len(shape) > 1 else shape, np.float32))


def _samples(shape: Shape) -> int:
    """How many there are in a batch of that shape; a single axis is that of one sample."""
    return shape[0] if len(shape) > 1 else 1


def _gflops_per_second(flops: int, latency_ms: float) -> float:
    return flops / 1e9 * MILLISECONDS_PER_SECOND / latency_ms


def _median_ms(call: Call, sample: Any, warmup: int, iterations: int) -> float:
    whole("a latency needs iterations", iterations, 1)
    whole("a latency needs warmup", warmup, 0)
    with threadpool_limits(1, user_api="blas"):
        times = time_block(call, [[sample]] * (warmup + iterations), warmup)
    return float(median(times)) / NANOSECONDS_PER_MILLISECOND


def _training_step(call: Call, loss_fn: Callable[[Any], Any] | None) -> Call:
    """Forward and backward as a function of the inputs."""

    def step(inputs: Any) -> None:
        outputs: Any = call(inputs)
        loss = outputs.sum() if loss_fn is None else loss_fn(outputs)
        if not loss.requires_grad:
            raise UsageError("the outputs have no gradient", mend="give a model with trainable weights that uses them")
        loss.backward()

    return step


def _gradient_flops(step: Call, inputs: Any) -> int:
    done: list[Work] = []
    with observing(lambda work: None, done.append):
        step(inputs)
    return sum(work.flops for work in done)


@contextmanager
def _gradients_put_back(model: Any) -> Iterator[None]:
    """Gradients are afterwards what they were."""
    before = [(tensor, None if tensor.grad is None else tensor.grad.copy()) for tensor in tensors_of(model)]
    try:
        yield
    finally:
        for tensor, gradient in before:
            tensor.grad = gradient
