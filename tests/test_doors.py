"""What packages add is found by its name, loaded when it is asked for, and never takes the place of anything."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.packages import Packages, forget
from tinytorch import doors
from tinytorch.errors import UsageError


def test_nothing_is_loaded_before_it_is_asked_for(packages: Packages) -> None:
    packages.install("broken", "raise RuntimeError('no')\n", {("tasks", "mine"): "TASK"})

    assert "mine" in doors.advertised("tasks")
    with pytest.raises(UsageError, match=r"mine, which broken 1\.0 adds to tasks, cannot be used: RuntimeError: no"):
        doors.opened("tasks", "mine")


def test_one_name_of_two_packages_is_refused(packages: Packages) -> None:
    for name in ("one", "two"):
        packages.install(name, "CHECK = 1\n", {("checks", "same"): "CHECK"})

    with pytest.raises(UsageError, match=r"one 1\.0 and two 1\.0 both add same to checks"):
        doors.advertised("checks")


def test_damaged_metadata_are_told(packages: Packages, tmp_path: Path) -> None:
    packages.install("mine", "TASK = 1\n", {("tasks", "mine"): "TASK"})
    (tmp_path / "packages" / "mine-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    forget()
    with pytest.raises(UsageError, match="what installed packages say of themselves cannot be read"):
        doors.advertised("tasks")


@pytest.mark.parametrize("address", ["no_such_module:X", "json:nothing", ":x", "a b:c"])
def test_an_address_at_which_nothing_lies_is_a_usage_error(address: str) -> None:
    with pytest.raises(UsageError, match="nothing can be had at"):
        doors.at(address)


def test_the_files_of_a_package_are_found_without_running_it(packages: Packages, tmp_path: Path) -> None:
    packages.install("broken", "raise RuntimeError('no')\n", {("checks", "mine"): "CHECK"})

    assert doors.files_of(doors.advertised("checks")["mine"]) == [tmp_path / "packages" / "broken.py"]


def test_the_groups_are_those_of_the_documentation() -> None:
    page = (Path(__file__).parents[1] / "docs" / "extend.md").read_text()

    assert all(f'"tinytorch_olympics.{door}"' in page for door in ("tasks", "checks", "formats"))
    assert not entry_points(group="tinytorch_olympics.tasks")
