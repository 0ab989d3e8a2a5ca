"""Module 14 in another style: operations are counted by what each kind of layer is known to do."""

import statistics
import time

import numpy as np

MIB = 2**20


def call(model, x):
    return model.forward(x)


class Profiler:
    def count_parameters(self, model):
        return sum(parameter.data.size for parameter in model.parameters())

    def count_flops(self, model, input_shape):
        if hasattr(model, "layers"):
            return sum(self.count_flops(layer, input_shape) for layer in model.layers)
        return 2 * model.weight.data.size if hasattr(model, "weight") else 0

    def measure_memory(self, model, input_shape):
        parameters = 4 * self.count_parameters(model) / MIB
        activations = 4 * np.prod(input_shape) / MIB
        return {
            "parameter_memory_mb": parameters,
            "activation_memory_mb": activations,
            "peak_memory_mb": parameters + activations,
            "memory_efficiency": 1.0,
        }

    def measure_latency(self, model, input_tensor, warmup=10, iterations=100):
        times = []
        for _ in range(warmup + iterations):
            start = time.perf_counter_ns()
            call(model, input_tensor)
            times.append((time.perf_counter_ns() - start) / 1e6)
        return statistics.median(times[warmup:])


def quick_profile(model, input_tensor, profiler=None):
    profiler = profiler or Profiler()
    return {
        "parameters": profiler.count_parameters(model),
        "flops": profiler.count_flops(model, input_tensor.shape),
        "latency_ms": profiler.measure_latency(model, input_tensor, 2, 5),
        **profiler.measure_memory(model, input_tensor.shape),
    }


def analyze_weight_distribution(model, percentiles=(10, 25, 50, 75, 90)):
    weights = np.abs(np.concatenate([np.ravel(parameter.data) for parameter in model.parameters()]))
    found = {"total_weights": len(weights), "mean": float(weights.mean()), "std": float(weights.std())}
    return {**found, **{f"percentile_{each}": float(np.percentile(weights, each)) for each in percentiles}}
