"""Ranking submissions for the commands: from names to a leaderboard, and from that to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tinytorch.competition.names import DIVISIONS, parse_event
from tinytorch.competition.ranking.judged import Circumstances
from tinytorch.competition.ranking.leaderboard import Leaderboard, Wanted, leaderboard
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.errors import UsageError
from tinytorch.text import nearest
from tinytorch.workloads.registry import known_name
from tito import start
from tito.olympics import checking
from tito.olympics.collecting import collect
from tito.workspace import index
from tito.workspace.documents import Destination
from tito.workspace.index import Index
from tito.workspace.submissions import DEFAULT_FILE, expanded

Details = TypeVar("Details")


def wanted(event: str | None, task: str | None, division: str | None, trust: str) -> Wanted:
    """What is asked for; UsageError for a name that there is not."""
    if division not in (None, *DIVISIONS):
        raise UsageError(f"there is no division {division!r}", mend=nearest(str(division), DIVISIONS))
    return Wanted(parse_event(event) if event else None, known_name(task) if task else None, division, Trust(trust))


def rank(names: Sequence[str] | None, report: str, rules: Rules, wanted: Wanted) -> Leaderboard:
    """The leaderboard of the named submissions; `report` is the file that is about to be written."""
    return rank_detailed(names, report, rules, wanted, lambda index, board: None)[0]


def rank_detailed(
    names: Sequence[str] | None, report: str, rules: Rules, wanted: Wanted,
    details: Callable[[Index, Leaderboard], Details],
) -> tuple[Leaderboard, Details]:  # fmt: skip
    """The same, with what else is asked of the index."""
    start.finished()
    files = list(expanded(names or [DEFAULT_FILE], report))

    def work(found: Index) -> tuple[Leaderboard, Details]:
        board = leaderboard(collect(files, rules, found), rules, wanted)
        return board, details(found, board)

    return index.using(rules.sha256, work)


def circumstances(found: Index, board: Leaderboard) -> dict[str, Circumstances]:
    """How the ranked submissions were measured, by the digest of their files' contents."""
    return found.circumstances(place.judged.sha256 for ranking in board.rankings for place in ranking.places)


def write(board: Leaderboard, format_: str, most: int | None, target: Destination) -> None:
    """The leaderboard for people, with at most so many lines of each list, or in a format with all."""
    if format_ == checking.HUMAN:
        from tito.views import leaderboard as render_leaderboard

        checking.write(checking.drawn(render_leaderboard.board(board, most), target, "leaderboard"), target)
        return
    from tinytorch.competition.formats.leaderboard import FORMATS

    checking.write([FORMATS[format_](board), "\n"], target)
