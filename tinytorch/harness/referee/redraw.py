"""Baselines that are trained again from secret seeds: an entry that brings its weights along fits none of them."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinytorch.benchmarking.blas import thread_environment
from tinytorch.errors import SetupMissingError
from tinytorch.files import atomic_write, read_regular, reason
from tinytorch.processes.worker import Worker
from tinytorch.progress import Progress, silent
from tinytorch.workloads.cache import cache_key
from tinytorch.workloads.place import NAME_ANOTHER, users_folder
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import Task, train_baseline

SERVICE = "tinytorch.harness.referee.redraw:Training"
FOLDER = "redrawn"  # of the cache
REDRAWS = 2
TRAINING_LIMIT_S = 7_200.0
LARGEST_BYTES = 2**30
SEED_BYTES = 4


class Redraws:
    """The redrawn baselines of a referee: their seeds follow from a secret, so that a later call has the same ones.

    They are trained once for each task, and kept in the cache.
    """

    def __init__(self, secret: bytes, cache_directory: Path | None = None) -> None:
        self._secret, self._cache = secret, cache_directory

    def seeds(self, task: Task) -> list[int]:
        """Of a task; nobody knows them who does not know the secret."""
        drawn = (hashlib.sha256(self._secret + f"{task.name} {number}".encode()).digest() for number in range(REDRAWS))
        return [int.from_bytes(each[:SEED_BYTES], "big") for each in drawn]

    def of(self, task: Task, progress: Progress = silent) -> dict[int, bytes]:
        """The artifact of each, by its seed; those that are not there yet are trained side by side."""
        paths = {seed: self._path(task, seed) for seed in self.seeds(task)}
        try:
            self._train(task, {seed: path for seed, path in paths.items() if not path.exists()}, progress)
            return {seed: read_regular(path, LARGEST_BYTES) for seed, path in paths.items()}
        except OSError as error:
            message = f"redrawn baselines cannot be kept in {paths[self.seeds(task)[0]].parent}: {reason(error)}"
            raise SetupMissingError(message, mend=NAME_ANOTHER) from error

    def _path(self, task: Task, seed: int) -> Path:
        return (self._cache or users_folder()) / FOLDER / task.name / cache_key(task) / f"{seed}.pickle"

    def _train(self, task: Task, wanted: Mapping[int, Path], progress: Progress) -> None:
        workers = {seed: Worker(SERVICE, thread_environment(1)) for seed in wanted}
        try:
            for number, (seed, worker) in enumerate(workers.items()):
                wanted[seed].parent.mkdir(parents=True, exist_ok=True)
                worker.post("train", TRAINING_LIMIT_S, number == 0, task=task.name, seed=seed, path=str(wanted[seed]))
            for number, worker in enumerate(workers.values()):
                worker.result((lambda stage, share: progress("redraw", share)) if number == 0 else None)
        finally:
            for worker in workers.values():
                worker.close()


class Training:
    """The child's end: our own code, and nobody else's."""

    def train(self, task: str, seed: int, path: str, progress: Progress = silent) -> None:
        """Train the baseline of a task from another seed."""
        model = train_baseline(find_task(task), progress, seed)
        atomic_write(Path(path), pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL))


def model_of(artifact: bytes) -> Any:
    """A baseline of ours."""
    return pickle.loads(artifact)
