"""Module 14: where time and memory go. Measure before you optimize; sizes under _mb are MiB (2^20 bytes).

Test it:  tito module test profiling
"""

import time

import numpy as np


class Profiler:
    def count_parameters(self, model):
        """How many numbers a model learns."""
        raise NotImplementedError("count_parameters")

    def count_flops(self, model, input_shape):
        """Floating-point operations for one sample: 2 * in * out for a Linear (a product and a sum for each weight)."""
        raise NotImplementedError("count_flops")

    def measure_memory(self, model, input_shape):
        """A dict: parameter_memory_mb, activation_memory_mb, peak_memory_mb, memory_efficiency."""
        raise NotImplementedError("measure_memory")

    def measure_latency(self, model, input_tensor, warmup=10, iterations=100):
        """Milliseconds: the median of many calls, after some that are not counted. Why not the mean?"""
        raise NotImplementedError("measure_latency")


def quick_profile(model, input_tensor, profiler=None):
    """All figures in a dict."""
    raise NotImplementedError("quick_profile")


def analyze_weight_distribution(model, percentiles=(10, 25, 50, 75, 90)):
    """total_weights, mean, std and percentiles: how many weights are so small that nobody would miss them?"""
    raise NotImplementedError("analyze_weight_distribution")
