"""Verifying for the command: one entry after the other, each kept when it is done, whatever the others do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tinytorch.competition.checks.verified import How, Verification, parse_verification
from tinytorch.competition.rules.events import Rules, read_rules
from tinytorch.errors import UsageError
from tinytorch.harness.referee.private import PrivateFile, private_files
from tinytorch.harness.referee.verify import box_tested, work_id
from tinytorch.processes.box import Tier
from tinytorch.processes.selftest import self_test
from tinytorch.showing import safe_text, some
from tinytorch.workloads.registry import find_task, task_names
from tito import start
from tito.exit_codes import ExitCode
from tito.olympics.rerunning import Settings
from tito.olympics.sharing import Sharing, done
from tito.terminal import bars, screen
from tito.views import verification as render
from tito.workspace.entries import HandedIn, candidate, handed_in, without_entry
from tito.workspace.signatures import is_signed
from tito.workspace.verified import Verified

BY_WEIGHT = ("failed", "DNF", "VOID", "inconclusive")
CODES = {
    "failed": ExitCode.FINDINGS, "DNF": ExitCode.FINDINGS, "VOID": ExitCode.RUN_FAILED,
    "inconclusive": ExitCode.INCONCLUSIVE,
}  # fmt: skip


class Asked(NamedTuple):
    """What a call asks for: which entries, how they are verified, and which of them anew."""

    paths: Sequence[str]
    entry: Path | None
    settings: Settings
    sharing: Sharing
    again: Sequence[str] = ()


@dataclass(frozen=True)
class Looked:
    """What was handed in, by the name that it is shown by, and what is known of it: None where it is to be done."""

    handed: HandedIn
    source: str
    id: str
    task: str | None
    sha256: str
    known: Verification | None

    def lost(self, how: How, why: str) -> Verification:
        """The record of one that no machine brought to an end."""
        return Verification(
            id=self.id, source=safe_text(self.source, 200), submission_sha256=self.sha256 or None, files={},
            declaration=None, task=self.task, how=how, level=None, outcome="VOID", reason=why, probes=[],
            agreements=[], findings=[], verified_at=datetime.now(UTC), took_s=0.0, run=None,
        )  # fmt: skip


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
    if alone := [each.name for each in without_entry(asked.paths)]:
        files = f"{len(alone)} file{'' if len(alone) == 1 else 's'}"
        screen.say(f"warning: {files} without an entry cannot be verified: {some(alone, 3)}")
        screen.say("         they are handed in with it by: tito olympics submit --bundle")
    private = private_files([Path(each) for each in settings.private])
    start.finished()
    folder.make()
    how = settings.how(rules, private)
    of_class = _looked(entries, asked, how, rules, folder)
    ids = [each.id for each in of_class]
    own = {*asked.sharing.of(ids)}
    looked = [each for each in of_class if each.id in own]
    if asked.sharing.part:
        screen.say(f"shard {asked.sharing.part.words}: {len(looked)} of {len(of_class)} entries")
    known = [each.known for each in looked if each.known]
    pending = list({each.id: each for each in looked if each.known is None}.values())  # a copy is the same work
    _warn_of_folder(folder, how, len(pending))
    if others := {*asked.again} - own:
        screen.say(f"warning: of another shard, and not verified again here: {', '.join(sorted(others))}")
    if known:
        screen.say(f"{len(known)} of {len(looked)} were verified before: {folder.folder}")
    if settings.is_refereed:
        _warn_of_missing({each.task for each in pending if each.task}, private)
    with screen.done_before(f"what is finished is kept in {folder.folder}; the same command goes on"):
        new = _new(pending, asked, asked.sharing.shift(ids, folder), how, folder)
    ends = {each.id: each for each in (*known, *new)}
    found = [ends[each.id].model_copy(update={"source": each.source}) for each in looked]
    _show(found, asked, rules, json_)
    return exit_code(found)


def _warn_of_folder(folder: Verified, how: How, pending: int) -> None:
    """What will be added to a folder that was signed, or that machines share by other settings."""
    if pending and is_signed(folder.folder):
        screen.say(f"warning: {folder.folder} is signed, and what is verified now is not: sign it again")
    if pending and any(shift.how != how for shift in folder.shifts()):
        screen.say(f"warning: {folder.folder} has records by other settings (--tier, limits): use another -o")


def _show(found: Sequence[Verification], asked: Asked, rules: Rules, json_: bool) -> None:
    if json_:
        screen.put_json(render.document(found))
        return
    screen.show(render.table_of(found, rules))
    folder = shlex.quote(asked.settings.folder)
    if asked.sharing.part:
        screen.say(f"next, when all shards are done: tito olympics verify --merge -o {folder}")
    elif any(each.level for each in found):
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
            found.append(Looked(handed, one.judged.source, id_, task, one.judged.sha256, known))
    ids = {each.id for each in found}
    for id_ in asked.again:
        if id_ not in ids:
            mend = "give the same paths, --tier, limits and --rules as then; an id is the name of a record's file"
            raise UsageError(f"--again {id_}: none of these entries has this id", mend=mend)
    return found


def _new(
    pending: Sequence[Looked], asked: Asked, shift: Mapping[str, Any] | None, how: How, folder: Verified
) -> list[Verification]:  # fmt: skip
    """What is found now; of what was lost a record that says so, which the next call tries again."""
    waiting, found = {each.id: each for each in pending}, []
    handed = {each.id: each.handed for each in pending}
    try:
        for id_, end in done(handed, asked.settings, asked.sharing, shift):
            if end.why:
                found.append(_lost(waiting[id_], how, end.why, folder))
            else:
                found.append(parse_verification(id_, end.text.encode()))
    except OSError as error:
        raise folder.refusal(error) from error
    return found


def _lost(one: Looked, how: How, why: str, folder: Verified) -> Verification:
    """What a call knew before, if it came to its end; else a record that says what happened, and is kept."""
    known = folder.finished(one.id)
    if known:
        return known
    lost = one.lost(how, why)
    folder.keep(f"{one.id}.json", lost.text().encode())
    return lost


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
