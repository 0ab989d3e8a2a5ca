"""The kernels that numba compiled, as files. Loading one runs what is in it, so whoever can write them owns the loader.

Processes that run nothing but our own code read and write the user's. Those of an entry get a copy, for one run.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name

from tinytorch.benchmarking.blas import thread_environment
from tinytorch.benchmarking.system import cpu_model
from tinytorch.files import atomic_write, guarded, sha256
from tinytorch.harness.contender import BUILD_LIMIT_S, Challenge
from tinytorch.processes.worker import Worker, WorkerFailedError
from tinytorch.progress import Progress
from tinytorch.text import safe_text
from tinytorch.workloads.cache import Warn
from tinytorch.workloads.place import users_folder

VARIABLE = "NUMBA_CACHE_DIR"  # as numba calls it
FOLDER = "kernels"  # of the user's cache, and of a run
COMPILED = "compiled"  # a file in it: for which code, versions and processor that was done
SERVICE = "tinytorch.harness.kernels:KernelService"
PROGRAM = "tinytorch.perf.acceleration.kernels"


def environment(kernels: Path) -> dict[str, str]:
    """What a new process must find in its environment, for one BLAS thread and for kernels that lie there."""
    return {**thread_environment(1), VARIABLE: str(kernels)}


@contextmanager
def kernels_of(challenge: Challenge, scratch: Path, progress: Progress, say: Warn) -> Iterator[Path]:
    """Where the processes of a contender find compiled kernels, and keep theirs."""
    users = Path(os.environ.get(VARIABLE) or (challenge.cache_directory or users_folder()) / FOLDER)
    users.mkdir(parents=True, exist_ok=True)
    if challenge.contender.source is None:
        yield users
        return
    if find_spec("numba"):
        _compile(users, progress, say)
    changed = "warning: the compiled kernels were changed while foreign code ran; they are put back as they were"
    with guarded(lambda: users.glob("kernels_*/*"), lambda: say(changed)) as contents:
        own = scratch / FOLDER
        for path, content in contents.items():
            copy = own / path.relative_to(users)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        own.mkdir(exist_ok=True)
        yield own


class KernelService:
    """The child's end: our own code, and nobody else's."""

    def compile(self) -> None:
        """Compile the kernels, or load them where that was done; numba keeps them."""
        import numpy as np

        rows = np.empty((0, resolve_name(f"{PROGRAM}.codes:ROW_SIZE")), np.int64)
        resolve_name(f"{PROGRAM}.program:run")(rows)


def _compile(users: Path, progress: Progress, say: Warn) -> None:
    """Unless it was done for just these sources, versions and this processor; an entry may do without."""
    mark = users / COMPILED
    if mark.is_file() and mark.read_bytes() == _key().encode():
        return
    progress("compile", 0.0)
    with Worker(SERVICE, environment(users)) as worker:
        try:
            worker.ask("compile", BUILD_LIMIT_S)
        except WorkerFailedError as failure:
            say(f"warning: the kernels cannot be compiled: {safe_text(failure.detail)}")
            return
    atomic_write(mark, _key().encode())


@cache
def _key() -> str:
    folder = Path(__file__).parents[1] / "perf" / "acceleration" / "kernels"
    sources = [path.read_bytes() for path in sorted(folder.glob("*.py"))]
    versions = [sys.version, *map(_version, ("numba", "llvmlite", "numpy")), platform.machine(), cpu_model() or ""]
    return sha256(b"\0".join([*sources, *map(str.encode, versions)]))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
