"""Paths that only root can reach, for processes that root starts as somebody else: shown to these alone (Linux).

A Python below /root, or a run's folder below /tmp, lies behind a folder that is closed to others. In a namespace of
mounts of its own (mount_namespaces(7)) a process lays an empty folder over the closed one, and in it what is wanted.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

_NEW_MOUNTS = 0x00020000  # linux/sched.h
_BIND, _RECURSIVE, _PRIVATE = 1 << 12, 1 << 14, 1 << 18  # linux/mount.h
_MOST = b"mode=755,size=1m"
_PASSED = stat.S_IROTH | stat.S_IXOTH


def open_to_others(paths: Sequence[str]) -> None:
    """From here on, and in nobody's view but this process's and its children's. OSError where root may not do it."""
    shown = [str(each) for path in paths for each in _opened(Path(path))]
    closed = _outermost(filter(None, map(_closed_above, map(Path, shown))))
    if not closed:
        return
    library = ctypes.CDLL(None, use_errno=True)
    _check(library.unshare(_NEW_MOUNTS))
    _check(library.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None))
    hidden = [path for path in shown if any(Path(path).is_relative_to(folder) for folder in closed)]
    held = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in hidden}
    for folder in closed:
        _check(library.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, _MOST))
    for path, descriptor in held.items():
        _make_like(Path(path), descriptor)
        origin = f"/proc/self/fd/{descriptor}".encode()
        _check(library.mount(origin, os.fsencode(path), None, _BIND | _RECURSIVE, None))


def _opened(path: Path) -> Iterable[Path]:
    """The path itself; of a folder that is closed to others what is in it, which gets another folder."""
    mode = path.stat().st_mode
    if not stat.S_ISDIR(mode) or mode & _PASSED == _PASSED:
        return [path]
    return [each for inside in sorted(path.iterdir()) for each in _opened(inside)]


def _closed_above(path: Path) -> Path | None:
    """The first folder above a path that others may not pass."""
    for folder in reversed(path.parents):
        if folder.stat().st_mode & _PASSED != _PASSED:
            return folder
    return None


def _outermost(folders: Iterable[Path]) -> list[Path]:
    found = sorted(set(folders))
    return [each for each in found if not any(other in each.parents for other in found)]


def _make_like(path: Path, descriptor: int) -> None:
    """Something to mount on: a folder on a folder, a file on a file."""
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
