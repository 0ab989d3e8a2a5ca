"""Baselines as artifacts in the user's cache directory: made on first use, verified on every load."""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tinytorch.errors import RunError, SetupMissingError
from tinytorch.files import LARGEST_ARTIFACT_BYTES, atomic_write, guarded, holds, read_regular, sha256
from tinytorch.owners import remove
from tinytorch.progress import Progress, silent
from tinytorch.workloads.place import NAME_ANOTHER, users_folder
from tinytorch.workloads.task import Task, baseline_of

Warn = Callable[[str], None]

_CODE = ("core", "datasets", "workloads")  # what a baseline's weights depend on


@dataclass(frozen=True)
class Baseline:
    """A trained baseline as a verified artifact."""

    path: Path
    sha256: str

    def read(self) -> bytes:
        """The artifact; RunError when the file has changed since it was verified."""
        content = read_regular(self.path, LARGEST_ARTIFACT_BYTES)
        if sha256(content) != self.sha256:
            raise RunError(f"the cached baseline {self.path.name} has changed meanwhile", mend="run the command again")
        return content

    @contextmanager
    def guarded(self, warn: Warn) -> Iterator[bytes]:
        """The artifact, while foreign code runs; afterwards the cache is again what it was, with a warning."""
        content = self.read()
        changed = "warning: the cached baseline was changed while foreign code ran; it is put back as it was"
        with guarded(lambda: self.path.parent.glob("*.pickle"), lambda: warn(changed)):
            yield content


def cached_baseline(
    task: Task,
    progress: Progress = silent,
    warn: Warn = lambda message: None,
    directory: Path | None = None,
) -> Baseline:
    """The task's baseline; makes it when there is none, or, with a warning, when the file is damaged.

    The file holds the SHA-256 of the artifact in its name, so that damage shows. Raises SetupMissingError when the
    folder cannot be used.
    """
    folder = _folder_of(task, directory)
    with _writing(folder):
        return _found(task, folder, warn) or _made(task, folder, progress)


def find_baseline(task: Task, directory: Path | None = None) -> Baseline | None:
    """The task's baseline, if there is a sound one; nothing is trained, written or removed."""
    try:
        files = sorted(_folder_of(task, directory).glob("*.pickle"))
    except SetupMissingError:  # nowhere to look
        return None
    return next((Baseline(file, file.stem) for file in files if holds(file, file.stem)), None)


def _folder_of(task: Task, directory: Path | None) -> Path:
    return (directory or users_folder()) / task.name / cache_key(task)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """SetupMissingError names the folder that cannot be used, and how to choose another."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        message = f"the trained baseline cannot be kept in {folder}: {error.strerror or error}"
        raise SetupMissingError(message, mend=NAME_ANOTHER) from error


def _found(task: Task, folder: Path, warn: Warn) -> Baseline | None:
    for path in sorted(folder.glob("*.pickle")):
        if holds(path, path.stem):
            return Baseline(path, path.stem)
        warn(f"warning: the cached baseline of {task.name} is damaged; it is made again")
        remove(path)
    return None


def _made(task: Task, folder: Path, progress: Progress) -> Baseline:
    content = pickle.dumps(baseline_of(task, progress), protocol=pickle.HIGHEST_PROTOCOL)
    digest = sha256(content)
    path = folder / f"{digest}.pickle"
    atomic_write(path, content)
    return Baseline(path, digest)


def cache_key(task: Task) -> str:
    """Changes with the task, the code that trains it, and numpy (whose sums may round differently)."""
    parts = (task.name, str(task.version), task.dataset_sha256, np.__version__, _code_digest(), _own_digest(task))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _own_digest(task: Task) -> str:
    """Of the files that the task's functions are in: those of a package that adds it are not among ours."""
    named = {getattr(part, "__module__", "") for part in (task.load_data, task.build_model, task.fit)}
    files = {getattr(sys.modules.get(name), "__file__", None) for name in named}
    return sha256(b"".join(Path(file).read_bytes() for file in sorted(filter(None, files))))


@cache
def _code_digest() -> str:
    package = Path(__file__).parents[1]
    files = [file for name in _CODE for file in sorted((package / name).rglob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
