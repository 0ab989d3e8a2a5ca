"""The page of mistakes is true: what it shows is found by what it says, and what it shows instead is valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import TINY
from tinytorch.benchmarking.session import Settings
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.checks.validation import findings_of
from tinytorch.competition.record.parsing import parse_object
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.packaging import submission_from_run
from tinytorch.errors import EntryError
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.run import run_competition
from tinytorch.workloads.registry import find_task

PAGE = (Path(__file__).parents[1] / "docs" / "invalid.md").read_text()
CODES = {
    (kind, name): code
    for kind, name, code in re.findall(r"<!-- (\w+): (.*?) -->\n```python\n(.*?)```", PAGE, re.DOTALL)
}
FOUND = dict(re.findall(r"<!-- before: (.*?) -->\n```python.*?```\n\nFound by (.*?)\n", PAGE, re.DOTALL))
Judge = Callable[[str], tuple[Finding, ...]]


@pytest.fixture
def judge(tmp_path: Path, cache_directory: Path) -> Judge:
    """What is found about an entry that is benchmarked, submitted for the latency sprint and validated."""

    def findings(code: str) -> tuple[Finding, ...]:
        (tmp_path / "entry.py").write_text(code)
        entry = Contender.entry(tmp_path / "entry.py")
        run = run_competition(Challenge(find_task("digits_cnn"), entry, Settings(TINY), 60, cache_directory))
        submission = submission_from_run(run, event="latency_sprint", athlete_name="Ada")
        return findings_of(parse_object(submission), load_rules())

    return findings


def test_there_are_ten_mistakes_and_each_is_mended() -> None:
    assert len(FOUND) == len(re.findall(r"^## \d+\. ", PAGE, re.MULTILINE)) == 10
    assert {*CODES} == {(kind, name) for kind in ("before", "after") for name in FOUND}


@pytest.mark.parametrize("name", FOUND)
def test_a_mistake_is_found_by_what_the_page_says(name: str, judge: Judge) -> None:
    by, _, words = FOUND[name].partition(": ")
    if by == "`benchmark`":
        with pytest.raises(EntryError, match=re.escape(words)):
            judge(CODES["before", name])
    else:
        assert words in [f"{each.id} {each.name}" for each in judge(CODES["before", name]) if each.is_error]


@pytest.mark.parametrize("name", FOUND)
def test_what_is_shown_instead_is_valid(name: str, judge: Judge) -> None:
    assert [each.message for each in judge(CODES["after", name]) if each.is_error] == []
