"""Checking submissions for the command: from names to reports, and from reports to text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

from rich.console import RenderableType

from tinytorch.competition.batch import with_duplicates
from tinytorch.competition.events import Rules
from tinytorch.competition.findings import Page
from tinytorch.competition.reading import LARGEST_FILE_BYTES, RefusedError, read_regular
from tinytorch.competition.reports import Report
from tinytorch.competition.validation import PAGES, judge_file
from tinytorch.competition.validation import explain as page_of
from tinytorch.errors import UsageError
from tito import render_findings, screen, start
from tito.documents import Destination, descriptor, read_descriptor
from tito.parallel import in_order

EVERY_CHECK = "all"
FEWEST_WATCHED = 25  # files, a second's work
HUMAN, JSON = "human", "json"


def check(names: Sequence[str], strict: bool, format_: str, target: Destination, rules: Rules) -> bool:
    """Write what is found about the files by the rules, and say whether all are valid."""
    start.finished()
    verdicts: list[bool] = []
    judged = _watched(_judged(names, rules), len(names))
    reports = _noted(with_duplicates(judged), strict, verdicts)
    if format_ == HUMAN:
        _write(_drawn(render_findings.reports(reports, len(names) > 1), target), target)
    else:
        from tinytorch.competition.formats import FORMATS

        _write(FORMATS[format_](reports), target)
    return all(verdicts)


def explain(check_id: str, format_: str, target: Destination) -> None:
    """The page of one check, or of all, for people or as JSON."""
    if format_ not in (HUMAN, JSON):
        raise UsageError(f"--explain cannot write {format_}", mend="choose --format human or json")
    shown = list(PAGES.values()) if check_id == EVERY_CHECK else [page_of(check_id)]
    if format_ == HUMAN:
        _write(_drawn(render_findings.pages(shown), target), target)
        return
    rows = [{field.name: getattr(page, field.name) for field in fields(Page)} for page in shown]
    _write([json.dumps({"checks": rows}, indent=2), "\n"], target)


def _judged(names: Sequence[str], rules: Rules) -> Iterator[Report]:
    """The reports in the order of the names; only this process has the standard input."""
    if any(descriptor(name) is not None for name in names):
        return map(partial(judge_file, read=_read, rules=rules), names)
    return in_order(partial(judge_file, rules=rules), names)


def _watched(reports: Iterable[Report], count: int) -> Iterator[Report]:
    """The reports, with a bar on stderr while many are made; all are made before the first is shown."""
    if count < FEWEST_WATCHED or not sys.stderr.isatty():
        yield from reports
        return
    from tito import bars  # takes longer than to check a file

    with bars.progress() as told:
        for number, report in enumerate(reports, 1):
            told("check", number / count)
            yield report


def _noted(reports: Iterable[Report], strict: bool, verdicts: list[bool]) -> Iterator[Report]:
    """The reports on their way to the screen, each one's verdict noted for the exit code."""
    for report in reports:
        shown = report.strict() if strict else report
        verdicts.append(shown.valid)
        yield shown


def _read(name: str) -> bytes:
    """A file, or what the caller's own shell gives; one byte more than allowed, so that the check sees it."""
    number = descriptor(name)
    if number is None:
        return read_regular(Path(name))
    try:
        return read_descriptor(number, LARGEST_FILE_BYTES)
    except UsageError as error:
        raise RefusedError("file", error.message, error.mend) from None


def _drawn(renderables: Iterable[RenderableType], target: Destination) -> Iterator[str]:
    """Renderables as text, in colour on a terminal only."""
    console = screen.console(color_system="auto" if target.is_stdout else None)
    for renderable in renderables:
        with console.capture() as captured:
            console.print(renderable)
        yield captured.get()


def _write(pieces: Iterable[str], target: Destination) -> None:
    """To stdout piece by piece, to a file as a whole."""
    if target.is_stdout:
        for piece in pieces:
            screen.put(piece, end="")
    else:
        target.write("".join(pieces).removesuffix("\n"))
