"""The tests of the tests: right solutions of another style pass, and mistakes fail by the test that is about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tito.course.wrong import WRONG, Wrong
from tito.course.course import MODULES, Module, find_module
from tito.course.testing.runner import Subject, run_tests

SOLUTIONS = Path(__file__).parent / "solutions"


def outcome(module: Module, file: Path) -> tuple[set[str], set[str]]:
    """The tests that passed, and those that did not."""
    results = run_tests(Subject(module, file), lambda result: None).results
    return {each.test for each in results if each.is_good}, {each.test for each in results if not each.is_good}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_right_solution_of_another_style_passes(module: Module) -> None:
    passed, failed = outcome(module, SOLUTIONS / f"{module.name}.py")

    assert passed
    assert failed == set()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.module}: {wrong.what}")
def test_a_mistake_fails_by_the_test_that_is_about_it(wrong: Wrong, tmp_path: Path) -> None:
    right = (SOLUTIONS / f"{wrong.module}.py").read_text()
    assert right.count(wrong.old) == 1
    (tmp_path / f"{wrong.module}.py").write_text(right.replace(wrong.old, wrong.new))

    passed, failed = outcome(find_module(wrong.module), tmp_path / f"{wrong.module}.py")

    assert wrong.fails in failed
    assert passed  # it is this mistake that is told, not a file that does nothing


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_there_are_three_mistakes_of_every_module(module: Module) -> None:
    assert sum(wrong.module == module.name for wrong in WRONG) >= 3
