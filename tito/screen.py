"""The two streams: data to stdout, talk and progress to stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tito import workspace

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tinytorch.progress import Progress

STAGES = {
    "train": "Training the baseline (first use only)",
    "build": "Building the optimized model",
    "survey": "Checking both models",
    "measure": "Measuring, interleaved",
}


def show(renderable: RenderableType) -> None:
    """Show data on stdout; a pipe gets the same text without colour."""
    from rich.console import Console

    Console(highlight=False, markup=False, emoji=False).print(renderable)


def say(message: str) -> None:
    """Talk to the person, on stderr."""
    typer.echo(message, err=True)


def put(content: str, output: str | None) -> str | None:
    """Write a document to `output` (`-` or None is stdout); the SHA-256 of a file that was written."""
    if output in (None, "-"):
        typer.echo(content)
        return None
    return workspace.write(Path(output), content.encode() + b"\n")


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """An observer that draws a bar with the time left on a terminal, and a line per stage elsewhere."""
    if sys.stderr.isatty():
        with _bars() as observer:
            yield observer
    else:
        yield _lines()


def _lines() -> Progress:
    seen: set[str] = set()

    def observer(stage: str, share: float) -> None:
        if stage not in seen:
            seen.add(stage)
            say(f"{STAGES[stage]} ...")

    return observer


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn(), TextColumn("left"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def observer(stage: str, share: float) -> None:
            if stage not in tasks:
                for done in tasks.values():
                    bars.update(done, completed=1.0)
                tasks[stage] = bars.add_task(STAGES[stage], total=1.0)
            bars.update(tasks[stage], completed=share)

        yield observer
