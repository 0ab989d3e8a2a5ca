"""What a referee asks that nobody who enters has seen: private data, prompts that are drawn, and distorted copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.datasets.private import LARGEST_FILE_BYTES, SHOWN, OtherFormError
from tinytorch.errors import UsageError
from tinytorch.files import read_regular, sha256
from tinytorch.workloads.registry import find_task, task_names
from tinytorch.workloads.task import Task

MOST_SAMPLES, MOST_PROMPTS = 10_000, 128  # that are asked: more tell accuracies no better apart than by half a point
FEWEST = 100  # different ones in a file
UNTIMED, PRIVATE, DISTORTED, PUBLIC = "untimed", "private", "distorted", "public"


@dataclass(frozen=True)
class PrivateFile:
    """A referee's own data for a task, as they were read once: nobody changes them between two entries."""

    path: Path
    sha256: str
    test: TensorDataset


def private_files(paths: Sequence[Path]) -> dict[str, PrivateFile]:
    """By the task, the file of each; UsageError for one that is none, overlaps the public data, or comes twice."""
    found: dict[str, PrivateFile] = {}
    for path in paths:
        tests = _tests_of(path)
        digest = sha256(read_regular(path, LARGEST_FILE_BYTES, may_lead_out=True))
        for task, test in tests.items():
            if task in found:
                message = f"{found[task].path} and {path} are both private data for {task}"
                raise UsageError(message, mend="give one of them")
            found[task] = PrivateFile(path, digest, test)
    return found


def _tests_of(path: Path) -> dict[str, TensorDataset]:
    """The test split of each task whose form it has."""
    found, last = {}, None
    for name in task_names():
        task = find_task(name)
        if task.load_private is None:
            continue
        try:
            _, found[name] = task.private_data(path)
        except OtherFormError as error:
            last = error
    if not found:
        why = f": {last.message}" if last else ""
        raise UsageError(f"{path} is private data for no task here{why}", mend=SHOWN)
    for name, test in found.items():
        if (count := len(np.unique(test.inputs.reshape(len(test), -1), axis=0))) < FEWEST:
            message = (
                f"{path} has {count} different samples for {name}, which prove nothing; at least {FEWEST} are needed"
            )
            raise UsageError(message, mend=SHOWN)
    return found


def questions(task: Task, private: Mapping[str, PrivateFile]) -> dict[str, TensorDataset]:
    """What is asked, by its name; what there is nothing of is left out."""
    generator, most = np.random.default_rng(), MOST_SAMPLES if task.vocabulary is None else MOST_PROMPTS
    _, test = task.load_data()
    asked = {UNTIMED: task.new_samples(min(most, max(len(test), most // 2)), generator)}
    if task.name in private:
        asked[PRIVATE] = _some(private[task.name].test, most, generator)
    elif task.is_drawn:
        asked[PRIVATE] = task.new_samples(most, generator)
    if task.distort is not None:
        asked[DISTORTED] = TensorDataset(task.distort(test.inputs, generator), test.labels)
    return asked


def _some(data: TensorDataset, most: int, generator: np.random.Generator) -> TensorDataset:
    """All, or so many by chance."""
    if len(data) <= most:
        return data
    chosen = np.sort(generator.permutation(len(data))[:most])
    return TensorDataset(data.inputs[chosen], data.labels[chosen])
