"""`tito olympics validate`: every check of every file, by its id."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, RenderableType

from tinytorch.competition.batch import with_duplicates
from tinytorch.competition.findings import Page
from tinytorch.competition.formats import FORMATS
from tinytorch.competition.reading import LARGEST_FILE_BYTES, read_regular
from tinytorch.competition.reports import Report
from tinytorch.competition.validation import PAGES, judge_file
from tinytorch.competition.validation import explain as page_of
from tinytorch.errors import UsageError
from tito import render_findings, screen
from tito.olympics.options import Json
from tito.parallel import in_order

DEFAULT_FILE = "submission.json"
STDIN = "-"
STDOUT = (None, "-")
EVERY_CHECK = "all"


class OutputFormat(StrEnum):
    """For whom the findings are written."""

    HUMAN = "human"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"
    GRADESCOPE = "gradescope"
    MARKDOWN = "markdown"


def validate(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="Submissions; a folder stands for its *.json files, - is stdin."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    format_: Annotated[OutputFormat, typer.Option("--format", help="For whom to write.")] = OutputFormat.HUMAN,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Where to write it (default: stdout).")] = None,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="ID", help="Explain a check, or 'all': what, why, how to mend.")
    ] = None,
    json_: Json = False,
) -> None:
    """Check submissions: exit code 0 when all are valid, 1 when one is not.

    Examples: tito olympics validate submission.json; tito olympics validate class/ --format markdown -o report.md;
    tito olympics validate --explain digest.
    """
    format_ = OutputFormat.JSON if json_ else format_
    if explain is not None:
        _explain(explain, format_, output)
        return
    names = list(_expanded(files or [DEFAULT_FILE]))
    verdicts: list[bool] = []
    reports = _noted(with_duplicates(_judged(names)), strict, verdicts)
    if format_ is OutputFormat.HUMAN:
        _write(_drawn(render_findings.reports(reports, len(names) > 1), output), output)
    else:
        _write(FORMATS[format_](reports), output)
    raise typer.Exit(0 if all(verdicts) else 1)


def _judged(names: Sequence[str]) -> Iterator[Report]:
    """The reports in the order of the names; only this process has the standard input."""
    if STDIN in names:
        return map(partial(judge_file, read=_read), names)
    return in_order(judge_file, names)


def _noted(reports: Iterable[Report], strict: bool, verdicts: list[bool]) -> Iterator[Report]:
    """The reports on their way to the screen, each one's verdict noted for the exit code."""
    for report in reports:
        shown = report.strict() if strict else report
        verdicts.append(shown.valid)
        yield shown


def _expanded(names: Iterable[str]) -> Iterator[str]:
    """The names, a folder as its JSON files in the order of their names; an empty folder stays, and is a finding."""
    for name in names:
        inside = sorted(map(str, Path(name).glob("*.json"))) if name != STDIN and Path(name).is_dir() else []
        yield from inside or [name]


def _read(name: str) -> bytes:
    if name == STDIN:
        return sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)  # one more than allowed, so that the check sees it
    return read_regular(Path(name))


def _drawn(renderables: Iterable[RenderableType], output: str | None) -> Iterator[str]:
    """Renderables as text, in colour on a terminal only."""
    console = Console(highlight=False, markup=False, emoji=False, color_system="auto" if output in STDOUT else None)
    for renderable in renderables:
        with console.capture() as captured:
            console.print(renderable)
        yield captured.get()


def _write(pieces: Iterable[str], output: str | None) -> None:
    if output in STDOUT:
        for piece in pieces:
            typer.echo(piece, nl=False)
    else:
        screen.put("".join(pieces).removesuffix("\n"), output)


def _explain(check_id: str, format_: OutputFormat, output: str | None) -> None:
    """The page of one check, or of all, for people or as JSON."""
    if format_ not in (OutputFormat.HUMAN, OutputFormat.JSON):
        raise UsageError(f"--explain cannot write {format_}", mend="choose --format human or json")
    shown = list(PAGES.values()) if check_id == EVERY_CHECK else [page_of(check_id)]
    if format_ is OutputFormat.HUMAN:
        _write(_drawn(render_findings.pages(shown), output), output)
        return
    rows = [{field.name: getattr(page, field.name) for field in fields(Page)} for page in shown]
    _write([json.dumps({"checks": rows}, indent=2), "\n"], output)
