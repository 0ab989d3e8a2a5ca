"""`tito olympics report`: a ranking as one page that a class likes to look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from tinytorch.showing import safe_text
from tito import start
from tito.exit_codes import ExitCode
from tito.olympics.example import judged_in
from tito.olympics.pages import maker
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

DEFAULT_OUTPUT = "report.html"


def report(
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
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; - is stdout.")
    ] = DEFAULT_OUTPUT,
    force: Force = False,
    json_: Json = False,
) -> None:
    """Write the ranking of submissions as one self-contained page: podiums, intervals, fronts, findings.

    It needs no network to be read, and works on a phone, in print, with a keyboard and with a screen reader.
    Exit code 1, and no page, when nothing could be ranked. Example: tito olympics report class/ -o report.html.
    """
    target = Destination(output, "report", force)
    target.replaced()
    start.alone()
    page = maker("tito.report.page").page
    from tinytorch.competition.grading.hidden import for_everybody
    from tito.olympics import ranked
    from tito.olympics.classroom import Asked, class_of

    options = Asked(
        class_file, rules, event, task, division, trust, roster, times, until, names, key, title, verified, track,
        signers,
    ).absolute()  # fmt: skip
    with judged_in(example, files) as judged:
        asked = class_of(options, judged)
        board, details = ranked.rank_detailed(judged, target.place, asked, ranked.circumstances)
        details = asked.reruns.circumstances(details)
    ranked.tell_signer(board)
    if not board.rankings:
        reasons = "; ".join(dict.fromkeys(each.reason for each in board.unranked))
        if json_:
            screen.put_json({"file": None, "sha256": None, "rankings": 0, "ranked": 0})
        screen.say(f"nothing could be ranked, and no page is written: {safe_text(reasons, 400)}")
        raise typer.Exit(ExitCode.FINDINGS)
    digest = target.write(page(ranked.shown(for_everybody(board), asked), details, datetime.now(UTC)))
    count = sum(len(each.places) for each in board.rankings)
    if json_ and not target.is_stdout:
        screen.put_json({"file": output, "sha256": digest, "rankings": len(board.rankings), "ranked": count})
    screen.say(f"ranked submissions: {count}, rankings: {len(board.rankings)}; written to {output}")
