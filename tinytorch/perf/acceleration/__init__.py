"""Acceleration: the same results in less time (module 18)."""

from tinytorch.perf.acceleration.backends import fastest_backend
from tinytorch.perf.acceleration.compiled import CompiledGPT, CompiledModel, compile_model
from tinytorch.perf.acceleration.curriculum import fused_gelu, im2col_conv2d, tiled_matmul, vectorized_matmul
from tinytorch.perf.acceleration.fusion import fuse

__all__ = [
    "CompiledGPT",
    "CompiledModel",
    "compile_model",
    "fastest_backend",
    "fuse",
    "fused_gelu",
    "im2col_conv2d",
    "tiled_matmul",
    "vectorized_matmul",
]
