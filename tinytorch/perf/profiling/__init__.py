"""Profiling: what a model costs, layer by layer, counted and measured (module 14)."""

from tinytorch.perf.profiling.layers import LayerProfile, ModelProfile, profile_model
from tinytorch.perf.profiling.light import look_beside
from tinytorch.perf.profiling.profiler import Profiler, analyze_weight_distribution, quick_profile
from tinytorch.perf.profiling.roofline import Bottleneck, find_bottleneck

__all__ = [
    "Bottleneck",
    "LayerProfile",
    "ModelProfile",
    "Profiler",
    "analyze_weight_distribution",
    "find_bottleneck",
    "look_beside",
    "profile_model",
    "quick_profile",
]
