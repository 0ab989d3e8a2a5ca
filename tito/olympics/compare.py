"""`tito olympics compare`: two runs beside each other, where they allow it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from tinytorch.competition.names import Expectation
from tinytorch.errors import UsageError
from tito.exit_codes import ExitCode
from tito.options import Json, RulesFile, WorkspaceFolder
from tito.terminal import screen
from tito.workspace.workspace import Workspace

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's id or file; - is stdin.")]


def compare(
    first: RunName,
    second: RunName,
    expect: Annotated[
        Expectation | None,
        typer.Option("--expect", help="Of the second, no-more-work: exit 1 where it does more, 5 without counts."),
    ] = None,
    rules: RulesFile = None,
    json_: Json = False,
    folder: WorkspaceFolder = None,
) -> None:
    """Compare two recorded runs: what their task, recipe and machine allow, and of the rest which field differs.

    Exit code 1 when nothing can be compared. Example: tito olympics compare before.json after.json.
    """
    if expect and expect is not Expectation.NO_MORE_WORK:
        mend = "the table has a verdict for each figure; benchmark --expect asks it of one run"
        raise UsageError(f"of two runs {expect} cannot be expected, only {Expectation.NO_MORE_WORK}", mend=mend)
    from tinytorch.competition.rules.events import read_rules
    from tinytorch.competition.scoring.contrast import contrast
    from tinytorch.competition.scoring.disturbance import sharing_what_is_known
    from tinytorch.competition.scoring.expectation import no_more_work
    from tito.olympics.expecting import told
    from tito.views import contrast as render_contrast

    judged_by, place = read_rules(rules), Workspace(folder)
    runs = place.run(first), place.run(second)
    if runs[0].id == runs[1].id:
        raise UsageError(f"{first} and {second} are one run", mend="name two: tito olympics status --all lists them")
    runs = sharing_what_is_known(*runs)
    found = contrast(*runs, judged_by)
    if json_:
        screen.put_json({"first": runs[0].id, "second": runs[1].id, "figures": [asdict(each) for each in found]})
    else:
        screen.show(render_contrast.contrast_table(runs, found, judged_by))
    if expect:
        raise typer.Exit(told(expect, *no_more_work(*(run.optimized.whole_work for run in runs))))
    if not any(each.change is not None for each in found):
        raise typer.Exit(ExitCode.FINDINGS)
