"""A place of their own for processes: nobody in it can name, stop or kill one outside, and all end with its first.

Linux has such places (namespaces of process ids, of mounts for a /proc that shows it, and of users where only that is
allowed: pid_namespaces(7), user_namespaces(7)), and may refuse them; no other system has them.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

_NEW_MOUNTS, _NEW_USERS, _NEW_IDS = 0x00020000, 0x10000000, 0x20000000  # linux/sched.h
_PRIVATE_BELOW, _NO_PROGRAMS = 1 << 18 | 1 << 14, 1 << 1 | 1 << 2 | 1 << 3  # linux/mount.h: nosuid, nodev, noexec
_STATUS = struct.Struct("i")


def is_possible() -> bool:
    """Whether the system lets us: tried by a process that ends at once, because there is no way back."""
    if sys.platform != "linux":
        return False
    trying = os.fork()
    if trying:
        return os.waitpid(trying, 0)[1] == 0
    first = os.fork() if enter() else -1
    if first == 0:
        os._exit(not _show_own_processes())
    os._exit(1 if first < 0 else os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))


def enter() -> bool:
    """From here on whoever we fork is in a place of its own, which the first of them begins."""
    library, user, group = ctypes.CDLL(None), os.geteuid(), os.getegid()
    if library.unshare(_NEW_IDS | _NEW_MOUNTS) == 0:  # root needs no more
        return True
    if library.unshare(_NEW_USERS | _NEW_IDS | _NEW_MOUNTS) != 0:
        return False
    own = Path("/proc/self")
    try:  # the same user and group in there
        (own / "setgroups").write_text("deny")
        (own / "uid_map").write_text(f"{user} {user} 1")
        (own / "gid_map").write_text(f"{group} {group} 1")
    except OSError:
        return False
    return True


def begin(told: int) -> None:
    """What the first process does: it forks, and tells through a pipe how the one that it forked has ended.

    Returns in that one only. The first ends then, and with it everything there.
    """
    _show_own_processes()
    worker = os.fork()
    if worker == 0:
        os.close(told)
        return
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == worker:
            os.write(told, _STATUS.pack(status))
            os._exit(0)


def told_status(end: int) -> int | None:
    """The wait status that came through the pipe; None when nobody could tell any more."""
    content = os.read(end, _STATUS.size)
    return _STATUS.unpack(content)[0] if len(content) == _STATUS.size else None


def _show_own_processes() -> bool:
    """A /proc of this place, which nobody outside sees."""
    mount = ctypes.CDLL(None).mount
    return bool(
        mount(b"none", b"/", None, _PRIVATE_BELOW, None) == 0
        and mount(b"proc", b"/proc", b"proc", _NO_PROGRAMS, None) == 0
    )
