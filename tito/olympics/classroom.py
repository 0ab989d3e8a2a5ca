"""What a call and a class's `class.toml` ask for together: an option that is given beats what stands in the file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinytorch.competition.checks.batch import MayBe
from tinytorch.competition.grading.assignment import FILE_NAME, PSEUDONYMS, Assignment, read_assignment
from tinytorch.competition.grading.hidden import Naming, naming
from tinytorch.competition.grading.roster import Roster, read_roster
from tinytorch.competition.grading.times import Times, moment, read_times
from tinytorch.competition.names import DIVISIONS, Division, parse_event, parse_track
from tinytorch.competition.ranking.leaderboard import Wanted
from tinytorch.competition.ranking.reruns import Reruns
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Rules, read_rules
from tinytorch.errors import UsageError
from tinytorch.showing import nearest, safe_text
from tito.terminal import screen
from tito.workspace import signatures
from tito.workspace.verified import Verified

CLASS_VARIABLE = "TITO_CLASS"


@dataclass(frozen=True)
class Asked:
    """The options of a command that takes many submissions; None of what was not given."""

    class_file: Path | None = None
    rules: Path | None = None
    event: str | None = None
    task: str | None = None
    division: str | None = None
    trust: str = "T1"
    roster: Path | None = None
    times: Path | None = None
    until: str | None = None
    names: str | None = None
    key: Path | None = None
    title: str | None = None
    verified: Path | None = None
    track: str | None = None
    signers: Path | None = None

    def absolute(self) -> Asked:
        """With files named from the root: where we stand may change."""
        paths = {
            "class_file": _named(self.class_file),
            "rules": self.rules,
            "roster": self.roster,
            "times": self.times,
            "key": self.key,
            "verified": self.verified,
            "signers": self.signers,
        }
        known: dict[str, Any] = {name: path.absolute() for name, path in paths.items() if path}
        return replace(self, **known)


@dataclass(frozen=True)
class Class:
    """Everything that a board, a page or grades follow from, beside the files."""

    assignment: Assignment
    rules: Rules
    wanted: Wanted
    roster: Roster | None
    times: Times
    naming: Naming
    key: Path
    title: str | None
    reruns: Reruns
    signed_by: str | None


def class_of(asked: Asked, names: Sequence[str] | None) -> Class:
    """What is asked for, read from all files that are named; UsageError for what there is not."""
    assignment = assignment_of(asked.class_file, names)
    roster, times = asked.roster or assignment.roster, asked.times or assignment.times
    people, known = read_roster(roster) if roster else None, times_of(times)
    title, rules = asked.title or assignment.title, read_rules(asked.rules or assignment.rules)
    return Class(
        assignment=assignment, rules=rules, reruns=reruns_of(asked.verified, rules),
        signed_by=signer_of(asked.verified, asked.signers), roster=people, times=known,
        wanted=_wanted(asked, assignment, rules, people, known),
        naming=naming(asked.names or assignment.names or "all"), key=asked.key or assignment.key or Path(PSEUDONYMS),
        title=safe_text(title) if title else None,
    )  # fmt: skip


def reruns_of(folder: Path | None, rules: Rules) -> Reruns:
    """The verifications in a folder by these rules; none without one."""
    kept = Verified(folder) if folder else None
    found = list(kept.all()) if kept else []
    known = Reruns(found, rules, list(kept.shifts()) if kept else [])
    if len(found) > 0 and len(known) == 0:
        mend = "verify again with --rules, or rank by the rules that they were verified by"
        raise UsageError(f"the verifications in {folder} are by other rules", mend=mend)
    return known


def signer_of(folder: Path | None, signers: Path | None) -> str | None:
    """Who signed the verifications, by those whom the class relies on; UsageError where the signature does not hold.

    None where nobody is to be relied on, which is said where there is a signature.
    """
    if folder is None or signers is None:
        if signers:
            raise UsageError("--signers is for the records of --verified", mend="add --verified DIR")
        if folder and signatures.is_signed(folder):
            screen.say(f"{folder} is signed, and by whom was not checked: add --signers FILE")
        return None
    try:
        return signatures.check(Verified(folder), signers).words
    except signatures.NotSignedError as error:
        named = f"{shlex.quote(str(folder))} --signers {shlex.quote(str(signers))}"
        mend = f"tito olympics verify check {named}; or verify again"
        raise UsageError(f"the signature of {folder} does not hold: {error}", mend=mend) from None


def times_of(path: Path | None) -> Times:
    """When a platform received files; without a table nothing is known of that."""
    return read_times(path) if path else Times()


def may_be_of(roster: Path | None) -> MayBe:
    """Whether two athletes may be one, by the roster where there is one."""
    return read_roster(roster).may_be if roster else Athlete.may_be


def _wanted(asked: Asked, assignment: Assignment, rules: Rules, roster: Roster | None, times: Times) -> Wanted:
    assignment.check_events(rules)
    task = asked.task or assignment.task
    if task and ":" in task:
        mend = "give the name that the task has in them: tito olympics tasks"
        raise UsageError(f"files name their tasks, and {safe_text(task)} is an address", mend=mend)
    found = Wanted(
        events=(parse_event(asked.event, rules.events),) if asked.event else tuple(assignment.events), task=task,
        division=_division(asked.division) or assignment.division,
        track=parse_track(asked.track) or assignment.track, trust=Trust(asked.trust),
        until=moment(asked.until) if asked.until else assignment.deadline, handed_in=times.handed_in,
    )  # fmt: skip
    return replace(found, whose=roster.whose) if roster else found


def _division(name: str | None) -> Division | None:
    if name not in (None, *DIVISIONS):
        raise UsageError(f"there is no division {name!r}", mend=nearest(str(name), DIVISIONS))
    return "closed" if name == "closed" else "open" if name else None


def _named(given: Path | None) -> Path | None:
    """The file that the call names, else the environment."""
    variable = os.environ.get(CLASS_VARIABLE)
    return given or (Path(variable) if variable else None)


def _folders(names: Sequence[str]) -> list[Path]:
    """Where a class's file may lie: in the only folder that is named, or where we are.

    Not beside files that are named: a student's own folder is no place for it, and what lies there is only told.
    """
    if len(set(names)) == 1 and Path(names[0]).is_dir():
        return [Path(names[0]), Path()]
    for folder in dict.fromkeys(Path(each).parent for each in names):
        if (folder / FILE_NAME).is_file() and folder.resolve() != Path().resolve():
            screen.say(f"{folder / FILE_NAME} is not used: name the folder, or the file with --class")
    return [Path()]


def assignment_of(named: Path | None, names: Sequence[str] | None) -> Assignment:
    """The file that is named, else that of `TITO_CLASS`, of the folder that is judged, or of the one we are in."""
    if known := _named(named):
        return read_assignment(known)
    for path in (folder / FILE_NAME for folder in _folders(names or ())):
        if path.is_file():
            screen.say(f"by {path}")
            return read_assignment(path)
    return Assignment()
