"""Every task by name."""

from __future__ import annotations

from tinytorch.errors import UsageError
from tinytorch.text import nearest
from tinytorch.workloads.digits_cnn import DIGITS_CNN
from tinytorch.workloads.digits_mlp import DIGITS_MLP
from tinytorch.workloads.task import Task

TASKS: dict[str, Task] = {task.name: task for task in (DIGITS_MLP, DIGITS_CNN)}
DEFAULT_TASK = DIGITS_MLP.name


def find_task(name: str) -> Task:
    """The task called `name`; UsageError with the nearest name when there is none."""
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}", mend=nearest(name, TASKS))
    return TASKS[name]
