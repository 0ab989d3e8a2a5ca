"""A file system that can do less, or fails: locks are soft, what cannot be written is told, and nothing is lost."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.tito.class_folder import handed_in
from tinytorch.files import atomic_write
from tinytorch.harness.referee.turns import machine_alone
from tinytorch.lock import HeldError, Lock
from tinytorch.owners import owner
from tito.app import run

WITHOUT = [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EIO, errno.ESTALE]
FAILING = [errno.EIO, errno.ESTALE, errno.ENOSPC, errno.EROFS]
KEY = "pseudonyms.csv"
Break = Callable[[object, str, int], None]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Let a call of the system fail."""

    def fail_with(owner: object, name: str, number: int) -> None:
        def fail(*_: Any, **__: Any) -> NoReturn:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(owner, name, fail)

    return fail_with


@pytest.mark.parametrize("number", WITHOUT, ids=errno.errorcode.get)
def test_every_lock_works_without_those_of_the_system(number: int, beginner: Path, broken: Break) -> None:
    """That of the workspace, of a module's progress, of a key file, and of the machine."""
    handed_in(beginner, "ada", 2)
    broken(fcntl, "flock", number)
    with machine_alone():
        pass

    for call in ("olympics status", "module start tensor", f"olympics leaderboard . --names pseudonyms --key {KEY}"):
        assert run(call.split()) == 0, call
    assert (beginner / KEY).exists()
    assert not list(beginner.rglob("*.held*"))


@pytest.mark.parametrize("number", FAILING, ids=errno.errorcode.get)
def test_a_file_that_cannot_be_put_into_its_place_is_told_and_the_old_one_stays(
    number: int, tmp_path: Path, broken: Break
) -> None:
    path = tmp_path / "kept.json"
    atomic_write(path, b"old")
    broken(Path, "replace", number)
    with pytest.raises(OSError, match=os.strerror(number)):
        atomic_write(path, b"new")

    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.json"]


@pytest.mark.parametrize("number", FAILING, ids=errno.errorcode.get)
def test_a_board_whose_key_cannot_be_written_says_so(number: int, beginner: Path, tito, broken: Break) -> None:
    handed_in(beginner, "ada", 2)
    broken(Path, "replace", number)
    done = tito("leaderboard", ".", "--names", "pseudonyms", "--key", KEY)

    assert done.code == 2
    assert os.strerror(number) in done.err
    assert "mend:" in done.err
    assert not list(beginner.glob(".writing-*"))


@pytest.mark.parametrize("name", ["fsync", "chmod", "chown"])
def test_what_a_network_s_file_system_cannot_do_is_left_out(name: str, tmp_path: Path, broken: Break) -> None:
    """Where root is nobody there, or a mount has one mode for all."""
    path = tmp_path / "kept.json"
    path.write_bytes(b"old")
    path.chmod(0o644)
    broken(Path if name == "chmod" else os, name, errno.EPERM)
    atomic_write(path, b"new")

    assert path.read_bytes() == b"new"
    assert name == "chmod" or path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("has_locks", [True, False])
def test_who_holds_a_lock_is_told_with_how_long(has_locks: bool, tmp_path: Path, broken: Break) -> None:
    if not has_locks:
        broken(fcntl, "flock", errno.ENOLCK)
    path = tmp_path / "history.lock"
    with Lock(path, 0), pytest.raises(HeldError) as told:
        Lock(path, 0).acquire()

    assert told.value.words == f"process {os.getpid()}, for 1 minute"


def test_a_holder_on_another_machine_is_called_so(tmp_path: Path, broken: Break) -> None:
    broken(fcntl, "flock", errno.ENOLCK)
    number, process, began = owner().split("-")
    (tmp_path / "history.held").write_text(f"{int(number) + 1}-{process}-{began}")
    with pytest.raises(HeldError) as told:
        Lock(tmp_path / "history.lock", 0).acquire()

    assert told.value.words.startswith(f"process {process} of another machine, for ")


def test_who_had_a_lock_before_is_not_said_to_hold_it(tmp_path: Path) -> None:
    """Somebody who may not write in another user's file holds it now."""
    path = tmp_path / "history.lock"
    with Lock(path, 0):
        assert path.read_text() == owner()
    assert path.read_text() == ""
    path.write_text(owner().rsplit("-", 1)[0] + "-1")  # a process that was killed
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(HeldError) as told:
        Lock(path, 0).acquire()
    os.close(handle)

    assert told.value.words == ""


def test_one_for_whom_the_locks_fail_once_and_another_see_each_other(tmp_path: Path, monkeypatch) -> None:
    """A network's lock may fail for a moment, and for one of two."""
    first, second = Lock(tmp_path / "history.lock", 0), Lock(tmp_path / "history.lock", 0)
    with first, monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", fail)
        with pytest.raises(HeldError):
            second.acquire()
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", fail)
        first.acquire()
    with pytest.raises(HeldError):
        second.acquire()
    first.release()


def fail(*_: Any) -> NoReturn:
    raise OSError(errno.EIO, "Input/output error")


def test_who_waited_for_a_lock_says_that_he_has_it(tmp_path: Path) -> None:
    path = tmp_path / "history.lock"
    lock = Lock(path, 0)
    lock.acquire_in_turn()
    assert path.read_text() == owner()
    lock.release()
