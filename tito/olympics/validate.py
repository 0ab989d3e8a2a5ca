"""`tito olympics validate`: every check of every file, by its id."""

from __future__ import annotations

from typing import Annotated

import typer

from tito import start
from tito.options import ClassFile, Force, Json, Output, RulesFile, Times
from tito.workspace.documents import Destination
from tito.workspace.submissions import DEFAULT_FILE, Submissions, expanded

OURS = "human, json, junit, github, gradescope, markdown"


def validate(
    files: Submissions = None,
    rules: RulesFile = None,
    class_file: ClassFile = None,
    times: Times = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=f"For whom to write: {OURS}, or what a package adds.")
    ] = "human",
    output: Output = None,
    force: Force = False,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="ID", help="Explain a check, or 'all': what, why, how to mend.")
    ] = None,
    json_: Json = False,
) -> None:
    """Check submissions: exit code 0 when all are valid, 1 when one is not.

    Examples: tito olympics validate submission.json; tito olympics validate class/ --format markdown -o report.md;
    tito olympics validate --explain digest.
    """
    format_ = "json" if json_ else format_
    target = Destination(output, "report", force)
    target.replaced()
    start.alone()
    from tinytorch.competition.rules.events import read_rules
    from tito.olympics import checking
    from tito.olympics.classroom import assignment_of, may_be_of, times_of

    if explain is not None:
        checking.explain(explain, format_, target)
        return
    names = list(dict.fromkeys(expanded(files or [DEFAULT_FILE], target.place)))  # one that is named twice counts once
    assignment = assignment_of(class_file, files)
    judged_by = read_rules(rules or assignment.rules)
    if assignment.gives_points:
        assignment.check_points(judged_by)
    asked = checking.Asked(
        judged_by, assignment, times_of(times or assignment.times), strict, may_be_of(assignment.roster)
    )
    raise typer.Exit(0 if checking.check(names, asked, format_, target) else 1)
