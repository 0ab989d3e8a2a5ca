"""`tito olympics validate`: every check of every file, by its id."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from glob import glob, has_magic
from pathlib import Path
from typing import Annotated

import typer

from tito.documents import Destination
from tito.options import Force, Json, Output, RulesFile

DEFAULT_FILE = "submission.json"


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
        typer.Argument(metavar="FILE", help="Submissions; a folder stands for its *.json files, * for any name."),
    ] = None,
    rules: RulesFile = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    format_: Annotated[OutputFormat, typer.Option("--format", help="For whom to write.")] = OutputFormat.HUMAN,
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
    format_ = OutputFormat.JSON if json_ else format_
    target = Destination(output, "report", force)
    target.replaced()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start threads that a check has no use for
    from tinytorch.competition.events import read_rules
    from tito import checking

    if explain is not None:
        checking.explain(explain, format_, target)
        return
    names = list(_expanded(files or [DEFAULT_FILE], target.place))
    raise typer.Exit(0 if checking.check(names, strict, format_, target, read_rules(rules)) else 1)


def _matching(name: str) -> list[str]:
    """The JSON files of a folder, or what matches a pattern that no shell has replaced; none for the name of a file."""
    if Path(name).is_dir():
        return list(map(str, Path(name).glob("*.json")))
    is_pattern = has_magic(name) and not Path(name).exists()
    return glob(name, recursive=True) if is_pattern else []  # noqa: PTH207 - Path.glob takes no absolute pattern


def _expanded(names: Iterable[str], report: str) -> Iterator[str]:
    """The names, folders and patterns as the files that they stand for; one that stands for none is a finding.

    The last report, which is about to be replaced, is no submission though it lies among them.
    """
    for name in names:
        inside = sorted(_matching(name))
        yield from [path for path in inside if str(Path.cwd() / path) != report] or [name]
