"""Formats of packages: chosen by name, and nothing that they write does anything to a screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.packages import Packages
from tinytorch.competition.formats import FORMATS, format_named, format_names
from tinytorch.competition.ranking.judged import Judged, judge
from tinytorch.competition.rules.events import load_rules
from tinytorch.errors import UsageError

REPORTS = [judge("a.json", b"{}", load_rules())[0]]


def add(packages: Packages, body: str) -> None:
    packages.install("campus", f"def as_lines(reports):\n    {body}\n", {("formats", "lines"): "as_lines"})


def test_a_package_s_format_is_one_of_all(packages: Packages) -> None:
    add(packages, "yield from (f'{each.source}\\t{each.valid}\\n' for each in reports)")

    assert format_names() == [*FORMATS, "lines"]
    assert "".join(format_named("lines")(REPORTS)) == "a.json\tFalse\n"


def test_controls_in_what_it_writes_are_escaped(packages: Packages) -> None:
    add(packages, "yield '\\x1b[2J\\u202e\\tx\\n'")

    assert "".join(format_named("lines")(REPORTS)) == "\\x1b[2J\\u202e\tx\n"


@pytest.mark.parametrize("body", ["raise KeyError('x')", "yield 3", "return 3", "raise SystemExit(0)", "return {}"])
def test_a_format_that_fails_is_named_with_its_package(packages: Packages, body: str) -> None:
    add(packages, body)
    with pytest.raises(UsageError, match=r"lines, which campus 1\.0 adds to formats, cannot be used"):
        list(format_named("lines")(REPORTS))


def test_all_reports_are_made_whatever_it_asks_for(packages: Packages) -> None:
    """Else a call ended well that has not seen what is invalid."""
    add(packages, "yield 'nothing'")
    reports = iter(REPORTS)
    list(format_named("lines")(reports))

    assert next(reports, None) is None


def test_what_goes_wrong_in_judging_is_not_its_fault(packages: Packages) -> None:
    add(packages, "yield from (each.source for each in reports)")

    def reports() -> Iterator[Judged]:
        yield REPORTS[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(format_named("lines")(reports()))


def test_an_unknown_format_suggests_the_nearest(packages: Packages) -> None:
    add(packages, "yield ''")
    with pytest.raises(UsageError) as caught:
        format_named("line")

    assert "lines" in caught.value.mend
