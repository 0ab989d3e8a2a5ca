"""A board for everybody's eyes: names as an instructor wants them shown, and nothing that tells them otherwise."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tinytorch.competition.checks.batch import BETWEEN_FILES
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.checks.validation import pages
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.ranking.leaderboard import Leaderboard, Ranking
from tinytorch.competition.ranking.order import Place
from tinytorch.competition.record.people import BETWEEN_NAMES, NAME_LIMIT, Athlete
from tinytorch.errors import UsageError
from tinytorch.showing import safe_text

Kind = Literal["all", "initials", "pseudonyms", "none", "top"]
NameOf = Callable[[Place], str | None]

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
LETTERS_OF_A_PSEUDONYM = 4
HIDDEN = "(hidden)"
MEND = "choose from all, initials, pseudonyms, none, top:N"
_TOP = re.compile(r"top:([1-9]\d{0,5})", re.ASCII)


@dataclass(frozen=True)
class Naming:
    """How athletes are shown; of `top` the first so many by their names, the others not at all."""

    kind: Kind
    most: int = 0

    @property
    def is_hiding(self) -> bool:
        """Whether anybody's name is not shown."""
        return self.kind != "all"


def naming(text: str) -> Naming:
    """`all`, `initials`, `pseudonyms`, `none` or `top:3`; UsageError for anything else."""
    if found := _TOP.fullmatch(text):
        return Naming("top", int(found[1]))
    for kind in ("all", "initials", "pseudonyms", "none"):
        if text == kind:
            return Naming(kind)
    raise UsageError(f"names cannot be shown as {safe_text(text, 40)!r}", mend=MEND)


def hidden(board: Leaderboard, shown: Naming, pseudonym: Callable[[Athlete], str]) -> Leaderboard:
    """The board with names as they are to be shown; `pseudonym` tells that of an athlete.

    Whoever's name is not shown has no repository and no file name either, and of findings only what check it was. Files
    without a rank are left out, because their names tell whose they are.
    """
    if not shown.is_hiding:
        return board
    rankings = tuple(
        replace(_ranking(each, lambda place: _name(place, shown, pseudonym)), others=()) for each in board.rankings
    )
    return replace(board, rankings=rankings, unranked=(), missing=(), doubts=())


def for_everybody(board: Leaderboard) -> Leaderboard:
    """The board without what one file tells of another: that is for the instructor, and accuses nobody in public."""
    return replace(board, rankings=tuple(_ranking(each, lambda place: None) for each in board.rankings))


def _ranking(ranking: Ranking, name_of: NameOf) -> Ranking:
    places = tuple(_place(place, name_of(place)) for place in ranking.places)
    return replace(ranking, places=places)


def _name(place: Place, shown: Naming, pseudonym: Callable[[Athlete], str]) -> str | None:
    """What stands for the athlete's name; None leaves everything as it is."""
    athlete = place.judged.entered.athlete
    if shown.kind == "top":
        return None if place.rank <= shown.most else HIDDEN
    if shown.kind == "initials":
        return BETWEEN_NAMES.join(initials(name) for name, _ in athlete.people)
    return pseudonym(athlete) if shown.kind == "pseudonyms" else HIDDEN


def initials(name: str) -> str:
    """`Ada Lovelace` as `A. L.`."""
    letters = (next(filter(str.isalnum, part), "") for part in name.split())
    return " ".join(f"{each.upper()}." for each in letters if each) or HIDDEN


def _place(place: Place, name: str | None) -> Place:
    judged = place.judged
    if name is None:
        return replace(place, judged=replace(judged, findings=_of_itself(judged)))
    day = judged.entered.created_at.replace(hour=0, minute=0, second=0, microsecond=0)
    athlete = Athlete(name=safe_text(name, NAME_LIMIT))
    figures = replace(judged.entered, repository=None, techniques=[], created_at=day, machine=None, athlete=athlete)
    findings = tuple(
        replace(each, message=pages()[each.name].what, mend="", evidence={}) for each in _of_itself(judged)
    )
    shown = replace(judged, source=f"rank {place.rank}", sha256="", figures=figures, findings=findings)
    return replace(place, judged=shown)


def _of_itself(judged: Judged) -> tuple[Finding, ...]:
    """The findings that name nobody else's file."""
    return tuple(each for each in judged.findings if each.name not in BETWEEN_FILES)


def athletes(board: Leaderboard, whose: Callable[[Athlete], str]) -> dict[str, str]:
    """The name of everybody with a rank, by what all submissions of one athlete have in common."""
    entered = (place.judged.entered.athlete for ranking in board.rankings for place in ranking.places)
    return {whose(each): each.name for each in entered}


def new_pseudonyms(taken: set[str]) -> Iterator[str]:
    """Pseudonyms that nobody has, drawn by chance, so that they tell nothing."""
    while True:
        drawn = "".join(secrets.choice(LETTERS) for _ in range(LETTERS_OF_A_PSEUDONYM))
        if drawn not in taken:
            taken.add(drawn)
            yield drawn
