"""A finding is safe to show and carries a way to mend it."""

from __future__ import annotations

import pytest

from tinytorch.competition.checks.findings import (
    Check,
    Outcome,
    check,
    failed,
    is_valid,
    passed,
    report,
    texts,
    unknown,
)


def look(subject: int) -> Outcome:
    return failed("too large \x1b[31m", size=subject) if subject > 1 else passed("small")


def made(severity: str) -> Check[int]:
    return Check("sizes", "TO-X01", severity, "Sizes are small.", "because", "do better", "2 is large", look=look)


sizes = made("warning")


def test_a_decorated_function_has_the_page_of_its_name() -> None:
    """Texts come from the data file; a check without any cannot be made."""

    def digest(subject: int) -> Outcome:
        return passed("well")

    assert (check(digest).id, check(digest).example) == ("TO-D03", texts()["digest"]["example"])
    with pytest.raises(KeyError, match="look"):
        check(look)


@pytest.mark.parametrize("text", ["id", "severity", "what", "why", "mend", "example"])
def test_no_text_is_empty(text: str) -> None:
    """A page that does not teach is no page."""
    assert [name for name, found in texts().items() if not found[text].strip() or "{" in found["what"]] == []


def test_a_failure_gets_the_mend_of_its_page_and_a_safe_message() -> None:
    """Nothing from a file reaches a screen raw, whatever a check quotes."""
    finding = sizes.finding(sizes.look(2))

    assert (finding.passed, finding.mend, finding.evidence) == (False, "do better", {"size": 2})
    assert finding.message == r"too large \x1b[31m"


def test_a_failure_may_know_a_better_mend() -> None:
    """And what passed or could not be checked needs none."""
    assert sizes.finding(failed("no", "do this")).mend == "do this"
    assert sizes.finding(passed("yes")).mend == ""
    assert sizes.finding(unknown("who knows")).mend == ""


def test_only_errors_make_invalid_and_only_info_is_no_issue() -> None:
    """Three severities, three weights."""
    found = {severity: made(severity).finding(failed(severity)) for severity in ("error", "warning", "info")}

    assert [is_valid([finding]) for finding in found.values()] == [False, True, True]
    assert report(list(found.values()))["issues"] == ["error", "warning"]
