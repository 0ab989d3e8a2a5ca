"""`tito olympics report`: a ranking as one page that a class likes to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tinytorch.errors import SetupMissingError
from tito import start
from tito.exit_codes import ExitCode
from tito.options import Division, Event, Force, Json, Level, RecordedTask, RulesFile, Trust
from tito.terminal import screen
from tito.workspace.documents import Destination
from tito.workspace.submissions import Submissions

if TYPE_CHECKING:
    from tinytorch.competition.ranking.judged import Circumstances
    from tinytorch.competition.ranking.leaderboard import Leaderboard

DEFAULT_OUTPUT = "report.html"
NEEDED = {"jinja2", "markupsafe", "matplotlib"}


def report(
    files: Submissions = None,
    event: Event = None,
    task: RecordedTask = None,
    division: Division = None,
    trust: Trust = Level.T1,
    rules: RulesFile = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; - is stdout.")
    ] = DEFAULT_OUTPUT,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Write the ranking of submissions as one self-contained page: podiums, intervals, fronts, findings.

    It needs no network to be read, and works on a phone, in print, with a keyboard and with a screen reader.
    Exit code 1 when nothing could be ranked. Example: tito olympics report class/ -o report.html.
    """
    target = Destination(output, "report", force)
    target.replaced()
    start.alone()
    page = _page_maker()
    from tinytorch.competition.rules.events import read_rules
    from tito.olympics import ranked as ranking

    wanted = ranking.wanted(event, task, division, trust)
    board, details = ranking.rank_detailed(files, target.place, read_rules(rules), wanted, ranking.circumstances)
    digest = target.write(page(board, details, datetime.now(UTC)))
    ranked = sum(len(each.places) for each in board.rankings)
    if json_ and not target.is_stdout:
        screen.put_json({"file": output, "sha256": digest, "rankings": len(board.rankings), "ranked": ranked})
    screen.say(f"ranked submissions: {ranked}, rankings: {len(board.rankings)}; written to {output}")
    if not board.rankings:
        raise typer.Exit(ExitCode.FINDINGS)


def _page_maker() -> Callable[[Leaderboard, Mapping[str, Circumstances], datetime], str]:
    """What makes the page; SetupMissingError where the packages for it are not installed."""
    try:
        from tito.report.page import page
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        mend = "pip install 'tinytorch-olympics[report]'"
        raise SetupMissingError(f"a report needs {error.name}, which is not installed", mend=mend) from error
    return page
