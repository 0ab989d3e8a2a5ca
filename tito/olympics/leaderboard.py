"""`tito olympics leaderboard`: a fair ranking of many submissions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tito import start
from tito.exit_codes import ExitCode
from tito.olympics.example import judged_in
from tito.options import (
    ClassFile,
    Division,
    Event,
    Example,
    Force,
    Json,
    Key,
    Level,
    Names,
    Output,
    RecordedTask,
    Roster,
    RulesFile,
    Signers,
    Times,
    Title,
    Track,
    Trust,
    Until,
    VerifiedFolder,
)
from tito.terminal import screen
from tito.workspace.documents import Destination
from tito.workspace.submissions import Submissions

MOST_LISTED = 20  # of each list, without --all; every other format has all


class OutputFormat(StrEnum):
    """For whom the ranking is written."""

    HUMAN = "human"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def leaderboard(
    files: Submissions = None,
    event: Event = None,
    task: RecordedTask = None,
    division: Division = None,
    track: Track = None,
    trust: Trust = Level.T1,
    verified: VerifiedFolder = None,
    signers: Signers = None,
    rules: RulesFile = None,
    class_file: ClassFile = None,
    roster: Roster = None,
    times: Times = None,
    until: Until = None,
    names: Names = None,
    key: Key = None,
    title: Title = None,
    example: Example = False,
    every: Annotated[bool, typer.Option("--all", help=f"Every line, not only {MOST_LISTED} of each list.")] = False,
    format_: Annotated[OutputFormat, typer.Option("--format", help="For whom to write.")] = OutputFormat.HUMAN,
    bom: Annotated[bool, typer.Option("--bom", help="Begin a CSV with the mark that Excel knows UTF-8 by.")] = False,
    output: Output = None,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Rank submissions by what is shown: each event, task and division apart, with the ranks that the data allow.

    What was checked before is not read again. Exit code 1 when nothing could be ranked.
    Examples: tito olympics leaderboard class/; tito olympics leaderboard class/ --format csv -o ranking.csv;
    tito olympics leaderboard --example.
    """
    format_ = OutputFormat.JSON if json_ else format_
    target = Destination(output, "report", force)
    target.replaced()
    start.alone()
    from tito.olympics import ranked
    from tito.olympics.classroom import Asked, class_of

    options = Asked(
        class_file, rules, event, task, division, trust, roster, times, until, names, key, title, verified, track,
        signers,
    ).absolute()  # fmt: skip
    with judged_in(example, files) as judged:
        asked = class_of(options, judged)
        board = ranked.rank(judged, target.place, asked)
    found = ranked.shown(board, asked)
    ranked.write(found, format_, None if every else MOST_LISTED, target, bom)
    if not found.rankings:
        screen.say("nothing could be ranked")
        raise typer.Exit(ExitCode.FINDINGS)
