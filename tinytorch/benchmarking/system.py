"""What this machine is, without anything that names its owner."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from threadpoolctl import threadpool_info

from tinytorch.benchmarking.samples import SystemInfo

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip
"""Read by the BLAS libraries once, when numpy loads: they must be set before that."""


def thread_environment(threads: int) -> dict[str, str]:
    """What a new process must find in its environment to use so many BLAS threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def describe(blas_threads: int | None = None) -> SystemInfo:
    """This machine now; `blas_threads` is what the measuring processes verified (None: not verified)."""
    blas = _blas()
    return SystemInfo(
        cpu_model=_cpu_model(),
        physical_cores=psutil.cpu_count(logical=False),
        logical_cores=psutil.cpu_count(),
        memory_bytes=psutil.virtual_memory().total,
        operating_system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=np.__version__,
        blas=f"{blas['internal_api']} {blas.get('version') or ''}".strip() if blas else None,
        blas_threads=blas_threads,
        governor=_governor(),
    )


def verified_blas_threads() -> int | None:
    """Threads that the loaded BLAS really uses in this process; None when it cannot be asked."""
    blas = _blas()
    return int(blas["num_threads"]) if blas else None


def _blas() -> dict[str, Any] | None:
    return next((library for library in threadpool_info() if library["user_api"] == "blas"), None)


def _cpu_model() -> str | None:
    system = platform.system()
    if system == "Linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(named, None) or platform.machine() or None
    if system == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    return platform.processor() or None


def _governor(root: Path = Path("/")) -> str | None:
    """What decides the processor's speed on Linux; None elsewhere and where it is not shown (virtual machines)."""
    file = root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    return file.read_text(encoding="ascii").strip() or None if file.is_file() else None
