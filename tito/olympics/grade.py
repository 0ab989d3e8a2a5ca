"""`tito olympics grade`: from a class's submissions to the points of everybody in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tito import start
from tito.exit_codes import ExitCode
from tito.olympics.example import judged_in
from tito.options import (
    ClassFile,
    Example,
    Force,
    Json,
    Level,
    Output,
    Roster,
    RulesFile,
    Signers,
    Times,
    Trust,
    Until,
    VerifiedFolder,
)
from tito.terminal import screen
from tito.workspace.documents import Destination
from tito.workspace.submissions import Submissions


class OutputFormat(StrEnum):
    """For whom the grades are written."""

    HUMAN = "human"
    CSV = "csv"
    JSON = "json"


def grade(
    files: Submissions = None,
    example: Example = False,
    class_file: ClassFile = None,
    rules: RulesFile = None,
    roster: Roster = None,
    times: Times = None,
    until: Until = None,
    trust: Trust = Level.T1,
    verified: VerifiedFolder = None,
    signers: Signers = None,
    format_: Annotated[
        OutputFormat | None, typer.Option("--format", help="For whom to write (default: csv into a file, else human).")
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin a CSV with the mark that Excel knows UTF-8 by.")] = False,
    output: Output = None,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Give everybody in a class the points that class.toml says: for what is shown, or for ranks.

    Exit code 1 when nobody has anything that counts.
    Example: tito olympics grade class/ --class class.toml -o grades.csv.
    """
    target = Destination(output, "report", force)
    target.replaced()
    chosen = OutputFormat.JSON if json_ else format_ or (OutputFormat.HUMAN if target.is_stdout else OutputFormat.CSV)
    start.alone()
    from tinytorch.competition.formats.grades import FORMATS
    from tinytorch.competition.grading.grades import grades, nobodys
    from tito.olympics import checking, ranked
    from tito.olympics.classroom import Asked, class_of
    from tito.views.grades import grades_table

    options = Asked(
        class_file, rules, None, None, None, trust, roster, times, until, verified=verified, signers=signers
    ).absolute()
    with judged_in(example, files) as judged:
        asked = class_of(options, judged)
        asked.assignment.check_points(asked.rules)
        board = ranked.rank(judged, target.place, asked)
    ranked.tell_signer(board)
    found = grades(board, asked.assignment, asked.roster)
    if chosen is OutputFormat.HUMAN:
        shown = grades_table(found, asked.title or "Grades")
        checking.write(checking.drawn([shown], target, "grades"), target)
    else:
        mark = "\ufeff" if bom and chosen is OutputFormat.CSV else ""
        checking.write([mark, FORMATS[chosen](found), "\n"], target)
    without = sum(not any(each.place for each in one.results) for one in found)
    screen.say(f"graded: {len(found)}, without anything that counts: {without}")
    lost = [f"{each.source}: {each.reason}, and nobody knows whose it is" for each in nobodys(board)]
    for said in (*board.doubts, *lost):
        screen.say(f"warning: {said}")
    if without == len(found):
        raise typer.Exit(ExitCode.FINDINGS)
