"""What a killed process left behind goes when the next one comes; what is somebody's stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinytorch import owners
from tinytorch.files import atomic_write
from tinytorch.owners import is_gone, owner, remove, scratch, sweep

GONE = owner().rsplit("-", 1)[0] + "-1"  # this very number, but of a process that began when the machine did
LEAVES = """
import os, signal
from pathlib import Path
from tinytorch.owners import scratch
with scratch() as folder:
    (folder / "run").mkdir()
    (folder / "run" / "model").write_bytes(b"x")
    (folder / "run").chmod(0o555)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_lives_is_not_gone() -> None:
    assert not is_gone(owner())


@pytest.mark.parametrize("name", ["", "x", "1-2", f"1-{os.getpid()}-1"], ids=["none", "no owner", "half", "elsewhere"])
def test_what_nobody_can_know_is_not_gone(name: str) -> None:
    assert not is_gone(name)


def test_nobody_can_know_of_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines share folders, and the first namespace of each has the same number."""
    monkeypatch.setattr(owners, "host", lambda: "lab-07")
    monkeypatch.setattr(owners, "_namespace", owners._namespace.__wrapped__)

    assert not is_gone(GONE)


def test_a_later_process_of_the_same_number_is_another() -> None:
    assert is_gone(GONE)


def test_the_folder_of_a_killed_process_is_swept_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, "-c", LEAVES], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch() as folder:
        assert list(tmp_path.iterdir()) == [folder]

    assert (left.exists(), list(tmp_path.iterdir())) == (False, [])


def test_only_what_is_gone_and_begins_so_is_swept(tmp_path: Path) -> None:
    kept = {f"x-{owner()}-a", "x-abc", f"y-{GONE}-a"}
    for name in (*kept, f"x-{GONE}-a", f"x-{GONE}-b"):
        (tmp_path / name).touch()
    sweep(tmp_path, "x-")

    assert {path.name for path in tmp_path.iterdir()} == kept


def test_a_link_is_swept_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / f"x-{GONE}-a").symlink_to("kept")
    sweep(tmp_path, "x-")

    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_half_a_file_of_a_killed_process_is_swept_by_the_next_that_writes_there(tmp_path: Path) -> None:
    (tmp_path / f".writing-{GONE}-x.tmp").touch()
    atomic_write(tmp_path / "file", b"whole")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_is_removed_however_deep_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "top" / "closed").mkdir(parents=True)
    (tmp_path / "top" / "closed" / "file").touch()
    monkeypatch.chdir(tmp_path / "top")
    for _ in range(1200):  # deeper than Python calls functions, with a name longer than the system takes
        os.mkdir("deep")  # noqa: PTH102 - from here
        os.chdir("deep")
    os.chdir(tmp_path)
    (tmp_path / "top" / "closed").chmod(0o555)
    remove(tmp_path / "top")

    assert list(tmp_path.iterdir()) == []


def test_a_scratch_folder_that_cannot_be_removed_costs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("tinytorch.owners.remove", refuse)
    with scratch() as folder:
        pass

    assert folder.is_dir()
