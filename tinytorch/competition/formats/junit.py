"""JUnit XML, which every CI system shows: a suite per file, a case per check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement, tostring

from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.ranking.judged import Judged
from tinytorch.showing import safe_text

LONGEST_TEXT = 10_000  # XML has no control characters, so every text passes through `safe_text`


def as_junit(reports: Iterable[Judged]) -> Iterator[str]:
    """Errors are failures, checks that could not be made are skipped, and warnings pass with a note.

    Points that a file earned by a class's assignment are properties of its suite: `points` of `most_points`.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tito olympics validate">\n'
    for report in reports:
        yield tostring(_suite(report), encoding="unicode") + "\n"
    yield "</testsuites>\n"


def _suite(report: Judged) -> Element:
    counts = {
        "tests": len(report.findings),
        "failures": sum(finding.is_error for finding in report.findings),
        "errors": 0,
        "skipped": sum(finding.passed is None for finding in report.findings),
    }
    name = _text(report.source)
    suite = Element("testsuite", {"name": name, **{key: str(count) for key, count in counts.items()}})
    if report.earned:
        properties = SubElement(suite, "properties")
        for key, value in (("points", report.earned.points), ("most_points", report.earned.most)):
            SubElement(properties, "property", name=key, value=f"{value:g}")
    suite.extend([_case(name, finding) for finding in report.findings])
    return suite


def _case(suite: str, finding: Finding) -> Element:
    case = Element("testcase", classname=suite, name=finding.name)
    message = _text(finding.message)
    if finding.is_error:
        SubElement(case, "failure", message=message, type=finding.id).text = _text(finding.mend)
    elif finding.passed is None:
        SubElement(case, "skipped", message=message)
    elif finding.passed is False:
        SubElement(case, "system-out").text = f"{finding.severity}: {message} -> {_text(finding.mend)}"
    return case


def _text(text: str) -> str:
    return safe_text(text, LONGEST_TEXT)
