"""Verifying for the command: one entry after the other, each kept when it is done, whatever the others do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tinytorch.competition.checks.verified import How, Verification
from tinytorch.competition.rules.events import Rules, read_rules
from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee.private import PrivateFile, private_files
from tinytorch.harness.referee.redraw import Redraws
from tinytorch.harness.referee.referee import Referee
from tinytorch.harness.referee.verify import Place, box_tested, hides_labels, verified, work_id
from tinytorch.processes.box import Tier, refusal
from tinytorch.processes.selftest import self_test
from tinytorch.processes.worker import check_system
from tinytorch.progress import Progress
from tinytorch.showing import safe_text
from tinytorch.units import BYTES_PER_MEGABYTE
from tinytorch.workloads.registry import find_task, task_names
from tito import start
from tito.exit_codes import ExitCode
from tito.terminal import bars, screen
from tito.views import verification as render
from tito.workspace.entries import HandedIn, candidate, handed_in
from tito.workspace.folder import CACHE_VARIABLE, folder_of
from tito.workspace.machine import MachineFile, with_what_is_known
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
    """What a call asks for; `wall` is the tier of the box, None for the plain process."""

    paths: Sequence[str]
    entry: Path | None
    folder: Path
    wall: Tier | None
    tier: str
    build_limit_s: float
    memory_limit_mb: float
    again: Sequence[str]
    rules: Path | None
    is_refereed: bool = False
    private: Sequence[Path] = ()


def wall_of(isolation: str) -> Tier | None:
    """The tier of box that is meant; of `auto` the best that this machine lets us have.

    SetupMissingError says which package or setting is missing.
    """
    check_system("verifying")
    if isolation == "c":
        return None
    wanted: list[Tier] = ["A", "B"] if isolation == "auto" else ["A" if isolation == "a" else "B"]
    refusals: dict[Tier, tuple[str, str]] = {}
    for tier in wanted:
        refused = refusal(tier)
        if refused is None:
            for other, (why, mend) in refusals.items():
                screen.say(f"warning: no box of tier {other}: {why}; {mend}. Tier {tier} is used")
            return tier
        refusals[tier] = refused
    whys = "; ".join(f"tier {tier}: {why}" for tier, (why, _) in refusals.items())
    raise SetupMissingError(f"no box can be had here: {whys}", mend=next(iter(refusals.values()))[1])


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
    entries, rules = handed_in(asked.paths, asked.entry), read_rules(asked.rules)
    private = private_files(asked.private)
    start.finished()
    folder, how = Verified(asked.folder), _how(asked, rules, private)
    with folder.alone(), bars.progress() as progress:
        known, tasks = _known(entries, asked, how, rules, folder)
        found = [each for each in known if each is not None]
        pending = [handed for handed, each in zip(entries, known, strict=True) if each is None]
        if found:
            screen.say(f"{len(found)} of {len(entries)} were verified before: {asked.folder}")
        if pending:
            place = _place(asked, how, rules, progress)
            if asked.is_refereed:
                _warn_of_missing(tasks, private)
                place = replace(place, referee=Referee(private, Redraws(folder.secret(), place.cache_directory)))
            done = iter(_each(pending, place, folder, progress))
            with screen.done_before(f"what is finished is kept in {asked.folder}; the same command goes on"):
                found = [each or next(done) for each in known]
    if json_:
        screen.put_json(render.document(found))
    else:
        screen.show(render.table_of(found, rules))
        if any(each.level for each in found):
            screen.say(f"next: tito olympics leaderboard {shlex.join(asked.paths)} --verified {asked.folder}")
    return exit_code(found)


def _known(
    entries: Sequence[HandedIn], asked: Asked, how: How, rules: Rules, folder: Verified
) -> tuple[list[Verification | None], set[str]]:
    """Of each entry what an earlier call found, None where it is to be done; and the tasks of those.

    UsageError for an id that none has.
    """
    ids, found, tasks = set(), [], set()
    for handed in entries:
        with candidate(handed, rules) as one:
            ids.add(id_ := work_id(one, how))
            known = None if id_ in asked.again else folder.finished(id_)
            found.append(known and known.model_copy(update={"source": one.judged.source}))
            if known is None and one.submission and one.submission.run.task:
                tasks.add(one.submission.run.task.name)
    for id_ in asked.again:
        if id_ not in ids:
            mend = "give the same paths, --tier, limits and --rules as then; an id is the name of a record's file"
            raise UsageError(f"--again {id_}: none of these entries has this id", mend=mend)
    return found, tasks


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


def _how(asked: Asked, rules: Rules, private: Mapping[str, PrivateFile]) -> How:
    return How(
        level="T3" if asked.is_refereed else "T2", private=sorted({file.sha256 for file in private.values()}),
        isolation=asked.wall or "C", tier=asked.tier, build_limit_s=asked.build_limit_s, rules_sha256=rules.sha256,
        memory_limit_bytes=round(asked.memory_limit_mb * BYTES_PER_MEGABYTE),
    )  # fmt: skip


def _place(asked: Asked, how: How, rules: Rules, progress: Progress) -> Place:
    """The box, tested; where it does not hold nothing is run in it."""
    if asked.is_refereed and asked.wall != "A":
        mend = "apt install bubblewrap; or --level t2"
        raise SetupMissingError("trust T3 needs a box of tier A (bubblewrap)", mend=mend)
    box = box_tested(asked.wall, lambda share: progress("probe", share))
    if asked.wall and not box.holds:
        raise SetupMissingError(
            f"the box of tier {asked.wall} lets through: {', '.join(box.open)}",
            mend="tito olympics verify --self-test shows every probe",
        )
    machine = MachineFile().read()  # nothing is learnt here: what runs beside an entry's code may show any time
    known = partial(with_what_is_known, machine=machine)
    return Place(how, box, hides_labels(asked.wall), rules, folder_of(CACHE_VARIABLE), known)


def _each(entries: Sequence[HandedIn], place: Place, folder: Verified, progress: Progress) -> Iterator[Verification]:
    done: dict[str, Verification] = {}
    for number, handed in enumerate(entries):
        stage = f"verify: {number + 1} of {len(entries)}, {safe_text(handed.name, 30)}"
        progress(stage, number / len(entries))
        inside = _Inside(progress, stage, number, len(entries), REFEREED_PARTS if place.referee else PARTS)
        with candidate(handed, place.rules) as one:
            id_ = work_id(one, place.how)
            if id_ not in done:
                done[id_] = verified(one, place, Observer(inside, screen.say))
                folder.write(done[id_])
            yield done[id_].model_copy(update={"source": one.judged.source})  # a copy is the same work


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
