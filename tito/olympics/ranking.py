"""Ranking submissions for the commands: from names to a leaderboard, and from that to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tinytorch.competition.names import DIVISIONS, parse_event
from tinytorch.competition.ranking.examination import Details
from tinytorch.competition.ranking.leaderboard import Leaderboard, Wanted, leaderboard
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Rules
from tinytorch.errors import UsageError
from tinytorch.text import nearest
from tinytorch.workloads.registry import known_name
from tito import start
from tito.olympics import checking
from tito.olympics.collecting import Collected, collect
from tito.workspace import index
from tito.workspace.documents import Destination
from tito.workspace.index import Index
from tito.workspace.submissions import DEFAULT_FILE, expanded
from tito.workspace.workspace import Workspace

Result = TypeVar("Result")


def wanted(event: str | None, task: str | None, division: str | None, trust: str) -> Wanted:
    """What is asked for; UsageError for a name that there is not."""
    if division not in (None, *DIVISIONS):
        raise UsageError(f"there is no division {division!r}", mend=nearest(str(division), DIVISIONS))
    return Wanted(parse_event(event) if event else None, known_name(task) if task else None, division, Trust(trust))


def rank(names: Sequence[str] | None, report: str, rules: Rules, wanted: Wanted, folder: Path | None) -> Leaderboard:
    """The leaderboard of the named submissions; `report` is the file that is about to be written."""
    return _ranked(names, report, rules, wanted, folder, lambda board, _, __: board)


def rank_detailed(
    names: Sequence[str] | None, report: str, rules: Rules, wanted: Wanted, folder: Path | None
) -> tuple[Leaderboard, dict[str, Details]]:
    """The same with the details of what is ranked, by the digest of the content."""
    return _ranked(names, report, rules, wanted, folder, _with_details)


def _ranked(
    names: Sequence[str] | None, report: str, rules: Rules, wanted: Wanted, folder: Path | None,
    finish: Callable[[Leaderboard, Sequence[Collected], Index], Result],
) -> Result:  # fmt: skip
    start.finished()
    files = list(expanded(names or [DEFAULT_FILE], report))

    def work(found: Index) -> Result:
        collected = collect(files, rules, found)
        return finish(leaderboard((each.judged for each in collected), rules, wanted), collected, found)

    return index.using(Workspace(folder).root / index.FILE, rules.sha256, work)


def _with_details(
    board: Leaderboard, collected: Sequence[Collected], found: Index
) -> tuple[Leaderboard, dict[str, Details]]:
    """What the other files of the call tell about a ranked one is among its details."""
    ranked = {row.judged.source: row.judged.sha256 for ranking in board.rankings for row in ranking.rows}
    details = dict(found.details(ranked.values()))
    for each in collected:
        if each.judged.source in ranked:  # and no copy of it
            digest = each.judged.sha256
            details[digest] = details[digest].also(each.among_others)
    return board, details


def write(board: Leaderboard, format_: str, most: int | None, target: Destination) -> None:
    """The leaderboard for people, with at most so many lines of each list, or in a format with all."""
    if format_ == checking.HUMAN:
        from tito.views import leaderboard as render_leaderboard

        checking.write(checking.drawn(render_leaderboard.board(board, most), target), target)
        return
    from tinytorch.competition.formats.ranking import FORMATS

    checking.write([FORMATS[format_](board), "\n"], target)
