"""Writing files so that a reader sees the old content or the new one, never a half."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path


def atomic_write(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, flush it to the disk, then rename it into place.

    A file that is there keeps its mode, and its owner where we may give files away. Raises OSError (disk full, not
    writable, a directory in the way); `path` then holds what it held before.
    """
    import tempfile  # takes longer than all else here, and whoever only reads needs none

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _dress(Path(temporary), path)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of `content`."""
    import hashlib  # OpenSSL, loaded where something is hashed

    return hashlib.sha256(content).hexdigest()


def _dress(new: Path, old: Path) -> None:
    """Give a new file what the one that it replaces had, else what a new file gets."""
    try:
        worn = old.stat()
    except FileNotFoundError:
        new.chmod(0o666 & ~_umask())
        return
    if sys.platform != "win32" and os.geteuid() == 0:
        os.chown(new, worn.st_uid, worn.st_gid)
    new.chmod(stat.S_IMODE(worn.st_mode))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
