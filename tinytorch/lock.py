"""One process at a time: by the system's own lock, which ends with its holder, else by a file that names its owner."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from datetime import timedelta
from pathlib import Path

from tinytorch.files import read_start
from tinytorch.owners import is_gone, owner, process_of
from tinytorch.showing import time_words

LOOK_AGAIN_S = 0.05
LONGEST_OWNER_BYTES = 200
NO_LOCKS = {  # of a file system without them, or of a network's whose locks do not work
    errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EIO, errno.ESTALE,
}  # fmt: skip


class HeldError(Exception):
    """Somebody else holds it: `words` say who, and for how long, where that is known.

    `file` is what says so where the system has no locks, to be removed by hand.
    """

    def __init__(self, file: Path | None, words: str) -> None:
        super().__init__("held")
        self.file, self.words = file, words


class Lock:
    """A lock on a file, not yet held. Who holds it may acquire it again, and releases it as often."""

    def __init__(self, path: Path, limit_s: float, look_again_s: float = LOOK_AGAIN_S) -> None:
        self._path, self._limit_s, self._look_again_s = path, limit_s, look_again_s
        self._named = path.with_suffix(".held")
        self._times = 0
        self._handle: int | None = None

    def __enter__(self) -> Lock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Hold it. HeldError when somebody else did for all of the limit, OSError where no file can be made."""
        end_s = time.monotonic() + self._limit_s
        while not self._times and not self._is_taken():
            if time.monotonic() >= end_s:
                raise self._held()
            time.sleep(self._look_again_s)
        self._times += 1

    def acquire_in_turn(self) -> None:
        """Hold it, however long that takes; where the system has locks it wakes whoever waits."""
        try:
            import fcntl  # Windows has none

            handle = self._opened()
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except BaseException:
                os.close(handle)
                raise
            self._take(handle)
        except (ImportError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in NO_LOCKS:
                raise
            while not self._is_named():
                time.sleep(self._look_again_s)
        self._times += 1

    def release(self) -> None:
        """Let go of it."""
        self._times -= 1
        if self._times:
            return
        if self._handle is None:
            self._named.unlink(missing_ok=True)
        else:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def _is_taken(self) -> bool:
        try:
            return self._is_locked()
        except (ImportError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in NO_LOCKS:
                raise
            return self._is_named()

    def _is_locked(self) -> bool:
        import fcntl  # Windows has none

        handle = self._opened()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException as error:
            os.close(handle)
            if isinstance(error, BlockingIOError):
                return False
            raise
        if _living(self._named):  # by a process for which the system's locks did not work
            os.close(handle)
            return False
        self._take(handle)
        return True

    def _take(self, handle: int) -> None:
        """Hold on to a file that is locked, and say in it who does."""
        self._handle = handle
        with contextlib.suppress(OSError):  # of another user's file, or on a full disk
            os.ftruncate(handle, 0)
            os.write(handle, owner().encode())

    def _held(self) -> HeldError:
        """Who has it, by what he wrote when he took it."""
        file = self._named if self._named.exists() else None
        return HeldError(file, _holder(file or self._path))

    def _opened(self) -> int:
        """Another user's file can be locked, but in a folder that all may write in not opened as if to make it."""
        flags = os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | flags, 0o666)
        except PermissionError:
            return os.open(self._path, os.O_RDONLY | flags)

    def _is_named(self) -> bool:
        """Make the file that names us, which only one can; that of an owner who is gone is put out of the way first.

        Who has the system's lock is named in the file of that one.
        """
        if _living(self._path):
            return False
        with contextlib.suppress(FileNotFoundError):  # nobody holds it, or he has just let go of it
            if is_gone(read_start(self._named, LONGEST_OWNER_BYTES).decode("ascii", "replace")):
                self._put_aside()
        try:
            with self._named.open("x", encoding="ascii") as file:
                file.write(owner())
        except FileExistsError:
            return False
        return True

    def _put_aside(self) -> None:
        """Another one may be doing just this: what turns out to be his is put back."""
        aside = self._named.with_suffix(f".{owner()}")
        self._named.rename(aside)
        if is_gone(read_start(aside, LONGEST_OWNER_BYTES).decode("ascii", "replace")):
            aside.unlink()
        else:
            aside.rename(self._named)


def _holder(file: Path) -> str:
    """`process 812, for 3 minutes`, by a lock's file; empty where it cannot be read, or says nothing."""
    process = process_of(_living(file))
    try:
        return process and f"{process}, for {time_words(timedelta(seconds=time.time() - file.stat().st_mtime))}"
    except OSError:
        return ""


def _living(file: Path) -> str:
    """The owner whom a lock's file names, unless he is gone: then somebody holds it who could not write into it."""
    try:
        told = read_start(file, LONGEST_OWNER_BYTES).decode("ascii", "replace")
    except OSError:
        return ""
    return told if process_of(told) and not is_gone(told) else ""
