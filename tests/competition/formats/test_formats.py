"""Every format says the same, and no text can break out of any of them."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.competition.entries import figures
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.formats import FORMATS
from tinytorch.competition.formats.document import Document
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.judged import Judged
from tinytorch.showing import is_safe

HOSTILE = "<b>\x00\x1b[31m\u202e]]>&`|\n::error::x\r%0A,:@team ```\n# title https://evil.example"
HOSTILE_NAME = HOSTILE + "\ud800"  # a file's name need not be Unicode; messages always are
ENTERED = figures("Ada", 2.5)


def finding(check: str, passed: bool | None, severity: Any = "error", text: str = "said") -> Finding:
    """A finding with a mend when it failed."""
    return Finding(check, "TO-X01", passed, severity, text, "mend it" if passed is False else "", {"number": 1.5})


def judged(source: str, findings: tuple[Finding, ...], entered: Figures | None = None) -> Judged:
    """A file about which that was found."""
    return Judged(source=source, sha256="", figures=entered, findings=findings)


GOOD = judged("good.json", (finding("size", True), finding("repository", None), finding("techniques", False, "warning"),
                            finding("duplicated_samples", True, "warning")), ENTERED)  # fmt: skip
BAD = judged("bad.json", (finding("json", False),))
EVIL = judged(HOSTILE_NAME, (finding("json", False, text=HOSTILE), finding("text", None, text=HOSTILE),
                        finding("rules", False, "warning", HOSTILE), finding("x", False, "info", HOSTILE)))  # fmt: skip


def written(format_: str, *reports: Judged) -> str:
    """All pieces of a format's text."""
    return "".join(FORMATS[format_](reports))


def test_json_follows_its_published_model() -> None:
    """The document that scripts read, in the order of the files."""
    document = Document.model_validate_json(written("json", GOOD, BAD, EVIL))

    assert [(each.file, each.valid, each.trust) for each in document.results[:2]] == [
        ("good.json", True, "T1"), ("bad.json", False, None),
    ]  # fmt: skip
    assert (document.files, document.valid) == (3, 1)
    assert document.results[0].checks[0].evidence == {"number": 1.5}
    assert json.loads(written("json", EVIL))["results"][0]["file"] == HOSTILE + r"\ud800"


@pytest.mark.parametrize("format_", ["json", "gradescope"])
def test_no_report_is_still_a_document(format_: str) -> None:
    """An empty call leaves something that can be read."""
    assert json.loads(written(format_))


def test_junit_counts_failures_and_skips() -> None:
    """Errors fail, what could not be checked is skipped, a warning passes with a note."""
    suite, bad = ElementTree.fromstring(written("junit", GOOD, BAD))

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "0", "1")
    assert [child.tag for case in suite for child in case] == ["skipped", "system-out"]
    assert bad.find("testcase/failure").get("message") == "said"


def test_junit_is_well_formed_whatever_the_text() -> None:
    """XML has no control characters; they come as escapes."""
    (suite,) = ElementTree.fromstring(written("junit", EVIL))

    assert suite.get("name").isprintable()
    assert r"\x1b[31m" in suite.get("name")


def test_github_annotates_what_somebody_should_look_at() -> None:
    """One command per failed check, by its severity."""
    assert written("github", GOOD, BAD).splitlines() == [
        "Torch Olympics: submissions checked",
        "::warning file=good.json,title=TO-X01 techniques::said -> mend it",
        "::error file=bad.json,title=TO-X01 json::said -> mend it",
        "1 of 2 submissions are valid",
    ]


def test_a_text_cannot_start_a_workflow_command() -> None:
    """A line of the log begins with what we wrote, and a property ends where we end it."""
    _, *commands, _ = written("github", EVIL).split("\n")[:-1]

    assert [command.split(" ")[0] for command in commands] == ["::error", "::warning", "::notice"]
    for command in commands:
        file, _, title = command.split("::")[1].partition(" file=")[2].partition(",title=")
        assert not re.search("[:,\r]", file)
        assert re.fullmatch(r"TO-X01 \w+", title)


def test_gradescope_gives_points_tests_and_a_leaderboard() -> None:
    """One valid submission has all the points; a warning costs none; what could not be checked has no status."""
    document = json.loads(written("gradescope", GOOD))

    assert document["score"] == 100
    assert document["leaderboard"] == [{"name": "speedup", "value": 2.5, "order": "desc"}]
    assert [test.get("status") for test in document["tests"]] == ["passed", None, "passed", "passed"]
    assert [test["visibility"] for test in document["tests"]] == ["visible", "visible", "visible", "hidden"]


def test_gradescope_gives_an_invalid_submission_nothing() -> None:
    """No points, no rank, and the way to mend it."""
    document = json.loads(written("gradescope", BAD))

    assert (document["score"], "leaderboard" in document) == (0, False)
    assert document["tests"][0]["output"] == "said\nTo mend it: mend it"


def test_gradescope_divides_the_points_among_several() -> None:
    """Each test says whose it is."""
    document = json.loads(written("gradescope", GOOD, BAD))

    assert (document["score"], "leaderboard" in document) == (50, False)
    assert document["tests"][-1]["name"] == "bad.json: TO-X01 json"


def test_markdown_lists_what_is_not_in_order() -> None:
    """A section per file."""
    text = written("markdown", GOOD, BAD)

    assert "## valid: `good.json`\n\nTrust T1. 2 checks passed.\n" in text
    assert "- **warning** `TO-X01 techniques`: `said`  \n  to mend it: `mend it`" in text
    assert text.endswith("1 of 2 submissions are valid.\n")


@given(st.text())
def test_a_text_cannot_leave_its_code_span(text: str) -> None:
    """One line, and a fence longer than any row of backticks inside."""
    shown = written("markdown", judged(text, (finding("json", False),))).split("NOT valid: ")[1].splitlines()[0]
    fence = re.match("`+", shown).group()

    assert shown.endswith(fence)
    assert fence not in shown[len(fence) : -len(fence)]
    assert is_safe(shown)


@given(st.text(), st.text(st.characters(codec="utf-8")))
def test_every_format_takes_every_text(source: str, message: str) -> None:
    """XML stays well-formed, JSON stays JSON, a log stays its lines."""
    report = judged(source, (finding("json", False, text=message), finding("text", None, text=message)))

    ElementTree.fromstring(written("junit", report))
    assert written("github", report).count("\n") == 3
    assert json.loads(written("gradescope", report))
    assert json.loads(written("json", report))
