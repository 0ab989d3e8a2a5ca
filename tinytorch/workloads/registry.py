"""Every task by name, with the address of its record; a task is loaded when it is asked for."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING

from tinytorch.errors import UsageError
from tinytorch.showing import nearest

if TYPE_CHECKING:
    from tinytorch.workloads.task import Task

TASKS = {
    "fashion_mlp": "tinytorch.workloads.fashion_mlp:TASK",
    "fashion_cnn": "tinytorch.workloads.fashion_cnn:TASK",
    "words": "tinytorch.workloads.words:TASK",
    "digits_mlp": "tinytorch.workloads.digits_mlp:TASK",
    "digits_cnn": "tinytorch.workloads.digits_cnn:TASK",
    "tinygpt": "tinytorch.workloads.tinygpt:TASK",
}
DEFAULT_TASK = next(iter(TASKS))


def find_task(name: str) -> Task:
    """The task called `name`; UsageError with the nearest name when there is none."""
    task: Task = resolve_name(TASKS[known_name(name)])
    return task


def known_name(name: str) -> str:
    """The name itself, if it is that of a task; UsageError with the nearest name when it is not."""
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}", mend=nearest(name, TASKS))
    return name
