"""One at a time, also where the system has no locks; and no lock of a process that is gone locks anybody out."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from tinytorch.errors import UsageError
from tinytorch.lock import HeldError, Lock
from tinytorch.owners import owner
from tito.workspace.folder import Folder

GONE = owner().rsplit("-", 1)[0] + "-1"


@pytest.fixture(params=["flock", "no flock"])
def lock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where it lies, on a file system of each kind."""
    if request.param == "no flock":
        without_locks(monkeypatch)
    return tmp_path / "history.lock"


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_only_one_holds_it(lock: Path) -> None:
    first, second = Lock(lock, 0), Lock(lock, 0)
    first.acquire()
    with pytest.raises(HeldError):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_who_holds_it_may_take_it_again(lock: Path) -> None:
    first, second = Lock(lock, 0), Lock(lock, 0)
    first.acquire()
    first.acquire()
    first.release()
    with pytest.raises(HeldError):
        second.acquire()
    first.release()


def test_that_of_a_process_that_is_gone_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_locks(monkeypatch)
    (tmp_path / "history.held").write_text(GONE)
    lock = Lock(tmp_path / "history.lock", 0)
    lock.acquire()

    assert (tmp_path / "history.held").read_text() == owner()
    lock.release()
    assert not list(tmp_path.glob("history.held*"))


def test_one_of_nobody_known_is_left_and_its_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_locks(monkeypatch)
    (tmp_path / "history.held").write_text("1-2-3")  # of another machine
    place = Folder(tmp_path)
    with pytest.raises(UsageError) as caught, place.locked(place.lock("history.lock", 0)):
        pass

    assert f"rm {tmp_path / 'history.held'}" in caught.value.mend


def test_other_errors_of_the_system_are_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Lock(tmp_path / "missing" / "history.lock", 0).acquire()


def test_another_user_s_file_is_locked_without_making_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that all may write in, a system may refuse to open another's file as if to make it."""
    real = os.open

    def opened(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, mode)

    (tmp_path / "theirs").touch()
    monkeypatch.setattr(os, "open", opened)
    first, second = Lock(tmp_path / "theirs", 0), Lock(tmp_path / "theirs", 0)
    first.acquire()
    with pytest.raises(HeldError):
        second.acquire()
    first.release()
