"""A place of their own for processes: nobody in it can name, stop or kill one outside, and all end with its first.

Linux has such places (namespaces of process ids, of mounts for a /proc that shows it, and of users where only that is
allowed: pid_namespaces(7), user_namespaces(7)), and may refuse them; no other system has them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

_NEW_MOUNTS, _NEW_USERS, _NEW_IDS = 0x00020000, 0x10000000, 0x20000000  # linux/sched.h
_PRIVATE_BELOW, _NO_PROGRAMS = 1 << 18 | 1 << 14, 1 << 1 | 1 << 2 | 1 << 3  # linux/mount.h: nosuid, nodev, noexec
ENDING = {signal.SIGTERM}
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

    Returns in that one only. SIGTERM, which is blocked until we are ready for it, ends all of them. Each is waited for,
    so that its processor time is known outside.
    """
    _show_own_processes()
    worker = os.fork()
    if worker == 0:
        os.close(told)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        return
    signal.signal(signal.SIGTERM, lambda *_: _end_all())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    ended, status = os.waitpid(-1, 0)
    while ended != worker:
        ended, status = os.waitpid(-1, 0)
    _end_all()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    os.write(told, _STATUS.pack(status))
    os._exit(0)


def _end_all() -> None:
    """Everybody but ourselves. Outside of such a place, where we are not the first, it would end the user's session."""
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


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
