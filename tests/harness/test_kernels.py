"""Compiled kernels are code: an entry gets a copy of them, and what it does to the user's own is undone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tinytorch.benchmarking.session import Settings
from tinytorch.harness import kernels
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.kernels import environment, kernels_of
from tinytorch.harness.settling import VARIABLE
from tinytorch.owners import SCRATCH
from tinytorch.progress import silent
from tinytorch.workloads.strategies import BASELINE
from tinytorch.workloads.task import Task

KERNEL = "kernels_0/run.nbi"


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's kernels, compiled for just this machine."""
    folder = tmp_path / "users"
    (folder / KERNEL).parent.mkdir(parents=True)
    (folder / KERNEL).write_bytes(b"ours")
    kernels._mark(folder).write_text(f"{kernels._key()}\n{KERNEL}")
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def entry(small_task: Task, tmp_path: Path, tiny_tier) -> Challenge:
    (tmp_path / "entry.py").write_text("")
    return Challenge(small_task, Contender.entry(tmp_path / "entry.py"), Settings(tiny_tier))


def test_an_entry_gets_a_copy(users: Path, entry: Challenge, tmp_path: Path) -> None:
    with kernels_of(entry, silent, print) as own:
        assert (own / KERNEL).read_bytes() == b"ours"
        (own / KERNEL).write_bytes(b"theirs")

    assert (users / KERNEL).read_bytes() == b"ours"


def test_our_own_code_has_the_user_s(users: Path, small_task: Task, tmp_path: Path, tiny_tier) -> None:
    asked = Challenge(small_task, Contender.reference(BASELINE), Settings(tiny_tier))
    with kernels_of(asked, silent, print) as own:
        assert own == users


def test_in_a_box_everybody_gets_a_copy(users: Path, small_task: Task, tiny_tier) -> None:
    """In a folder inside one of ours: root gives the inner one away, and sweeps what is left of the outer one."""
    asked = Challenge(small_task, Contender.reference(BASELINE), Settings(tiny_tier), isolation="A")
    with kernels_of(asked, silent, print) as own:
        assert (own / KERNEL).read_bytes() == b"ours"
        assert (own != users, own.parent.name.startswith(SCRATCH), own.parent.stat().st_uid) == (
            True,
            True,
            os.getuid(),
        )


def test_what_an_entry_does_to_the_user_s_is_undone_and_said(users: Path, entry: Challenge, tmp_path: Path) -> None:
    said: list[str] = []
    with kernels_of(entry, silent, said.append):
        (users / KERNEL).write_bytes(b"theirs")
        (users / KERNEL).with_name("planted.nbi").write_bytes(b"theirs")

    assert [path.read_bytes() for path in users.glob("kernels_*/*")] == [b"ours"]
    assert len(said) == 1


def test_kernels_of_another_version_are_compiled_before_an_entry_runs(
    users: Path, entry: Challenge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels._mark(users).write_text("of old")
    monkeypatch.setattr(kernels, "SERVICE", "builtins:object")
    said: list[str] = []
    with kernels_of(entry, silent, said.append):
        pass

    assert ["cannot be compiled" in words for words in said] == [True]


@pytest.mark.parametrize("strange", [Path.mkdir, os.mkfifo, lambda path: path.write_bytes(b"\xff" * 200_000)])
def test_a_mark_that_is_none_of_ours_is_made_anew(users: Path, strange: Callable[[Path], object]) -> None:
    kernels._mark(users).unlink()
    strange(kernels._mark(users))

    assert not kernels._is_compiled(users)


def test_kernels_that_are_gone_are_not_taken_for_compiled(users: Path) -> None:
    assert kernels._is_compiled(users)
    (users / KERNEL).unlink()

    assert not kernels._is_compiled(users)


def test_processes_are_told_where_they_lie(users: Path) -> None:
    assert environment(users)[VARIABLE] == str(users)
