"""Every task by name; a task is `TASK` in a module of its name, and is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tinytorch.errors import UsageError
from tinytorch.text import nearest

if TYPE_CHECKING:
    from tinytorch.workloads.task import Task

TASKS = ("digits_mlp", "digits_cnn")
DEFAULT_TASK = TASKS[0]


def find_task(name: str) -> Task:
    """The task called `name`; UsageError with the nearest name when there is none."""
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}", mend=nearest(name, TASKS))
    task: Task = import_module(f"tinytorch.workloads.{name}").TASK
    return task
