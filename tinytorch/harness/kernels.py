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

from tinytorch.benchmarking.blas import thread_environment
from tinytorch.benchmarking.system import cpu_model
from tinytorch.errors import SetupMissingError
from tinytorch.files import atomic_write, guarded, read_regular, reason, sha256
from tinytorch.harness.contender import BUILD_LIMIT_S, Challenge
from tinytorch.harness.faults import scratch
from tinytorch.harness.settling import KERNELS, VARIABLE, copy_kernels, kernel_files
from tinytorch.owners import remove
from tinytorch.processes.box import NOBODY
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.worker import Worker
from tinytorch.progress import Progress
from tinytorch.showing import safe_text
from tinytorch.workloads.cache import Warn
from tinytorch.workloads.place import NAME_ANOTHER, users_folder

FOLDER = "kernels"  # of the user's cache, and of a run
COMPILED = "compiled"  # before the name of a file: for which code, versions and processor, and what came of it
LARGEST_MARK_BYTES = 100_000
SOURCES = Path(__file__).parents[1] / "perf" / "acceleration" / "kernels"
SERVICE = "tinytorch.harness.settling:KernelService"


def environment(kernels: Path) -> dict[str, str]:
    """What a new process must find in its environment, for one BLAS thread and for kernels that lie there."""
    return {**thread_environment(1), VARIABLE: str(kernels)}


@contextmanager
def kernels_of(challenge: Challenge, progress: Progress, say: Warn) -> Iterator[Path]:
    """Where the processes of a contender find compiled kernels, and keep theirs.

    SetupMissingError where no folder for them can be made.
    """
    users = Path(os.environ.get(VARIABLE) or (challenge.cache_directory or users_folder()) / FOLDER)
    try:
        users.mkdir(parents=True, exist_ok=True)
        if find_spec("numba"):
            _compile(users, progress, say)
    except OSError as error:
        message = f"compiled kernels cannot be kept in {users}: {reason(error)}"
        raise SetupMissingError(message, mend=NAME_ANOTHER) from error
    if challenge.contender.source is None and challenge.isolation is None:
        yield users
        return
    changed = "warning: the compiled kernels were changed while foreign code ran; they are put back as they were"
    with guarded(lambda: kernel_files(users), lambda: say(changed)) as contents, scratch() as folder:
        own = folder / FOLDER
        own.mkdir()
        copy_kernels({path.relative_to(users): content for path, content in contents.items()}, own)
        _let_boxes_read(own)
        yield own


def _let_boxes_read(folder: Path) -> None:
    """Boxes that root starts run as nobody; numba loads from folders only that it can write in."""
    if sys.platform == "linux" and os.geteuid() == 0:
        for path in (folder, *folder.glob(KERNELS)):
            os.chown(path, NOBODY, NOBODY)


def _compile(users: Path, progress: Progress, say: Warn) -> None:
    """Unless it was done for just these sources, versions and this processor; an entry may do without.

    It is done aside, so that a folder of kernels that somebody guards does not change.
    """
    if _is_compiled(users):
        return
    progress("compile", 0.0)
    with scratch() as aside:
        with Worker(SERVICE, environment(aside)) as worker:
            try:
                worker.ask("compile", BUILD_LIMIT_S)
            except WorkerFailedError as failure:
                say(f"warning: the kernels cannot be compiled: {safe_text(failure.detail)}")
                return
        if _is_compiled(users):  # by another process, meanwhile
            return
        made = {path.relative_to(aside): path.read_bytes() for path in kernel_files(aside)}
        copy_kernels(made, users)
    if os.path.lexists(_mark(users)):
        remove(_mark(users))
    atomic_write(_mark(users), "\n".join([_key(), *map(str, made)]).encode())


def _is_compiled(users: Path) -> bool:
    """Whether the mark says so, and what it names is there."""
    try:
        key, *names = read_regular(_mark(users), LARGEST_MARK_BYTES).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):  # it is none of ours
        return False
    return key == _key() and all((users / name).is_file() for name in names)


def _mark(users: Path) -> Path:
    """One for each checkout: numba keeps kernels by where their sources lie."""
    return users / f"{COMPILED}-{sha256(str(SOURCES).encode())[:16]}"


@cache
def _key() -> str:
    sources = [path.read_bytes() for path in sorted(SOURCES.glob("*.py"))]
    versions = [sys.version, *map(_version, ("numba", "llvmlite", "numpy")), platform.machine(), cpu_model() or ""]
    return sha256(b"\0".join([*sources, *map(str.encode, versions)]))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
