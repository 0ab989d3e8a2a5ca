"""Ranking submissions for the commands: from names to a leaderboard, and from that to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinytorch.competition.events import Rules
from tinytorch.competition.leaderboard import Leaderboard, Wanted, leaderboard
from tito import checking, index, start
from tito.collecting import collect
from tito.documents import Destination
from tito.submissions import DEFAULT_FILE, expanded
from tito.workspace import Workspace


def rank(names: Sequence[str] | None, report: str, rules: Rules, wanted: Wanted, folder: Path | None) -> Leaderboard:
    """The leaderboard of the named submissions; `report` is the file that is about to be written."""
    start.finished()
    files = list(expanded(names or [DEFAULT_FILE], report))
    place = Workspace(folder).root / index.FILE
    collected = index.using(place, rules.sha256, lambda found: collect(files, rules, found))
    return leaderboard((each.judged for each in collected), rules, wanted)


def write(board: Leaderboard, format_: str, most: int | None, target: Destination) -> None:
    """The leaderboard for people, with at most so many lines of each list, or in a format with all."""
    if format_ == checking.HUMAN:
        from tito import render_leaderboard

        checking.write(checking.drawn(render_leaderboard.board(board, most), target), target)
        return
    from tinytorch.competition.formats.ranking import FORMATS

    checking.write([FORMATS[format_](board), "\n"], target)
