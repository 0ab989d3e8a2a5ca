"""Measuring for the commands: who is meant, under the workspace's lock, and recorded when it is done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tinytorch.benchmarking.schedule import TIERS
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.errors import UsageError
from tinytorch.harness.arguments import Value, arguments_of, assignment
from tinytorch.harness.cards import TaskCard, task_card
from tinytorch.harness.contender import BUILD_LIMIT_S, Challenge, Contender
from tinytorch.harness.doctor import FEWEST_LOOKS, LOOKS, Diagnosis, diagnose, wait_until_quiet
from tinytorch.harness.looks import Look, looker
from tinytorch.harness.prepare import Observer
from tinytorch.harness.profile import Profiled, profile_contender
from tinytorch.harness.run import run_competition
from tinytorch.processes.worker import check_system
from tinytorch.units import BYTES_PER_MEGABYTE
from tinytorch.workloads.registry import asked_task, find_task, task_names
from tinytorch.workloads.strategies import BASELINE, DEFAULT_STRATEGY
from tito import start
from tito.olympics.sweeping import time_settings
from tito.terminal import bars, screen
from tito.workspace.folder import CACHE_VARIABLE, folder_of
from tito.workspace.machine import MachineFile, with_what_is_known
from tito.workspace.sweeps import Setting, SweepFolder
from tito.workspace.workspace import Workspace

UNTIMED = ("memory", "accuracy")


def profiled(task: str, entry: Path | None, strategy: str | None) -> Contender:
    """Whose model is profiled: an entry's, a named strategy's, or the baseline."""
    return contender(task, None, entry, strategy) if entry or strategy else Contender.reference(BASELINE)


def contender(task: str, event: str | None, entry: Path | None, strategy: str | None) -> Contender:
    """Who is meant: an entry, a named strategy of the task, or the event's own; the event is one of the rules."""
    if entry and strategy:
        raise UsageError("--entry and --strategy exclude each other", mend="give one of them")
    wanted = event if event in tuple(OlympicEvent) else DEFAULT_STRATEGY  # an event of a class has no strategy
    return Contender.entry(entry) if entry else Contender.reference(asked_task(task).strategy(strategy or wanted))


def assigned(who: Contender, texts: Sequence[str]) -> tuple[Contender, dict[str, Value]]:
    """The contender whose `optimize` has other defaults, NAME=VALUE each, and those values."""
    if not texts:
        return who, {}
    if who.source is None:
        raise UsageError(f"the strategy {who.name} takes no --set", mend="give an entry of your own with --entry FILE")
    known = arguments_of(who.source, who.name)
    assignments = [assignment(text, known, who.name) for text in texts]
    values = {argument.name: argument.parsed(value) for argument, value in assignments}
    if len(values) < len(assignments):
        raise UsageError("--set gives one argument two values", mend="leave one out, or try both: tito olympics sweep")
    return who.with_defaults(values), values


def challenge(
    who: Contender, task: str, tier: str = "default", seed: int | None = None, limit_s: float = BUILD_LIMIT_S,
    memory_mb: float | None = None,
) -> Challenge:  # fmt: skip
    """What is to be measured."""
    made = Challenge(asked_task(task), who, Settings.of(TIERS[tier], seed), limit_s, folder_of(CACHE_VARIABLE))
    return made if memory_mb is None else replace(made, memory_limit_bytes=round(memory_mb * BYTES_PER_MEGABYTE))


def task_cards() -> list[TaskCard]:
    """The cards of all tasks."""
    return [task_card(find_task(name), folder_of(CACHE_VARIABLE)) for name in task_names()]


def profile(asked: Challenge) -> Profiled:
    """Profile the model of a challenge; nothing is recorded, but for a baseline that was trained for it."""
    check_system()
    start.finished()
    with bars.progress() as progress:
        return profile_contender(asked, Observer(progress, screen.say))


def diagnosed(task: str, minutes: float | None, machine: MachineFile, rules: Rules) -> tuple[Diagnosis, int]:
    """Look at this machine, and keep what was seen: the diagnosis, and from how many hours the machine is known now."""
    check_system()
    start.finished()
    end_s = None if minutes is None else time.monotonic() + 60 * minutes
    looks: list[Look] = []
    before = machine.read()
    with bars.progress() as progress, looker(
        asked_task(task), folder_of(CACHE_VARIABLE), Observer(progress, screen.say), with_pairs=True
    ) as here:  # fmt: skip
        while len(looks) < FEWEST_LOOKS or (len(looks) < LOOKS if end_s is None else time.monotonic() < end_s):
            progress("look", min(1.0, len(looks) / LOOKS) if end_s is None else 0.0)
            looks.append(here.look())
            machine.learn(looks[-1].quiet)  # at once: an interrupt loses none
    key, hour = looks[0].quiet.key, looks[0].quiet.hour
    known = before.of(key)
    found = diagnose(looks, known.reference(hour) if known else None, rules)
    machine.put_card(key, found.card(datetime.now(UTC)))
    after = machine.read().of(key)
    return found, len(after.hours) if after else 0


def wait_for_quiet(asked: Challenge, minutes: float) -> None:
    """Look at the baseline alone until it is quiet, or the minutes are over. Nothing of an entry is looked at."""
    check_system()
    machine = MachineFile()

    def excess(look: Look) -> float | None:
        known = machine.read().of(look.quiet.key)
        reference = known.reference(look.quiet.hour) if known else None
        machine.learn(look.quiet)
        return None if reference is None else look.excess(reference)

    with looker(asked.task, asked.cache_directory, Observer(say=screen.say)) as here:
        wait_until_quiet(lambda: excess(here.look()), 60 * minutes, time.monotonic, time.sleep, screen.say)


def quick_look(asked: Challenge) -> Run:
    """Both models without their times: a run that is recorded nowhere, and that nobody can submit."""
    check_system()
    start.finished()
    untimed = replace(asked, settings=replace(asked.settings, metrics=UNTIMED))
    with bars.progress() as progress:
        return run_competition(untimed, Observer(progress, screen.say))


def timed_settings(
    settings: Sequence[Setting], asked: Challenge, tier: str, kept: SweepFolder, until_s: float, folder: Path | None
) -> list[Setting]:
    """Each setting with the run in which it was timed, under the workspace's lock; nothing is recorded."""
    check_system()
    machine = MachineFile()
    known = machine.read()

    with Workspace(folder).measuring(), bars.progress() as progress:

        def timed(challenge: Challenge) -> Run:
            told = Observer(progress, screen.say, watch=progress.watch)
            run = with_what_is_known(run_competition(challenge, told), known)
            machine.add(run)
            return run

        return list(time_settings(settings, asked, tier, kept, timed, until_s, time.monotonic, progress))


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
        measured = run_competition(asked, Observer(progress, screen.say, keep, progress.watch))
        run = with_what_is_known(measured, known)
        log = place.record_run(run, "\n".join(printed))
    machine.add(run)
    if log:
        screen.say(f"what was printed meanwhile: {log}")
    return run
