"""Findings to rich renderables: of one submission every check, of many only what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tinytorch.competition.findings import Finding, Page
from tinytorch.competition.reports import Report
from tinytorch.text import safe_text
from tito.tables import table

STYLES = {"passed": "green", "error": "red", "warning": "yellow", "info": "cyan", "could not check": "yellow"}


def reports(found: Iterable[Report], several: bool) -> Iterator[RenderableType]:
    """A verdict with its table per report, and for several a line that counts."""
    files = valid = warnings = 0
    for report in found:
        files, valid = files + 1, valid + report.valid
        warnings += sum(finding.is_issue and not finding.is_error for finding in report.findings)
        listed = [finding for finding in report.findings if not several or finding.passed is False]
        yield Group(_verdict(report), _table(listed)) if listed else _verdict(report)
    if several:
        yield Text(f"{valid} of {files} submissions are valid; {warnings} warning(s)")


def pages(shown: Sequence[Page]) -> Iterator[RenderableType]:
    """The manual of checks: what, why, how to mend."""
    for page in shown:
        yield Text.assemble((page.id, "bold"), f" ({page.severity})")
        grid = Table.grid(padding=(0, 2))
        for label, words in (("what", page.what), ("why", page.why), ("mend", page.mend)):
            grid.add_row(Text(f"  {label}"), Text(words))
        yield grid


def _verdict(report: Report) -> Text:
    word, style = (f"valid, trust {report.trust}", "green") if report.valid else ("NOT valid", "red")
    return Text.assemble(f"{safe_text(report.source)}: ", (word, style))


def _table(findings: Sequence[Finding]) -> Table:
    shown = table(None, "check", "result", "message")
    for finding in findings:
        word = _word(finding)
        said = "" if finding.passed else f"{finding.message} {f'-> {finding.mend}' if finding.mend else ''}".strip()
        shown.add_row(Text(finding.id), Text(word, STYLES[word]), Text(said))
    return shown


def _word(finding: Finding) -> str:
    if finding.passed is None:
        return "could not check"
    return "passed" if finding.passed else finding.severity
