"""The compiled back end: one function that goes through a program, a table of numbers, and runs a kernel for each row.

numba compiles it once for all models and keeps it on disk, beside this file or in the user's cache. `rows` says what
each kernel is told, `machine` writes that. Arrays are contiguous, floats float32, tokens and positions int64, places
that kernels note int32.
"""

from tinytorch.perf.acceleration.kernels.program import run

__all__ = ["run"]
