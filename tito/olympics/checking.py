"""Checking submissions for the command: from names to reports, and from reports to text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from rich.console import RenderableType

from tinytorch.competition.checks.batch import MayBe
from tinytorch.competition.checks.validation import explain as page_of
from tinytorch.competition.checks.validation import pages
from tinytorch.competition.grading.assignment import Assignment
from tinytorch.competition.grading.earned import earned
from tinytorch.competition.grading.times import Times
from tinytorch.competition.ranking.judged import Judged, beside_one_another, judge_file
from tinytorch.competition.record.kinds import HEADLINE
from tinytorch.competition.rules.events import Rules
from tinytorch.errors import UsageError
from tito import start
from tito.olympics.parallel import in_order, watched
from tito.terminal import screen
from tito.views import findings as render_findings
from tito.workspace import submissions
from tito.workspace.documents import Destination, descriptor

EVERY_CHECK = "all"
HUMAN, JSON, GRADESCOPE = "human", "json", "gradescope"
BY_RANK = "write points at scores, or use tito olympics grade, which sees the whole class"


class Asked(NamedTuple):
    """What files are judged by; `strict` counts warnings as errors."""

    rules: Rules
    assignment: Assignment
    times: Times
    strict: bool
    may_be: MayBe


def check(names: Sequence[str], asked: Asked, format_: str, target: Destination) -> bool:
    """Write what is found about the files, and what they earned; whether all are valid."""
    start.finished()
    verdicts: list[bool] = []
    judged = watched(_judged(names, asked.rules), len(names))
    reports = _noted(beside_one_another(judged, asked.times.received_s, asked.may_be), asked, format_, verdicts)
    if format_ == HUMAN:
        write(drawn(render_findings.reports(reports, len(names) > 1), target, "submissions checked"), target)
    else:
        from tinytorch.competition.formats import format_named

        write(format_named(format_)(reports), target)
    return all(verdicts)


def explain(check_id: str, format_: str, target: Destination) -> None:
    """The page of one check, or of all, for people or as JSON."""
    if format_ not in (HUMAN, JSON):
        raise UsageError(f"--explain cannot write {format_}", mend="choose --format human or json")
    shown = list(pages().values()) if check_id == EVERY_CHECK else [page_of(check_id)]
    if format_ == HUMAN:
        write(drawn(render_findings.pages(shown), target, "checks explained"), target)
        return
    rows = [page.as_dict() for page in shown]
    write([json.dumps({"document": "report", "checks": rows}, indent=2), "\n"], target)


def _judged(names: Sequence[str], rules: Rules) -> Iterator[Judged]:
    """The reports in the order of the names; only this process has the standard input."""
    if any(descriptor(name) is not None for name in names):
        return map(partial(judge_file, read=submissions.read, rules=rules), names)
    return in_order(partial(judge_file, rules=rules), names)


def _noted(reports: Iterable[Judged], asked: Asked, format_: str, verdicts: list[bool]) -> Iterator[Judged]:
    """The reports on their way to the screen with their points, each one's verdict noted for the exit code.

    UsageError where Gradescope would need points that one file alone has not.
    """
    for report in reports:
        shown = report.strict() if asked.strict else report
        verdicts.append(shown.valid)
        points = earned(shown, asked.assignment)
        if points is None and format_ == GRADESCOPE and asked.assignment.gives_points:
            raise UsageError(f"{shown.entered.event} has points by rank, which one file alone has not", mend=BY_RANK)
        yield replace(shown, earned=points)


def drawn(renderables: Iterable[RenderableType], target: Destination, what: str) -> Iterator[str]:
    """Renderables as text, in colour on a terminal only; a file says in its first line what it is."""
    console = screen.console(color_system="auto" if target.is_stdout else None)
    if not target.is_stdout:
        yield f"{HEADLINE}{what}\n"
    for renderable in renderables:
        with console.capture() as captured:
            console.print(renderable)
        yield captured.get()


def write(pieces: Iterable[str], target: Destination) -> None:
    """To stdout piece by piece, to a file as a whole."""
    if target.is_stdout:
        for piece in pieces:
            screen.put(piece, end="")
    else:
        target.write("".join(pieces).removesuffix("\n"))
