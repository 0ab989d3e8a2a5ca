"""Ranking submissions for the commands: from names to a leaderboard, and from that to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tinytorch.competition.grading.grades import doubts, missing, named
from tinytorch.competition.grading.hidden import athletes, hidden
from tinytorch.competition.ranking.judged import Circumstances
from tinytorch.competition.ranking.leaderboard import Leaderboard, leaderboard
from tinytorch.competition.record.people import Athlete
from tinytorch.errors import UsageError
from tito import start
from tito.olympics import checking
from tito.olympics.classroom import Class
from tito.olympics.collecting import collect
from tito.terminal import screen
from tito.workspace import index
from tito.workspace.documents import Destination, descriptor
from tito.workspace.index import Index
from tito.workspace.pseudonyms import pseudonyms
from tito.workspace.submissions import DEFAULT_FILE, expanded

Details = TypeVar("Details")


def rank(names: Sequence[str] | None, report: str, asked: Class) -> Leaderboard:
    """The leaderboard of the named submissions; `report` is the file that is about to be written."""
    return rank_detailed(names, report, asked, lambda index, board: None)[0]


def rank_detailed(
    names: Sequence[str] | None, report: str, asked: Class, details: Callable[[Index, Leaderboard], Details],
) -> tuple[Leaderboard, Details]:  # fmt: skip
    """The same, with what else is asked of the index."""
    start.finished()
    files = list(expanded(names or [DEFAULT_FILE], report))
    _refuse_nothing(files)
    _warn_of_times(asked, files)
    may_be = asked.roster.may_be if asked.roster else Athlete.may_be

    def work(found: Index) -> tuple[Leaderboard, Details]:
        judged = asked.reruns.beside(collect(files, asked.rules, found, asked.times, may_be))
        board = leaderboard(judged, asked.rules, asked.wanted, found.sets)
        return _of_class(board, asked), details(found, board)

    return index.using(asked.rules.sha256, work)


def _of_class(board: Leaderboard, asked: Class) -> Leaderboard:
    """The board with its title, who signed its re-runs, and what a roster tells of it."""
    board, people = replace(board, title=asked.title, signed_by=asked.signed_by), asked.roster
    if people is None:
        return board
    absent, said = missing(board, people), doubts(board, people)
    return replace(named(board, people), missing=tuple(absent), doubts=tuple(said))


def tell_signer(board: Leaderboard) -> None:
    """Whose signature the verifications have, where a command shows no board that says it."""
    if board.signed_by:
        screen.say(f"verifications: {board.signed_by}")


def _warn_of_times(asked: Class, files: Sequence[str]) -> None:
    """Say what a platform's table does not fit."""
    absent, without = asked.times.unmatched(files)
    for names, said in (
        (absent, "are not there"),
        (without, "have no line there, and count by their time on this disk"),
    ):
        if names:
            screen.say(f"warning: of the table of times {len(names)} files {said}, such as {', '.join(names[:3])}")


def _refuse_nothing(files: Sequence[str]) -> None:
    """UsageError where none of the files is there: a wrong name, or an empty folder."""
    if any(descriptor(name) is not None or Path(name).is_file() for name in files):
        return
    mend = "name submissions, or a folder with *.json files; tito olympics leaderboard --example shows a class"
    raise UsageError(f"there is no submission at {', '.join(files[:3])}", mend=mend)


def shown(board: Leaderboard, asked: Class) -> Leaderboard:
    """The board with names as the class is to see them; new pseudonyms are written into the key file."""
    if asked.naming.is_hiding:
        screen.say("names are hidden, and files without a rank are left out; --names all shows them")
    whose = asked.wanted.whose
    known = pseudonyms(asked.key, athletes(board, whose)) if asked.naming.kind == "pseudonyms" else {}
    return hidden(board, asked.naming, lambda athlete: known[whose(athlete)])


def write(board: Leaderboard, format_: str, most: int | None, target: Destination, bom: bool = False) -> None:
    """The leaderboard for people, with at most so many lines of each list, or in a format with all."""
    if format_ == checking.HUMAN:
        from tito.views import leaderboard as render_leaderboard

        checking.write(checking.drawn(render_leaderboard.board(board, most), target, "leaderboard"), target)
        return
    from tinytorch.competition.formats.leaderboard import FORMATS

    mark = "\ufeff" if bom and format_ == "csv" else ""
    checking.write([mark, FORMATS[format_](board), "\n"], target)


def circumstances(found: Index, board: Leaderboard) -> dict[str, Circumstances]:
    """How the ranked submissions were measured, by the digest of their files' contents."""
    return found.circumstances(place.judged.sha256 for ranking in board.rankings for place in ranking.places)
