"""Tasks of other packages: by the name that their metadata give them, or by their address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packages import Packages
from tinytorch.errors import UsageError
from tinytorch.workloads.cache import cache_key
from tinytorch.workloads.registry import TASKS, asked_task, find_task, task_names

SOURCE = """
from dataclasses import replace
from tests.small_task import TASK as SMALL
TASK = replace(SMALL, name={name!r})
"""


def add(packages: Packages, name: str, called: str | None = None) -> None:
    packages.install("campus", SOURCE.format(name=called or name), {("tasks", name): "TASK"})


def test_a_task_that_a_package_adds_is_one_of_all(packages: Packages) -> None:
    add(packages, "backwards")

    assert task_names() == [*TASKS, "backwards"]
    assert find_task("backwards").title == "Four digits backwards"


def test_ours_cannot_be_replaced(packages: Packages) -> None:
    add(packages, "digits_mlp")

    assert find_task("digits_mlp").title != "Four digits backwards"
    assert task_names() == list(TASKS)


def test_an_unknown_name_suggests_what_packages_add(packages: Packages) -> None:
    add(packages, "backwards")
    with pytest.raises(UsageError) as caught:
        find_task("backward")

    assert "backwards" in caught.value.mend


@pytest.mark.parametrize(
    ("name", "called", "why"), [("mine", "other", "calls itself 'other'"), ("../up", "../up", "small")]
)
def test_what_a_package_adds_has_the_name_that_it_says(packages: Packages, name: str, called: str, why: str) -> None:
    add(packages, name, called)
    with pytest.raises(UsageError, match=rf"which campus 1\.0 adds to tasks, cannot be used: .*{why}"):
        find_task(name)


@pytest.mark.parametrize(("called", "why"), [("digits_mlp", "a task of ours"), ("../up", "small letters")])
def test_a_task_at_an_address_has_a_name_of_its_own(packages: Packages, called: str, why: str) -> None:
    add(packages, "mine", called)
    with pytest.raises(UsageError, match=why):
        asked_task("campus:TASK")


def test_weights_are_shipped_with_tasks_of_ours_alone(packages: Packages) -> None:
    source = SOURCE.format(name="mine").replace("name='mine'", "name='mine', weights_sha256='0' * 64")
    packages.install("campus", source, {("tasks", "mine"): "TASK"})
    with pytest.raises(UsageError, match="leave it out"):
        find_task("mine")


def test_any_task_that_can_be_imported_may_be_asked_for() -> None:
    assert asked_task("tests.small_task:TASK").name == "small_task"


def test_what_is_no_task_is_refused_by_its_type() -> None:
    with pytest.raises(UsageError, match="it is of type str"):
        asked_task("tests.small_task:__doc__")


def test_a_name_in_a_file_is_never_imported() -> None:
    """Else whoever wrote the file would choose what runs."""
    with pytest.raises(UsageError, match="there is no task"):
        find_task("tests.small_task:TASK")


def test_a_baseline_belongs_to_the_code_of_its_package(packages: Packages, tmp_path: Path) -> None:
    """Whoever changes a recipe forgets the version."""
    build = "def build_model(seed):\n    return SMALL.build_model(seed)\n"
    own = SOURCE + build + "TASK = replace(TASK, build_model=build_model)\n"
    packages.install("campus", own.format(name="mine"), {("tasks", "mine"): "TASK"})
    before = cache_key(find_task("mine"))
    with (tmp_path / "packages" / "campus.py").open("a") as file:
        file.write("# another text\n")

    assert cache_key(find_task("mine")) != before
