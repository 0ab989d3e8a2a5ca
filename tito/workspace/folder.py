"""Folders below `.tito/`: written atomically, under a lock, and with one word where that cannot be done. Light."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, reason
from tinytorch.lock import HeldError, Lock

VARIABLE = "TITO_WORKSPACE"
CACHE_VARIABLE = "TITO_CACHE"  # where trained baselines are kept, instead of the user's cache directory
ELSEWHERE = f"choose another place with --workspace DIR or {VARIABLE}"
LOCK_LIMIT_S = 10.0


class Folder:
    """One folder that only tito writes in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, path: Path) -> None:
        """The folder at `path`, in this one; UsageError where it cannot be made."""
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self.refusal(error) from error

    def write(self, path: Path, content: bytes) -> None:
        """Write a file in this folder, the whole of it or nothing."""
        try:
            atomic_write(path, content)
        except OSError as error:
            raise self.refusal(error) from error

    def lock(self, name: str, limit_s: float | None = None) -> Lock:
        """A lock on a file in this folder, not yet held."""
        return Lock(self.root / name, LOCK_LIMIT_S if limit_s is None else limit_s)

    @contextlib.contextmanager
    def locked(self, lock: Lock, message: str = "") -> Iterator[None]:
        """Hold a lock; UsageError with the message when somebody else does, or when it cannot be made."""
        self.make(self.root)
        try:
            lock.acquire()
        except HeldError as held:
            usual = f"another tito has been writing in {self.root} for more than {LOCK_LIMIT_S:g} seconds"
            told = f"{message or usual}{held.words and f' ({held.words})'}"
            raise UsageError(told, mend=_wait_for(held)) from None
        except OSError as error:
            raise self.refusal(error) from error
        try:
            yield
        finally:
            lock.release()

    def refusal(self, error: OSError) -> UsageError:
        """What the system said, with what to do."""
        return UsageError(f"cannot write in {self.root}: {reason(error)}", mend=ELSEWHERE)


def _wait_for(held: HeldError) -> str:
    waiting = "wait for it to end, or choose another place with --workspace DIR"
    return waiting if held.file is None else f"{waiting}; if none runs any more: rm {shlex.quote(str(held.file))}"


def workspace_root(given: Path | None, beside: Path = Path()) -> Path:
    """The folder that is asked for, by option or variable, or `.tito` in the one that we work in."""
    return given or folder_of(VARIABLE) or beside / ".tito"


def folder_of(variable: str) -> Path | None:
    """The folder that an environment variable names, if it does; `~` is somebody's home there too."""
    value = os.environ.get(variable)
    try:
        return Path(value).expanduser() if value else None
    except RuntimeError:
        raise UsageError(f"{variable} is {value}: nobody has that home", mend="give it an absolute path") from None
