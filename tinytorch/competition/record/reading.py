"""The file itself: only a regular one is opened, and never more of it is read than a submission may have.

Reading a submission goes in stages, which `parsing` takes one after the other; `STAGES` names them all.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tinytorch.text import safe_text

LARGEST_FILE_BYTES = 8 * 2**20

PLAIN = ("nesting", "numbers", "values")
JSON = ("json", "duplicate_keys", *PLAIN)
STAGES = ("file", "size", "encoding", *JSON, "schema_version", "schema")

Numbers = dict[str, int | float | str | None]


class RefusedError(Exception):
    """A stage of reading that cannot be passed: which, why, how to mend it, and the numbers. Its texts may be shown."""

    def __init__(self, stage: str, message: str, mend: str = "", **numbers: int | float | str | None) -> None:
        super().__init__(message)
        self.stage, self.message, self.mend = stage, message, mend
        self.numbers: Numbers = numbers


def read_regular(path: Path) -> bytes:
    """At most one byte more of `path` than a submission may have; RefusedError when it is no regular file.

    A symbolic link is followed inside its own folder only. A pipe is opened without waiting for its other end.
    """
    try:
        target = _inside_its_folder(path)
        _check_regular(target.stat().st_mode)  # before it is opened, because opening can make a device act
        handle = os.open(target, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:  # noqa: PTH123 - a handle that was opened without waiting
            _check_regular(os.fstat(handle).st_mode)  # what was opened may no longer be what was looked at
            return file.read(LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # a null character in the path; a link to itself
        reason = error.strerror if isinstance(error, OSError) and error.strerror else safe_text(str(error))
        raise RefusedError("file", f"cannot be read: {reason}") from None


def _inside_its_folder(path: Path) -> Path:
    if not path.is_symlink():
        return path
    folder, target = path.parent.resolve(), path.resolve(strict=True)
    if not target.is_relative_to(folder):
        raise RefusedError("file", f"a link that leads out of its folder, to {safe_text(str(target))!r}")
    return target


def _check_regular(mode: int) -> None:
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe (FIFO)", stat.S_IFSOCK: "a socket"}
    if not stat.S_ISREG(mode):
        kind = kinds.get(stat.S_IFMT(mode), "a device")
        raise RefusedError("file", f"not a regular file: {kind}", kind=kind)
