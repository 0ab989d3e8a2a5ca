"""A finding is safe to show and carries a way to mend it."""

from __future__ import annotations

from tinytorch.competition.findings import Check, Outcome, check, failed, is_valid, passed, report, unknown


@check(why="because", mend="do better", severity="warning")
def sizes(subject: int) -> Outcome:
    """Sizes are small."""
    return failed("too large \x1b[31m", size=subject) if subject > 1 else passed("small")


def test_a_decorated_function_is_its_own_page() -> None:
    """The name is the id, the docstring what is looked at."""
    assert isinstance(sizes, Check)
    assert (sizes.id, sizes.what, sizes.why, sizes.mend) == ("sizes", "Sizes are small.", "because", "do better")


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
    found = {
        severity: Check("x", "", "", "", severity, look=sizes.look).finding(failed(severity))
        for severity in ("error", "warning", "info")
    }

    assert [is_valid([finding]) for finding in found.values()] == [False, True, True]
    assert report(list(found.values()))["issues"] == ["error", "warning"]
