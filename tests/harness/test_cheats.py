"""The exploit corpus: every entry is listed, says what it tries, and was tried."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tinytorch.errors import UsageError
from tinytorch.harness.cheats.catalogue import ENTRIES, LEVELS, TWINS, Verdict, cheats, entry, find_cheat

FILES = {path.stem for path in ENTRIES.glob("*.py")}


def test_there_are_forty_and_each_file_is_one_or_a_twin() -> None:
    assert len(cheats()) >= 40
    assert {*cheats(), *TWINS} == FILES
    assert {each.twin for each in cheats().values()} <= {*TWINS}


def test_each_has_a_number_and_says_what_it_tries_in_a_sentence() -> None:
    assert [each.number for each in cheats().values()] == list(range(1, len(cheats()) + 1))
    assert [each.name for each in cheats().values() if not each.tries.endswith(".") or "\n" in each.tries] == []


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_is_an_entry(name: str) -> None:
    tree = ast.parse(entry(name).read_text())

    assert "optimize" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_was_tried_at_every_level() -> None:
    assert [each.name for each in cheats().values() if set(each.verdicts) != {*LEVELS}] == []
    assert [
        name for name, each in cheats().items() for level in LEVELS if each.verdicts[level].ending == "not tried"
    ] == []


def test_what_is_missed_at_t3_is_listed_with_the_reason() -> None:
    assert [each.name for each in cheats().values() if each.verdicts["T3"].ending == "missed" and not each.why] == []


@pytest.mark.parametrize(
    ("verdict", "ending"),
    [
        (Verdict("TO-V10"), "caught"),
        (Verdict("", 1.05), "harmless"),
        (Verdict("", 2.0), "missed"),
        (Verdict(), "not tried"),
    ],
)
def test_an_ending_in_a_word(verdict: Verdict, ending: str) -> None:
    assert verdict.ending == ending


def test_one_is_found_by_name_and_by_number() -> None:
    assert find_cheat("1") is find_cheat(next(iter(cheats())))
    with pytest.raises(UsageError, match="there is no cheat 'speculate'"):
        find_cheat("speculate")


def test_no_entry_has_a_path_of_somebodys_machine() -> None:
    assert [path.name for path in map(Path, ENTRIES.glob("*.py")) if "/home/" in path.read_text()] == []
