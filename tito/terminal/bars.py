"""Progress of a long measurement on stderr: a bar with the time left on a terminal, a line per stage elsewhere.

While bars are drawn all talk goes through their console (`screen.through`), so that no message runs through a bar.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from tinytorch.units import three_digits
from tito.terminal import screen

if TYPE_CHECKING:
    from tinytorch.benchmarking.provisional import SoFar

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
PROVISIONAL = "(provisional: the final interval also counts what the machine may have done)"
AT = "@"  # before a machine's name, where several work


class Observing(Protocol):
    """Who shows how far a run is, and what it shows so far."""

    def __call__(self, told: str, share: float, /) -> None:
        """A stage goes on, of which this share is done."""

    def watch(self, so_far: SoFar) -> None:
        """A round of measuring is over."""


@contextlib.contextmanager
def progress() -> Iterator[Observing]:
    """An observer for one run; a terminal that cannot move its cursor gets lines."""
    console = Console(stderr=True)
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        yield _InLines()
        return
    described = TextColumn("{task.description}", markup=False)
    bar = (BarColumn(20),) if console.width >= ROOM_FOR_BARS else ()  # times are worth more
    bars = _Bars(described, *bar, _Times(), console=console, transient=True)
    with _without_echo_of_signals(), bars, screen.through(console):
        yield _Drawn(bars)


class _InLines:
    """A line for each stage, and for each doubt when it is first seen."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._said: set[str] = set()

    def __call__(self, told: str, share: float) -> None:
        if told not in self._seen and not told.startswith(AT):
            self._seen.add(told)
            screen.say(f"{words(told)} ...")

    def watch(self, so_far: SoFar) -> None:
        """Say what is doubted, and no speedup: every round would be a line."""
        for doubt in so_far.doubts:
            if doubt.code not in self._said:
                self._said.add(doubt.code)
                screen.say(f"doubt so far: {doubt.evidence} -> {doubt.advice}")


class _Bars(Progress):
    """Bars, and a line below them."""

    note = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn."""
        yield from super().get_renderables()
        if self.note:
            yield Text(self.note, "bold")


class _Times(ProgressColumn):
    """How long a stage has taken, and how long it may still take: `30 s, 3 s left`."""

    def render(self, task: Task) -> Text:
        """Only the first where nothing is known of the rest."""
        taken = f"{seconds_words(task.finished_time if task.finished else task.elapsed)}"
        rest = None if task.finished else task.time_remaining
        return Text(taken if rest is None else f"{taken}, {seconds_words(rest)} left", "cyan")


class _Drawn:
    """A bar for each stage, and the speedup so far."""

    def __init__(self, bars: _Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, told: str, share: float) -> None:
        stage, tasks = told.partition(DETAIL)[0], self._tasks
        if stage not in tasks:
            tasks[stage] = self._bars.add_task("", total=1.0)
            self._bars.note = ""
            if not _lasts(stage):
                self._finish(task for name, task in tasks.items() if name != stage and not _lasts(name))
        if LASTING & {*tasks} and not _lasts(stage):  # one of many: its stages come again and again
            for name, task in tasks.items():
                self._bars.update(task, visible=name == stage or _lasts(name))
        self._bars.update(tasks[stage], completed=share, description=words(told))

    def watch(self, so_far: SoFar) -> None:
        """Draw what is shown so far, and doubts, which the result says again if they last."""
        doubts = [f"doubt so far: {doubt.evidence}" for doubt in so_far.doubts]
        self._bars.note = "\n".join([so_far_words(so_far), PROVISIONAL, *doubts])

    def _finish(self, tasks: Iterable[TaskID]) -> None:
        for task in tasks:
            self._bars.update(task, completed=1.0)


def so_far_words(so_far: SoFar) -> str:
    """The speedup after some rounds, said to be provisional."""
    ends = so_far.interval
    bounds = "" if ends is None else f" [{three_digits(ends.lower)}x, {three_digits(ends.upper)}x]"
    speed = f"{three_digits(so_far.speedup)}x speed"
    return f"so far {speed}{bounds}, round {so_far.rounds_done} of {so_far.rounds}"


def seconds_words(seconds: float | None) -> str:
    """`3 s`, `2 min 05 s`; nothing is known of None yet."""
    whole = round(seconds or 0.0)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"


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


def words(told: str) -> str:
    """What a stage is called, and of which of many things it is, if that is told."""
    stage, between, detail = told.partition(DETAIL)
    return f"{STAGES.get(stage, stage.removeprefix(AT))}{between}{detail}"


def _lasts(stage: str) -> bool:
    """Of all that is done, and of each machine that does it."""
    return stage in LASTING or stage.startswith(AT)
