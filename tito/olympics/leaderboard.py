"""`tito olympics leaderboard`: a fair ranking of many submissions."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from tinytorch.competition.names import DIVISIONS, parse_event
from tinytorch.errors import UsageError
from tinytorch.text import nearest
from tinytorch.workloads.registry import known_name
from tito import screen
from tito.documents import Destination
from tito.exit_codes import ExitCode
from tito.options import Event, Force, Json, Output, RecordedTask, RulesFile, WorkspaceFolder
from tito.submissions import Submissions

MOST_LISTED = 20  # of each list, without --all; every other format has all


class OutputFormat(StrEnum):
    """For whom the ranking is written."""

    HUMAN = "human"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class Level(StrEnum):
    """The least trust that is ranked."""

    T0 = "T0"
    T1 = "T1"


def leaderboard(
    files: Submissions = None,
    event: Event = None,
    task: RecordedTask = None,
    division: Annotated[
        str | None, typer.Option("--division", metavar="DIVISION", help=f"Only {' or '.join(DIVISIONS)}.")
    ] = None,
    trust: Annotated[Level, typer.Option("--trust", help="T0 ranks numbers given by hand, too, below all.")] = Level.T1,
    rules: RulesFile = None,
    every: Annotated[bool, typer.Option("--all", help=f"Every line, not only {MOST_LISTED} of each list.")] = False,
    format_: Annotated[OutputFormat, typer.Option("--format", help="For whom to write.")] = OutputFormat.HUMAN,
    output: Output = None,
    force: Force = False,
    json_: Json = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Rank submissions: each event, task and division apart; who cannot be told from a leader shares its rank.

    What was checked before is not read again. Exit code 1 when nothing could be ranked.
    Examples: tito olympics leaderboard class/; tito olympics leaderboard class/ --format csv -o ranking.csv.
    """
    format_ = OutputFormat.JSON if json_ else format_
    target = Destination(output, "report", force)
    target.replaced()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start threads that a check has no use for
    from tinytorch.competition.events import read_rules
    from tinytorch.competition.leaderboard import Wanted
    from tinytorch.competition.submission import Trust
    from tito import ranking

    if division not in (None, *DIVISIONS):
        raise UsageError(f"there is no division {division!r}", mend=nearest(str(division), DIVISIONS))
    named = known_name(task) if task else None
    wanted = Wanted(parse_event(event) if event else None, named, division, Trust(trust))
    found = ranking.rank(files, target.place, read_rules(rules), wanted, folder)
    ranking.write(found, format_, None if every else MOST_LISTED, target)
    if not found.rankings:
        screen.say("nothing could be ranked")
        raise typer.Exit(ExitCode.FINDINGS)
