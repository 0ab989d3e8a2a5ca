"""Measuring for the commands: who is meant, under the workspace's lock, and recorded when it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.names import parse_event
from tinytorch.competition.record.run import Run
from tinytorch.errors import UsageError
from tinytorch.harness.cards import TaskCard, task_card
from tinytorch.harness.contender import BUILD_LIMIT_S, Challenge, Contender
from tinytorch.harness.prepare import Observer
from tinytorch.harness.profile import Profiled, profile_contender
from tinytorch.harness.run import run_competition
from tinytorch.processes.worker import check_system
from tinytorch.units import BYTES_PER_MEGABYTE
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.strategies import BASELINE, DEFAULT_STRATEGY
from tito import start
from tito.terminal import bars, screen
from tito.workspace.folder import CACHE_VARIABLE, folder_of
from tito.workspace.machine import MachineFile, with_what_is_known
from tito.workspace.workspace import Workspace


def profiled(task: str, entry: Path | None, strategy: str | None) -> Contender:
    """Whose model is profiled: an entry's, a named strategy's, or the baseline."""
    return contender(task, None, entry, strategy) if entry or strategy else Contender.reference(BASELINE)


def contender(task: str, event: str | None, entry: Path | None, strategy: str | None) -> Contender:
    """Who is meant: an entry, a named strategy of the task, or the event's own."""
    if entry and strategy:
        raise UsageError("--entry and --strategy exclude each other", mend="give one of them")
    wanted = parse_event(event).value if event else DEFAULT_STRATEGY
    return Contender.entry(entry) if entry else Contender.reference(find_task(task).strategy(strategy or wanted))


def challenge(
    who: Contender, task: str, tier: str = "default", seed: int | None = None, limit_s: float = BUILD_LIMIT_S,
    memory_mb: float | None = None,
) -> Challenge:  # fmt: skip
    """What is to be measured."""
    made = Challenge(find_task(task), who, Settings.of(TIERS[tier], seed), limit_s, folder_of(CACHE_VARIABLE))
    return made if memory_mb is None else replace(made, memory_limit_bytes=round(memory_mb * BYTES_PER_MEGABYTE))


def task_cards() -> list[TaskCard]:
    """The cards of all tasks."""
    return [task_card(find_task(name), folder_of(CACHE_VARIABLE)) for name in TASKS]


def profile(asked: Challenge) -> Profiled:
    """Profile the model of a challenge; nothing is recorded, but for a baseline that was trained for it."""
    check_system()
    start.finished()
    with bars.progress() as progress:
        return profile_contender(asked, Observer(progress, screen.say))


def measure(place: Workspace, asked: Challenge) -> Run:
    """Measure under the workspace's lock, and record the run with what its processes printed, or that it failed."""
    check_system()
    start.finished()
    printed: list[str] = []
    machine = MachineFile()
    known = machine.read()  # before anything foreign runs

    def keep(where: str, text: str) -> None:
        printed.extend([f"--- {where} ---", text.rstrip()] if text.strip() else [])

    with place.measuring(), bars.progress() as progress, place.noting_failure(asked.contender.name, asked.task.name):
        measured = run_competition(asked, Observer(progress, screen.say, keep))
        run = with_what_is_known(measured, known)
        log = place.record_run(run, "\n".join(printed))
    machine.add(run)
    if log:
        screen.say(f"what was printed meanwhile: {log}")
    return run
