"""The library that multiplies matrices below numpy, and how many threads it uses. Light: every worker loads this."""

from __future__ import annotations

from typing import Any

from threadpoolctl import threadpool_info

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip
"""Read by the BLAS libraries once, when numpy loads: they must be set before that."""


def thread_environment(threads: int) -> dict[str, str]:
    """What a new process must find in its environment to use so many BLAS threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def verified_blas_threads() -> int | None:
    """Threads that the loaded BLAS really uses in this process; None when it cannot be asked."""
    blas = blas_library()
    return int(blas["num_threads"]) if blas else None


def blas_library() -> dict[str, Any] | None:
    """What is known of the BLAS that numpy uses; None when there is none that can be asked.

    Scipy may have loaded one of its own, and which comes first is chance.
    """
    loaded = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return min(loaded, key=lambda library: ("numpy" not in library["filepath"], library["filepath"]), default=None)
