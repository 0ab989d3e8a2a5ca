"""Annotations for a GitHub Actions log: one workflow command per thing that somebody should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.record.kinds import HEADLINE
from tinytorch.showing import writable

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def as_github(reports: Iterable[Judged]) -> Iterator[str]:
    """`::error file=...,title=...::message` per failed check, then a line that counts."""
    files = valid = 0
    yield f"{HEADLINE}submissions checked\n"
    for report in reports:
        files, valid = files + 1, valid + report.valid
        yield from (_command(writable(report.source), each) for each in report.findings if each.passed is False)
    yield f"{valid} of {files} submissions are valid\n"


def _command(source: str, finding: Finding) -> str:
    message = f"{finding.message} -> {finding.mend}" if finding.mend else finding.message
    title = _property(f"{finding.id} {finding.name}")
    return f"::{COMMANDS[finding.severity]} file={_property(source)},title={title}::{_data(message)}\n"


def _data(text: str) -> str:
    """Text as the data of a workflow command: what would end the line is written as a percent code."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text as a property, which a colon or a comma would end as well."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
