"""Checks of packages: they look after ours, can add findings, and are refused where they are not what checks are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from tests.packages import Packages
from tinytorch.competition.checks.validation import CHECKS, explain, validate_submission
from tinytorch.competition.ranking.judged import judge
from tinytorch.competition.rules.events import Rules, load_rules
from tinytorch.errors import UsageError
from tito.views import findings

Document = dict[str, Any]
SOURCE = """
import numpy
from tinytorch.competition.checks.findings import Check, Outcome, failed, passed
def look(case):
    most = case.limits_of(CHECK)["most_bytes"]
    {body}
CHECK = Check(name={name!r}, id={id!r}, severity={severity!r}, what="w", why="y", mend={mend!r}, example="e",
              limits={{"most_bytes": 10}}, look=look)
"""


def drawn(renderable: object) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def add(packages: Packages, body: str = 'return failed(f"over {most:g}")', **changes: str) -> None:
    said = {"name": "club", "id": "CS249-A01", "severity": "error", "mend": "m", **changes}
    packages.install("campus", SOURCE.format(body=body, **said), {("checks", said["name"]): "CHECK"})


def found_of(submission: Document, rules: Rules | None = None) -> Document:
    *_, last = validate_submission(submission, rules)["checks"]
    return dict(last)


def with_limits(**limits: float) -> Rules:
    return load_rules().model_copy(update={"checks": {"club": limits}})


def test_what_a_package_finds_counts(packages: Packages, submission: Document) -> None:
    before = validate_submission(submission)
    add(packages)
    after = validate_submission(submission)

    assert (before["valid"], after["valid"]) == (True, False)
    assert after["checks"][:-1] == before["checks"]
    assert after["checks"][-1]["id"] == "CS249-A01"


def test_what_ours_found_is_not_taken_away(packages: Packages, submission: Document) -> None:
    add(packages, 'case.document.clear(); vars(case.run.optimized).clear(); return passed("all is well")')
    result = validate_submission({**submission, "digest": "0" * 64})

    assert not result["valid"]


def test_what_it_does_to_the_case_reaches_nobody_else(packages: Packages, submission: Document) -> None:
    add(packages, 'vars(case.run.optimized).clear(); return passed("all is well")')
    judged, _ = judge("a.json", json.dumps(submission).encode(), load_rules())

    assert judged.valid
    assert judged.entered.accuracy is not None


def test_rules_change_its_limits(packages: Packages, submission: Document) -> None:
    add(packages)

    assert found_of(submission)["message"] == "over 10"
    assert found_of(submission, with_limits(most_bytes=7))["message"] == "over 7"


def test_its_page_is_in_the_manual(packages: Packages) -> None:
    add(packages)

    assert explain("CS249-A01") == explain("club")
    assert "most_bytes = 10;" in "".join(map(drawn, findings.pages([explain("club")])))


@pytest.mark.parametrize(
    "body",
    [
        "raise KeyError('x')",
        "raise SystemExit(0)",
        "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})",
        "return Outcome(True, 'yes', '', {'many': 10**5000})",
        "return None",
        "return Outcome(numpy.bool_(False), 'no')",
        "return Outcome(True, 'yes', '', {'share': float('nan')})",
    ],
)
def test_a_check_that_cannot_answer_has_failed(packages: Packages, submission: Document, body: str) -> None:
    """Else somebody makes a file that it cannot deal with."""
    add(packages, body)
    found = found_of(submission)

    assert (found["passed"], "could not deal with the file" in found["message"]) == (False, True)
    assert found["mend"] == "tell the makers of campus 1.0"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": "TO-D01"}, "its id TO-D01"),
        ({"id": "club"}, "its id club"),
        ({"severity": "fatal"}, "its severity"),
        ({"mend": ""}, "its page has no mend"),
        ({"name": CHECKS[0].name}, "a check of ours has this name"),
    ],
)
def test_a_check_without_what_it_must_have_is_refused(
    packages: Packages, submission: Document, changes: dict[str, str], why: str
) -> None:
    add(packages, **changes)
    with pytest.raises(UsageError, match=rf"campus 1\.0 adds to checks, cannot be used: .*{why}"):
        validate_submission(submission)


def test_limits_that_nothing_keeps_are_refused(packages: Packages, submission: Document) -> None:
    with pytest.raises(UsageError, match="limits of the check club, which no package here adds"):
        validate_submission(submission, with_limits(most_bytes=7))
    add(packages)
    with pytest.raises(UsageError, match=r"checks\.club has no least_bytes"):
        validate_submission(submission, with_limits(least_bytes=7))


def test_another_kind_of_thing_is_refused(
    packages: Packages, submission: Document, change: Callable[..., Document]
) -> None:
    packages.install("campus", "CHECK = 3\n", {("checks", "club"): "CHECK"})
    with pytest.raises(UsageError, match="it is of type int, and no Check"):
        validate_submission(submission)
