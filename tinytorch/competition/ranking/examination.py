"""What the judge finds about the content of one file, in a form that can be kept: for rankings, and for reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from tinytorch.benchmarking.comparison import Distribution, block_distribution
from tinytorch.benchmarking.records import Latency, Protocol, Record, SystemInfo
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.checks.reports import Entry, Report
from tinytorch.competition.checks.validation import judge_content
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.record.run import SourceRecord
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import Rules


class Judgement(Record):
    """What a ranking needs of a content: its figures where it is valid, else the reason why it is not."""

    entry: Entry | None
    figures: Figures | None
    reason: str
    warnings: list[str]  # ids of the checks that warn


class Details(Record):
    """What a report shows of a content beside that."""

    notes: list[Finding]  # of checks that did not pass: failed, or could not be made
    passed: int  # checks
    blocks: Distribution | None = None
    system_info: SystemInfo | None = None
    protocol: Protocol | None = None
    source: SourceRecord | None = None

    def also(self, findings: Sequence[Finding]) -> Self:
        """With what the other files of a call tell about this one."""
        notes = [finding for finding in findings if not finding.passed]
        passed = self.passed + len(findings) - len(notes)
        return self.model_copy(update={"notes": [*self.notes, *notes], "passed": passed})


class Examination(NamedTuple):
    """Both."""

    judgement: Judgement
    details: Details


def examine(content: bytes, rules: Rules) -> Examination:
    """Judge a content by the rules."""
    report, submission = judge_content("", content, rules)
    return Examination(_judgement(report, submission, rules), _details(report, submission))


def refused(finding: Finding) -> Judgement:
    """The judgement on a file that could not be read."""
    return Judgement(entry=None, figures=None, reason=_reason(finding), warnings=[])


def _judgement(report: Report, submission: Submission | None, rules: Rules) -> Judgement:
    errors = [finding for finding in report.findings if finding.is_error]
    figures = Figures.of(submission, rules) if submission and report.valid else None
    warnings = [finding.id for finding in report.findings if finding.is_issue and not finding.is_error]
    return Judgement(
        entry=report.entry, figures=figures, reason=_reason(errors[0]) if errors else "", warnings=warnings
    )  # fmt: skip


def _reason(error: Finding) -> str:
    return f"not valid: {error.id} {error.name}: {error.message}"


def _details(report: Report, submission: Submission | None) -> Details:
    notes = [finding for finding in report.findings if not finding.passed]
    passed = len(report.findings) - len(notes)
    if submission is None or not report.valid:
        return Details(notes=notes, passed=passed)
    first, second = submission.baseline.metrics.latency, submission.optimized.metrics.latency
    return Details(
        notes=notes, passed=passed, blocks=_blocks(first, second), system_info=submission.system_info,
        protocol=submission.protocol, source=submission.source,
    )  # fmt: skip


def _blocks(baseline: Latency | None, optimized: Latency | None) -> Distribution | None:
    return block_distribution(baseline, optimized) if baseline and optimized else None
