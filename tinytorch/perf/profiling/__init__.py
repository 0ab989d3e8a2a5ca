"""Profiling: what a model costs, layer by layer, counted and measured (module 14)."""

from tinytorch.perf.profiling.layers import LayerProfile, ModelProfile, profile_model
from tinytorch.perf.profiling.profiler import Profiler, analyze_weight_distribution, quick_profile
from tinytorch.perf.profiling.roofline import Bottleneck, find_bottleneck, measure_limits

__all__ = [
    "Bottleneck",
    "LayerProfile",
    "ModelProfile",
    "Profiler",
    "analyze_weight_distribution",
    "find_bottleneck",
    "measure_limits",
    "profile_model",
    "quick_profile",
]
