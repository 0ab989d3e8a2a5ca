"""Findings to rich renderables: of one submission every check, of many only what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tinytorch.competition.checks.findings import Check, Finding, Page
from tinytorch.competition.ranking.judged import Judged
from tinytorch.showing import safe_text
from tito.terminal.tables import table

INDENT = 2
STYLES = {"error": "red", "warning": "yellow", "info": "cyan", "could not check": "yellow"}  # by their weight


def reports(found: Iterable[Judged], several: bool) -> Iterator[RenderableType]:
    """A verdict per report, what is wrong first, and what passed as a number; for several a line that counts."""
    files = valid = warnings = 0
    for report in found:
        files, valid = files + 1, valid + report.valid
        warnings += sum(finding.is_issue and not finding.is_error for finding in report.findings)
        yield Group(*(_briefly(report) if several else _told(report)))
    if several:
        yield Text(f"{valid} of {files} submissions are valid; {warnings} warning(s)")


def _told(report: Judged) -> Iterator[RenderableType]:
    """The verdict, what failed by its weight, then what could not be checked."""
    yield _verdict(report)
    if report.notes:
        yield _table(sorted(report.notes, key=_weight))
    yield Text(f"{report.passed} checks passed; --explain ID says what one looks at", "dim")


def _briefly(report: Judged) -> Iterator[RenderableType]:
    """The verdict, and a line for each thing that failed: a table for each of thousands would take most of the time."""
    yield _verdict(report)
    for finding in sorted(report.notes, key=_weight):
        if finding.passed is False:
            word, said = (finding.word, STYLES[finding.word]), f" {finding.id} {finding.name}: {_said(finding)}"
            yield Padding(Text.assemble(word, said), (0, 0, 0, INDENT), expand=False)


def _said(finding: Finding) -> str:
    return f"{finding.message} -> {finding.mend}" if finding.mend else finding.message


def _weight(finding: Finding) -> int:
    return list(STYLES).index(finding.word)


def pages(shown: Sequence[Page]) -> Iterator[RenderableType]:
    """The manual of checks: what, why, how to mend."""
    for page in shown:
        yield Text.assemble((f"{page.id} {page.name}", "bold"), f" ({page.severity})")
        grid = Table.grid(padding=(0, 2))
        for label, words in (
            ("what", page.what),
            ("why", page.why),
            ("mend", page.mend),
            ("example", page.example),
            ("rules", ", ".join(page.rules)),
            ("limits", _limits(page)),
        ):
            if words:
                grid.add_row(Text(f"  {label}"), Text(words))
        yield grid


def _limits(page: Page) -> str:
    """The limits of a package's check, which rules may change."""
    limits = page.limits if isinstance(page, Check) else {}
    changed = f"; a class's rules change them under [checks.{page.name}]"
    return ", ".join(f"{name} = {value:g}" for name, value in limits.items()) + (changed if limits else "")


def _verdict(report: Judged) -> Text:
    word, style = (f"valid, trust {report.trust}", "green") if report.valid else ("NOT valid", "red")
    return Text.assemble(f"{safe_text(report.source)}: ", (word, style))


def _table(findings: Sequence[Finding]) -> Table:
    shown = table(None, "check", "result", "message")
    for finding in findings:
        name, word = Text(f"{finding.id} {finding.name}"), Text(finding.word, STYLES[finding.word])
        shown.add_row(name, word, Text(_said(finding)))
    return shown
