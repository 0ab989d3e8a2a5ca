"""Gradescope's `results.json`: points for a valid file, a test per check, and a leaderboard entry.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Any

from tinytorch.competition.checks.batch import BETWEEN_FILES
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.record.submission import Scores
from tinytorch.showing import writable

POINTS = 100.0  # of a valid submission where no assignment gives any; Gradescope scales them to the assignment's
STATUS = {True: "passed", False: "failed"}


def as_gradescope(reports: Iterable[Judged]) -> Iterator[str]:
    """One `results.json`; Gradescope grades one submission at a time, and several share the points.

    A valid file has all of them, or those that it earned by a class's assignment.
    """
    every = list(reports)
    valid = sum(report.valid for report in every)
    document: dict[str, Any] = {
        "extra_data": {"document": "report"},
        "score": round(fmean(map(_points, every)), 2) if every else 0.0,
        "output": "\n".join([f"{valid} of {len(every)} submissions are valid", *_earned(every)]),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [test for report in every for test in _tests(report, len(every) > 1)],
    }
    if len(every) == 1 and every[0].valid and every[0].figures:
        document["leaderboard"] = _leaderboard(every[0].figures.scores)
    yield json.dumps(document, indent=2) + "\n"


def _points(report: Judged) -> float:
    return POINTS * report.valid if report.earned is None else report.earned.points


def _earned(reports: Sequence[Judged]) -> list[str]:
    """Why the only file has its points."""
    return [each.earned.words for each in reports if each.earned and len(reports) == 1]


def _tests(report: Judged, several: bool) -> list[dict[str, Any]]:
    prefix = f"{writable(report.source)}: " if several else ""
    return [_test(prefix, finding) for finding in report.findings]


def _test(prefix: str, finding: Finding) -> dict[str, Any]:
    """A check as a test without points of its own; one that could not be made has no status."""
    said = [finding.message, *([f"To mend it: {finding.mend}"] if finding.mend else [])]
    if finding.passed is None:
        said = [f"could not check: {finding.message}"]
    test: dict[str, Any] = {
        "name": f"{prefix}{finding.id} {finding.name}",
        "name_format": "text",
        "output": "\n".join(said),
        "output_format": "text",
        "tags": [finding.severity],
        "visibility": "hidden" if finding.name in BETWEEN_FILES else "visible",
    }
    if finding.passed is not None:
        test["status"] = STATUS[finding.passed or not finding.is_error]
    return test


def _leaderboard(scores: Scores) -> list[dict[str, Any]]:
    """The scores that there are; every one of them is better when it is larger."""
    return [{"name": name, "value": value, "order": "desc"} for name, value in scores if value is not None]
