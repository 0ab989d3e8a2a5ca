"""Verifying for the command: one entry after the other, each kept when it is done, whatever the others do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tinytorch.competition.checks.shift import Part
from tinytorch.competition.checks.verified import How, Verification, parse_verification
from tinytorch.competition.rules.events import Rules, read_rules
from tinytorch.errors import UsageError
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee.private import PrivateFile, private_files
from tinytorch.harness.referee.turns import Item, in_turn, machine_alone
from tinytorch.harness.referee.verify import box_tested, work_id
from tinytorch.processes.box import Tier
from tinytorch.processes.selftest import self_test
from tinytorch.progress import Progress
from tinytorch.showing import safe_text
from tinytorch.workloads.registry import find_task, task_names
from tito import start
from tito.exit_codes import ExitCode
from tito.olympics.rerunning import Settings, look_again, rerun
from tito.terminal import bars, screen
from tito.views import verification as render
from tito.workspace.entries import HandedIn, candidate, handed_in
from tito.workspace.verified import Verified

Bounds = tuple[float, float]
BY_WEIGHT = ("failed", "DNF", "VOID", "inconclusive")
CODES = {
    "failed": ExitCode.FINDINGS, "DNF": ExitCode.FINDINGS, "VOID": ExitCode.RUN_FAILED,
    "inconclusive": ExitCode.INCONCLUSIVE,
}  # fmt: skip


PARTS = {"build": (0.0, 0.3), "survey": (0.3, 0.4), "measure": (0.4, 1.0)}  # of the time that an entry takes, about
REFEREED_PARTS = {"build": (0.0, 0.2), "survey": (0.2, 0.25), "measure": (0.25, 0.4), "outside": (0.4, 0.6)}


class Asked(NamedTuple):
    """What a call asks for: which entries, how they are verified, and which of them anew."""

    paths: Sequence[str]
    entry: Path | None
    settings: Settings
    again: Sequence[str] = ()
    part: Part | None = None

    def shift(self, looked: Sequence[Looked]) -> dict[str, Any] | None:
        """What every machine is told of a class that several share."""
        return {"part": self.part.words, "works": [each.id for each in looked]} if self.part else None


@dataclass(frozen=True)
class Looked:
    """What was handed in, by the name that it is shown by, and what is known of it: None where it is to be done."""

    handed: HandedIn
    source: str
    id: str
    task: str | None
    known: Verification | None


def show_self_test(wall: Tier | None, json_: bool) -> ExitCode:
    """Every probe in the box, and as its control in a plain process; exit code 5 where the box does not hold."""
    start.finished()
    with bars.progress() as progress:
        plain = self_test(None, lambda share: progress("probe", share / 2))
        boxed = box_tested(wall, lambda share: progress("probe", (1 + share) / 2)) if wall else plain
    if json_:
        screen.put_json(render.self_test_document(boxed, plain))
    else:
        screen.show(render.self_test_table(boxed, plain))
    return ExitCode.GOOD if boxed.holds else ExitCode.INCONCLUSIVE


def verify_all(asked: Asked, json_: bool) -> ExitCode:
    """Verify what is not finished yet, one after the other, and show each."""
    settings, folder = asked.settings, Verified(Path(asked.settings.folder))
    entries, rules = handed_in(asked.paths, asked.entry), read_rules(Path(settings.rules) if settings.rules else None)
    private = private_files([Path(each) for each in settings.private])
    start.finished()
    folder.make()
    looked = _looked(entries, asked, settings.how(rules, private), rules, folder)
    shift, of_class = asked.shift(looked), looked
    if asked.part:
        own = {*asked.part.of([each.id for each in looked])}
        looked = [each for each in looked if each.id in own]
        screen.say(f"shard {asked.part.words}: {len(looked)} of {len(of_class)} entries")
    known = [each.known for each in looked if each.known]
    pending = list({each.id: each for each in looked if each.known is None}.values())  # a copy is the same work
    if known:
        screen.say(f"{len(known)} of {len(looked)} were verified before: {folder.folder}")
    if settings.is_refereed:
        _warn_of_missing({each.task for each in pending if each.task}, private)
    with screen.done_before(f"what is finished is kept in {folder.folder}; the same command goes on"):
        done = {each.id: each for each in (*known, *_done(pending, settings, folder, shift))}
    found = [done[each.id].model_copy(update={"source": each.source}) for each in looked]
    _show(found, asked, rules, json_)
    return exit_code(found)


def _show(found: Sequence[Verification], asked: Asked, rules: Rules, json_: bool) -> None:
    if json_:
        screen.put_json(render.document(found))
        return
    screen.show(render.table_of(found, rules))
    if any(each.level for each in found):
        folder = shlex.quote(asked.settings.folder)
        screen.say(f"next: tito olympics leaderboard {shlex.join(asked.paths)} --verified {folder}")


def _looked(entries: Sequence[HandedIn], asked: Asked, how: How, rules: Rules, folder: Verified) -> list[Looked]:
    """Of each entry what an earlier call found. UsageError for an id that none has."""
    found = []
    for handed in entries:
        with candidate(handed, rules) as one:
            id_ = work_id(one, how)
            run = one.submission.run if one.submission else None
            task, known = run.task.name if run and run.task else None, None
            if id_ not in asked.again:
                known = folder.finished(id_)
            found.append(Looked(handed, one.judged.source, id_, task, known))
    ids = {each.id for each in found}
    for id_ in asked.again:
        if id_ not in ids:
            mend = "give the same paths, --tier, limits and --rules as then; an id is the name of a record's file"
            raise UsageError(f"--again {id_}: none of these entries has this id", mend=mend)
    return found


def _done(
    pending: Sequence[Looked], settings: Settings, folder: Verified, shift: Mapping[str, Any] | None
) -> list[Verification]:  # fmt: skip
    items = {each.id: settings.of(each.id, each.handed, shift) for each in pending}
    with bars.progress() as progress:
        inside = _Insides(progress, pending, REFEREED_PARTS if settings.is_refereed else PARTS)
        try:
            texts = list(in_turn(rerun, items, folder.folder, told=inside.of))
            if texts and shift:
                _look_again(items[texts[-1][0]], progress)
        except OSError as error:
            raise folder.refusal(error) from error
    return [parse_verification(id_, text.encode()) for id_, text in texts]


def _look_again(item: Item, progress: Progress) -> None:
    """The canary once more, when the last entry is done."""
    told = Observer(progress, screen.say)
    with machine_alone(told):
        look_again(item, told)


def _warn_of_missing(tasks: set[str], private: Mapping[str, PrivateFile]) -> None:
    """Before hours of measuring: which entries cannot be refereed for want of data."""
    for name in sorted((tasks & {*task_names()}) - private.keys()):
        if not find_task(name).is_drawn:
            screen.say(f"warning: no private data for {name}, so that T3 is not given for it: add --private FILE")


def exit_code(found: Sequence[Verification]) -> ExitCode:
    """That of the worst outcome."""
    seen = {each.outcome for each in found}
    if any(each.outcome == "ok" and each.level is None for each in found):
        return ExitCode.FINDINGS
    return next((CODES[outcome] for outcome in BY_WEIGHT if outcome in seen), ExitCode.GOOD)


class _Insides:
    """Who is told of each piece: a bar of all entries, and below it the stages of the one that is measured."""

    def __init__(self, told: Progress, pending: Sequence[Looked], parts: Mapping[str, Bounds]) -> None:
        self._told, self._pending, self._parts = told, pending, parts
        self._numbers = {each.id: number for number, each in enumerate(pending)}

    def of(self, id_: str) -> Observer:
        """Who is told of one piece."""
        number, count = self._numbers[id_], len(self._pending)
        stage = f"verify: {number + 1} of {count}, {safe_text(self._pending[number].handed.name, 30)}"
        self._told(stage, number / count)
        return Observer(_Inside(self._told, stage, number, count, self._parts), screen.say)


class _Inside:
    """The stages of one entry, and what share of all is done; those of redrawn baselines add none."""

    def __init__(self, told: Progress, stage: str, number: int, count: int, parts: Mapping[str, Bounds]) -> None:
        self._told, self._stage, self._number, self._count, self._parts = told, stage, number, count, parts
        self._done = 0.0

    def __call__(self, stage: str, share: float) -> None:
        begins, ends = self._parts.get(stage, (self._done, self._done))
        self._done = max(self._done, begins + (ends - begins) * share)
        self._told(self._stage, (self._number + self._done) / self._count)
        self._told(stage, share)
