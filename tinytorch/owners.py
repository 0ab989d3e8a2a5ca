"""Whose a temporary file is: the process that made it is in its name, so that the next one sweeps up after the killed.

An owner is three numbers, such as `4026531836-812-99132`: the machine with its namespace of process ids, the process,
and when it began. The last tells it from a later process of the same number, the first from one of another machine or
container.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import sys
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SCRATCH = "tinytorch-"
_OWNER = re.compile(r"(\d+)-(\d+)-(\d+)")


def owner() -> str:
    """This process as an owner."""
    return f"{_namespace()}-{os.getpid()}-{began(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether that process has ended; False where nobody here can know."""
    found = _OWNER.match(owner)
    if found is None or int(found[1]) != _namespace():
        return False
    return began(int(found[2])) != int(found[3])


def process_of(owner: str) -> str:
    """An owner in words: its process, and whether that is of this machine; empty for what is none."""
    found = _OWNER.match(owner)
    if found is None:
        return ""
    return f"process {found[2]}" if int(found[1]) == _namespace() else f"process {found[2]} of another machine"


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for temporary files, gone afterwards; and those of processes that were killed go now."""
    import tempfile  # as slow to load as all else here together, and whoever only asks for an owner needs none

    sweep(Path(tempfile.gettempdir()), SCRATCH)
    folder = Path(tempfile.mkdtemp(prefix=f"{SCRATCH}{owner()}-"))
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):  # foreign code has made it so; what was measured stands all the same
            remove(folder)


def sweep(folder: Path, prefix: str) -> None:
    """Remove the files and folders of ours in `folder` whose names begin so and whose owner is gone."""
    for path in folder.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # another process sweeps here too, or it is not ours to remove
            if path.lstat().st_uid == _user() and is_gone(path.name.removeprefix(prefix)):
                remove(path)


def remove(path: Path) -> None:
    """Remove whatever is there, a link and not what it leads to. OSError where the system does not let us.

    A folder in a folder is first moved to the top, so that none lies too deep to be named.
    """
    if not stat.S_ISDIR(path.lstat().st_mode):
        path.unlink()
        return
    waiting, unused = [path], secrets.token_hex(8)
    for folder in waiting:
        folder.chmod(stat.S_IRWXU)  # what is measured lies in folders that nobody may write in
        for inside in list(os.scandir(folder)):
            if inside.is_dir(follow_symlinks=False):
                waiting.append(Path(inside.path).rename(path / f"{unused}-{len(waiting)}"))
            else:
                Path(inside.path).unlink()
    for folder in reversed(waiting):
        folder.rmdir()


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


@cache
def _namespace() -> int:
    """Of this machine and no other: machines may share a folder, and their first namespaces have one number."""
    inode = os.stat("/proc/self/ns/pid").st_ino if sys.platform == "linux" else 0  # noqa: PTH116 - of the link's target
    return zlib.crc32(f"{host()} {inode}".encode())


def host() -> str:
    """This machine: its name, and the number that it was given when it was set up, where it has one."""
    number = ""
    with contextlib.suppress(OSError):
        number = Path("/etc/machine-id").read_text("ascii", "replace").strip()
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return f"{name} {number}"


def began(pid: int) -> int | None:
    """When a process began, in a unit of the system's; None when there is none of that number."""
    if sys.platform == "linux":  # ticks since the machine was started, which no change of the clock moves: proc(5)
        try:
            return int(Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19])
        except (OSError, IndexError, ValueError):
            return None
    import psutil  # slow to load, and Linux needs none

    try:
        return round(psutil.Process(pid).create_time() * 1000)
    except psutil.NoSuchProcess:
        return None
