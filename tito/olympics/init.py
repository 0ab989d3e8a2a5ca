"""`tito olympics init`: a first entry to change, and how to go on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tinytorch.competition.names import parse_event
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write
from tinytorch.workloads.registry import DEFAULT_TASK
from tinytorch.workloads.strategies import DEFAULT_STRATEGY
from tito.options import Event, Json, Task, task_option
from tito.place import CHECKOUT
from tito.terminal import screen

ENTRY = "entry.py"
NOTEBOOK = CHECKOUT / "notebooks" / "capstone.ipynb"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write entry.py in.")] = Path(),
    event: Event = None,
    task: Task = DEFAULT_TASK,
    json_: Json = False,
) -> None:
    """Write a commented entry.py that runs as it stands, and name the next commands; a file that is there stays.

    It does what the event's reference strategy does (default: all_around).
    """
    from tinytorch.workloads.registry import asked_task
    from tito.olympics.entry_text import entry_text

    chosen = parse_event(event or DEFAULT_STRATEGY)
    found = asked_task(task)
    path = folder / ENTRY
    _write(path, entry_text(found, found.strategy(chosen)))
    options = task_option(task)
    following = [
        f"tito olympics benchmark --entry {shlex.quote(str(path))}{f' --event {chosen}' if event else ''}{options}",
        f"tito olympics submit --event {chosen}{options}",
    ]
    notebook = str(NOTEBOOK) if NOTEBOOK.is_file() else None
    if json_:
        screen.put_json({"file": str(path), "next": following, "notebook": notebook})
        return
    screen.put(f"{path} is a working entry: change what optimize() does")
    screen.say(f"where the time goes: tito olympics profile{options}; what can be done: tito olympics techniques")
    if notebook:
        screen.say(f"the whole way as a notebook: {notebook}")
    for command in following:
        screen.say(f"next: {command}")


def _write(path: Path, text: str) -> None:
    if path.exists():
        mend = f"change it, or choose another folder: tito olympics init {shlex.quote(str(path.parent / 'another'))}"
        raise UsageError(f"{path} is there already", mend=mend)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text.encode())
    except OSError as error:
        mend = "name a folder that is yours: tito olympics init DIR"
        raise UsageError(f"cannot write {path}: {error.strerror or error}", mend=mend) from error
