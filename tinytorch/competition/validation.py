"""Validate a submission: read it strictly, then make every check of one table. Never raises, whatever it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinytorch.competition import consistency, plausibility
from tinytorch.competition.consistency import Case
from tinytorch.competition.events import load_rules
from tinytorch.competition.findings import Finding, Outcome, Severity, failed, report
from tinytorch.competition.parsing import Parsed, parse_bytes, parse_object


@dataclass(frozen=True)
class Check:
    """One row of the table."""

    name: str
    look: Callable[[Case], Outcome]
    severity: Severity = "error"


CHECKS = (
    Check("text", consistency.safe_texts),
    Check("repository", consistency.repository),
    Check("digest", consistency.digest),
    Check("rules", consistency.rules_known),
    Check("latency_statistics", consistency.latency_statistics),
    Check("memory_statistics", consistency.memory_statistics),
    Check("accuracy_statistics", consistency.accuracy_statistics),
    Check("throughput_statistics", consistency.throughput_statistics),
    Check("normalized_scores", consistency.normalized_scores),
    Check("statistics", consistency.statistics),
    Check("constraint_results", consistency.constraint_results),
    Check("constraints", consistency.constraints),
    Check("completeness", consistency.completeness),
    Check("trust", consistency.trust),
    Check("test_set", consistency.test_set),
    Check("layer_kinds", consistency.layer_kinds),
    Check("sample_shape", consistency.sample_shape),
    Check("techniques", consistency.techniques, "warning"),
    Check("varying_times", plausibility.varying_times, "warning"),
    Check("independent_times", plausibility.independent_times, "warning"),
    Check("clock_floor", plausibility.clock_floor, "warning"),
    Check("clock_span", plausibility.clock_span, "warning"),
    Check("ratios_agree", plausibility.ratios_agree, "warning"),
    Check("accuracy_gain", plausibility.accuracy_gain, "warning"),
)


def validate_submission(submission: object) -> dict[str, Any]:
    """`{'valid', 'checks': [{'name', 'passed', 'severity', 'message', 'mend'}], 'issues'}` of a submission dict.

    `passed` is None where a check could not be made; `issues` are the messages of the failed ones.
    """
    return _validated(parse_object(submission))


def validate_bytes(content: bytes) -> dict[str, Any]:
    """The same for the content of a file."""
    return _validated(parse_bytes(content))


def _validated(parsed: Parsed) -> dict[str, Any]:
    submission, findings = parsed
    if submission is None:
        return report(findings)
    case = Case(submission, load_rules())
    return report([*findings, *(_made(check, case) for check in CHECKS)])


def _made(check: Check, case: Case) -> Finding:
    """The check's finding; numbers that no formula can take are a finding too."""
    try:
        outcome = check.look(case)
    except (ArithmeticError, ValueError):
        outcome = failed("the numbers in the file cannot be computed with", consistency.MEASURE_AGAIN)
    return Finding.of(check.name, check.severity, outcome)
