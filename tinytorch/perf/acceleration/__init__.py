"""Acceleration: the same results in less time (module 18)."""

from tinytorch.perf.acceleration.compiled import CompiledModel, compile_model

__all__ = ["CompiledModel", "compile_model"]
