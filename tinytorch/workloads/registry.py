"""Every task by name, with the address of its record; a task is loaded when it is asked for.

Tasks of other packages come by their door (`tinytorch.doors`), or by the address of their record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from tinytorch.doors import advertised, at, broken, opened
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


TASK_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")  # it names a folder of the cache, too


def find_task(name: str) -> Task:
    """The task called `name`; UsageError with the nearest name when there is none."""
    known = known_name(name)
    return _ours(known) if known in TASKS else _added(known)


def asked_task(text: str) -> Task:
    """The same of a person's own words, which may also be an address, `package.module:TASK`.

    Never of what stands in a file: whoever wrote that would choose what is imported.
    """
    return _at(text) if ":" in text else find_task(text)


def task_names() -> list[str]:
    """The names of all tasks, ours first."""
    return [*TASKS, *(name for name in advertised("tasks") if name not in TASKS)]


def known_name(name: str) -> str:
    """The name itself, if it is that of a task; UsageError with the nearest name when it is not."""
    names = task_names()
    if name not in names:
        raise UsageError(
            f"there is no task {name!r}", mend=f"{nearest(name, names)}; one of a package needs it installed"
        )
    return name


def _ours(name: str) -> Task:
    task: Task = resolve_name(TASKS[name])
    return task


@cache
def _added(name: str) -> Task:
    """What a package adds; UsageError where that is no task of this name."""
    found = opened("tasks", name)
    if why := "; ".join(_faults(found, name)):
        raise broken("tasks", name, why)
    task: Task = found
    return task


@cache
def _at(address: str) -> Task:
    found = at(address)
    if why := "; ".join(_faults(found, None)):
        raise UsageError(f"there is no task at {address}: {why}", mend="give the address of a tinytorch Task")
    task: Task = found
    return task


def _faults(found: object, name: str | None) -> Iterable[str]:
    """Why something is no task of that name, or of any that is not ours."""
    from tinytorch.workloads.task import Task

    if not isinstance(found, Task):
        yield f"it is of type {type(found).__name__}, and no tinytorch.workloads.task.Task"
    elif name not in (None, found.name):
        yield f"the task calls itself {found.name!r}"
    elif found.weights_sha256 is not None:
        yield "it has weights_sha256, and weights are shipped with tasks of ours alone: leave it out"
    elif found.name in TASKS:
        yield f"{found.name!r} is a task of ours: give yours another name"
    elif not TASK_NAME.fullmatch(found.name):
        yield f"its name {found.name!r} must be small letters, digits and underscores"
