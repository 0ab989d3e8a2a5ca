"""Looking at every setting of an entry, and timing those that no other beats: the work of `tito olympics sweep`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path

import psutil

from tinytorch import __version__
from tinytorch.competition.record.run import Run
from tinytorch.errors import RunError, SetupMissingError, TinyTorchError, UsageError
from tinytorch.files import sha256
from tinytorch.harness.arguments import Argument, Value, arguments_of, assignment
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.perf.benchmarking.results import pareto_frontier
from tinytorch.progress import Progress
from tinytorch.showing import safe_text
from tinytorch.workloads.cache import cache_key
from tinytorch.workloads.registry import asked_task
from tito.terminal import bars, screen
from tito.views.sweep import setting_words
from tito.workspace.sweeps import Arguments, Setting, SweepFolder

PROGRAM = "from tito.start import main; main()"
MOST_SETTINGS = 200
CHANGED = "the entry was changed meanwhile: sweep it again"
MEMORY_PER_BUILD_BYTES = 1_500_000_000  # what building an entry of the largest task takes, with room
FIGURES = ("accuracy", "kept_bytes", "flops", "moved_bytes")
LESS_IS_BETTER = (False, True, True, True)

Clock = Callable[[], float]


def grid(who: Contender, texts: Sequence[str]) -> list[Arguments]:
    """Every combination of the values that are asked for, NAME=VALUE,VALUE each; the last name changes first."""
    if who.source is None:
        raise UsageError(f"the strategy {who.name} has no settings", mend="give an entry of your own")
    known = arguments_of(who.source, who.name)
    if not texts:
        mend = f"write --set NAME=VALUE,VALUE with one of {', '.join(known)}; may be repeated"
        raise UsageError("a sweep needs something to try", mend=mend)
    values: dict[str, dict[str, Value]] = {}
    for text in texts:
        argument, given = assignment(text, known, who.name)
        values.setdefault(argument.name, {}).update(_values(argument, given))
    if (count := prod(map(len, values.values()))) > MOST_SETTINGS:
        raise UsageError(f"these are {count} settings, at most {MOST_SETTINGS} are tried", mend="try fewer values")
    return [dict(zip(values, each, strict=True)) for each in product(*(found.values() for found in values.values()))]


def _values(argument: Argument, given: str) -> dict[str, Value]:
    """What stands between commas, each once: True and 1 are two."""
    return {repr(value): value for value in (argument.parsed(each.strip()) for each in given.split(","))}


def builds_at_once(cores: int | None = None, free_bytes: int | None = None) -> int:
    """How many entries are built beside one another: one for each core, where memory allows."""
    cores = os.cpu_count() or 1 if cores is None else cores
    free = psutil.virtual_memory().available if free_bytes is None else free_bytes
    return max(1, min(cores, free // MEMORY_PER_BUILD_BYTES))


class Looks:
    """Quick looks at settings, each by a `tito` of its own: what one does to its process, no other sees."""

    def __init__(self, command: Sequence[str], kept: SweepFolder, at_once: int, who: Contender) -> None:
        self._command, self._kept, self._at_once, self._who = list(command), kept, at_once, who
        self._alive: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()

    def each(self, settings: Sequence[Arguments], until_s: float, clock: Clock) -> Iterator[Setting]:
        """Every setting as it is known, those that were looked at before first; none is begun after `until_s`.

        The first is looked at alone: it may train the baseline, and compile what all of them use.
        """
        new = []
        for arguments in settings:
            if (found := self._kept.look(arguments)) is not None:
                yield Setting(arguments, found)
            else:
                new.append(arguments)
        yield from self._together(new[:1], until_s, clock)
        yield from self._together(new[1:], until_s, clock)

    def _together(self, new: list[Arguments], until_s: float, clock: Clock) -> Iterator[Setting]:
        with ThreadPoolExecutor(self._at_once) as pool:
            try:
                running: set[Future[Setting]] = set()
                while running or (new and clock() < until_s):
                    while new and len(running) < self._at_once and clock() < until_s:
                        running.add(pool.submit(self._look, new.pop(0)))
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            finally:
                self._end_all()  # else leaving the pool would wait for them

    def _look(self, arguments: Arguments) -> Setting:
        command = [*self._command, *(word for pair in arguments.items() for word in ("--set", _typed(*pair)))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with self._lock:
            self._alive.add(process)
        try:
            out, err = process.communicate()
        finally:
            with self._lock:
                self._alive.discard(process)
        if process.returncode:
            return Setting(arguments, error=_last_error(err))
        found = json.loads(out)
        if found["sha256"] != self._who.with_defaults(arguments).sha256:
            return Setting(arguments, error=CHANGED)
        self._kept.put_look(arguments, out)
        return Setting(arguments, found)

    def _end_all(self) -> None:
        """Nobody looks any more: what still runs is told to clear up."""
        with self._lock:
            for process in self._alive:
                process.terminate()


def look_at_all(looks: Looks, settings: Sequence[Arguments], until_s: float) -> list[Setting]:
    """Every setting that was looked at, in the order of the grid; what failed is said at once."""
    found = {}
    with bars.progress() as progress:
        progress("settings", 0.0)
        for number, setting in enumerate(looks.each(settings, until_s, time.monotonic), 1):
            found[repr(setting.arguments)] = setting
            progress("settings", number / len(settings))
            if setting.error:
                screen.say(f"{setting_words(setting.arguments)}: {setting.error}")
    return [found[key] for key in map(repr, settings) if key in found]


def check_seen(settings: Sequence[Setting]) -> None:
    """An error where nothing was seen of any setting."""
    if not settings:
        raise SetupMissingError("nothing was looked at yet of this entry", mend="give it time: --budget MINUTES")
    if not any(setting.quick for setting in settings):
        mend = "tito olympics benchmark --quick --entry FILE shows more of one"
        raise RunError(f"no setting could be built: {settings[0].error}", mend=mend)


def look_command(
    entry: str, task: str, seed: int | None, limit_s: float, memory_mb: float | None, root: Path | None
) -> list[str]:
    """What a quick look is asked with, but for the setting."""
    options = ["--entry", entry, "--task", task, "--time-limit", str(limit_s), "--quick", "--json"]
    options += [] if root is None else ["--workspace", str(root)]
    options += [] if seed is None else ["--seed", str(seed)]
    options += [] if memory_mb is None else ["--memory-limit", str(memory_mb)]
    return [sys.executable, "-P", "-c", PROGRAM, "olympics", "benchmark", *options]


def front(settings: Sequence[Setting]) -> list[Setting]:
    """Those that no other beats in accuracy, memory and counted work; the least work first.

    Work that cannot be counted of one is looked at of none.
    """
    seen = [setting for setting in settings if setting.quick]
    figures = [[setting.quick["optimized"].get(name) for name in FIGURES] for setting in seen if setting.quick]
    counted = [place for place in range(len(FIGURES)) if all(row[place] is not None for row in figures)]
    if not seen or not counted:
        return []
    points = [[row[place] for place in counted] for row in figures]
    best = pareto_frontier(points, [LESS_IS_BETTER[place] for place in counted])
    return sorted((seen[number] for number in best), key=lambda setting: points[seen.index(setting)][::-1])


def with_runs(seen: Sequence[Setting], timed: Sequence[Setting]) -> list[Setting]:
    """All settings, those that were timed with what came of that."""
    found = {repr(each.arguments): each for each in timed}
    return [found.get(repr(each.arguments), each) for each in seen]


def folder_of_sweep(root: Path | None, who: Contender, task: str, seed: int | None) -> SweepFolder:
    """Where figures are kept: another text of the entry or of what it brings, task or tool has another folder."""
    materials = {name: sha256(content) for name, content in sorted(who.materials.items())}
    return SweepFolder(root, json.dumps([who.sha256, materials, cache_key(asked_task(task)), seed, __version__]))


def time_settings(
    settings: Sequence[Setting],
    asked: Challenge,
    tier: str,
    kept: SweepFolder,
    measure: Callable[[Challenge], Run],
    until_s: float,
    clock: Clock = time.monotonic,
    progress: Progress | None = None,
) -> Iterator[Setting]:
    """Each with its run, one after the other; of what was timed before, that run. None is begun after `until_s`."""
    for number, setting in enumerate(settings):
        if progress:
            progress("sweep", number / len(settings))
        if (run := kept.run(setting.arguments, tier)) is None and clock() < until_s:
            who = asked.contender.with_defaults(setting.arguments)
            try:
                run = measure(replace(asked, contender=who))
            except TinyTorchError as error:
                yield replace(setting, error=str(error))
                continue
            kept.put_run(setting.arguments, tier, run)
        yield replace(setting, run=run)


def _typed(name: str, value: Value) -> str:
    """As `--set` reads it."""
    return f"{name}={value if isinstance(value, str) else repr(value)}"


def _last_error(text: str) -> str:
    """What a look said when it failed."""
    lines = [line.removeprefix("error: ") for line in text.splitlines() if line.startswith("error: ")]
    return safe_text(lines[-1] if lines else "it ended without a word")
