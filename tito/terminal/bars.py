"""Progress of a long measurement on stderr: a bar with the time left on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from tinytorch.progress import Progress
from tito.terminal import screen

STAGES = {
    "train": "Training the baseline (first use only)",
    "learn": "Training",
    "compile": "Compiling the kernels (first use only)",
    "build": "Building the optimized model",
    "survey": "Checking both models",
    "measure": "Measuring, interleaved",
    "look": "Looking at this machine",
    "check": "Checking submissions",
    "profile": "Profiling, layer by layer",
    "outside": "Timing from outside",
    "redraw": "Training baselines again (once for each task)",
    "probe": "Trying what the box must not let happen",
    "verify": "Verifying",
    "settings": "Building and looking at settings",
    "sweep": "Timing those that no other beats",
}


ROOM_FOR_BARS = 72  # columns
LOCAL_MODES = 3  # of what `termios.tcgetattr` gives: what a terminal shows
DETAIL = ": "  # behind a stage's name: what it is of
LASTING = {"verify", "sweep"}  # of all that is done, above the stages of each
AT = "@"  # before a machine's name, where several work


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """An observer for one run; a terminal that cannot move its cursor gets lines."""
    console = Console(stderr=True)
    if sys.stderr.isatty() and not console.is_dumb_terminal:
        with _without_echo_of_signals(), _bars(console) as observer:
            yield observer
    else:
        yield _lines()


def _lines() -> Progress:
    seen: set[str] = set()

    def observer(stage: str, share: float) -> None:
        if stage not in seen and not stage.startswith(AT):
            seen.add(stage)
            screen.say(f"{words(stage)} ...")

    return observer


@contextlib.contextmanager
def _without_echo_of_signals() -> Iterator[None]:
    """The ^C that a terminal shows may begin a line below the bar, which then could not be taken away."""
    if sys.platform == "win32" or not _is_ours_to_set():
        yield
        return
    import termios

    before, changed = termios.tcgetattr(sys.stdin), termios.tcgetattr(sys.stdin)
    changed[LOCAL_MODES] &= ~termios.ECHOCTL
    termios.tcsetattr(sys.stdin, termios.TCSANOW, changed)
    try:
        yield
    finally:
        if _is_ours_to_set():
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def _is_ours_to_set() -> bool:
    """Whether there is a terminal, and we stand before it: it stops whoever sets it from the background."""
    return bool(sys.stdin and sys.stdin.isatty()) and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


@contextlib.contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    described = TextColumn("{task.description}", markup=False)
    bar = (BarColumn(20),) if console.width >= ROOM_FOR_BARS else ()  # times are worth more
    columns = (described, *bar, TimeElapsedColumn(), TextColumn("left"))
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def observer(told: str, share: float) -> None:
            stage = told.partition(DETAIL)[0]
            if stage not in tasks:
                tasks[stage] = bars.add_task("", total=1.0)
                if not _lasts(stage):
                    _finish(bars, [task for name, task in tasks.items() if name != stage and not _lasts(name)])
            if LASTING & {*tasks} and not _lasts(stage):  # one of many: its stages come again and again
                for name, task in tasks.items():
                    bars.update(task, visible=name == stage or _lasts(name))
            bars.update(tasks[stage], completed=share, description=words(told))

        yield observer


def words(told: str) -> str:
    """What a stage is called, and of which of many things it is, if that is told."""
    stage, between, detail = told.partition(DETAIL)
    return f"{STAGES.get(stage, stage.removeprefix(AT))}{between}{detail}"


def _lasts(stage: str) -> bool:
    """Of all that is done, and of each machine that does it."""
    return stage in LASTING or stage.startswith(AT)


def _finish(bars: Bars, tasks: Iterable[TaskID]) -> None:
    for task in tasks:
        bars.update(task, completed=1.0)
