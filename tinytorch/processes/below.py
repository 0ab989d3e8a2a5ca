"""What a worker has started and left running."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import psutil

MOST_FILES = 1_000  # looked at: a flood of them is seen all the same
SOON_S = 0.5  # for processes that were told to end
PYTHONS_OWN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")  # they outlive the pools they serve


class Belongings:
    """What runs and lies in a worker's places, noted before anything foreign has run: whatever is there later is not.

    `folders` are those that it may write in: name -> where they are.
    """

    def __init__(self, pid: int, processes: Iterable[psutil.Process], folders: Mapping[str, Path]) -> None:
        self._pid, self._processes, self._folders = pid, set(processes), folders
        self._files = set(files_in(folders))

    def others(self) -> list[str]:
        """Files that have been made there since, and processes that have been started and go on, in words."""
        made = sorted(set(files_in(self._folders)) - self._files)
        return [
            *(f"the file {name}" for name in made),
            *(f"the process {name}" for name in names_of_others(self._pid, self._processes)),
        ]


def processes_below(pid: int) -> set[psutil.Process]:
    """All that descend from a process and live."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return set(psutil.Process(pid).children(recursive=True))
    return set()


def names_of_others(pid: int, known: Iterable[psutil.Process]) -> list[str]:
    """Names of processes below one that are not `known`, go on, and are none that Python itself keeps for its pools."""
    others = processes_below(pid) - set(known)
    _, alive = psutil.wait_procs([each for each in others if not _is_pythons_own(each)], SOON_S)
    return sorted(filter(None, map(_name, alive)))


def innermost(processes: Iterable[psutil.Process]) -> int:
    """The number of one that none of the others was started by: of a box, the process that serves in it."""
    parents = {process.ppid() for process in processes}
    return max(process.pid for process in processes if process.pid not in parents)


def files_in(folders: Mapping[str, Path]) -> list[str]:
    """What lies in folders and below, each with its folder's name before it; no folders, and no more than fits."""
    found = (f"{name}{path}" for name, folder in folders.items() for path in _paths_in(folder))
    return list(islice(found, MOST_FILES))


def _paths_in(folder: Path) -> Iterator[str]:
    """Files and links; no sockets, which pools of processes leave to their end."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with contextlib.suppress(OSError):  # it is gone
                if stat.S_IFMT(path.lstat().st_mode) in (stat.S_IFREG, stat.S_IFLNK):
                    yield str(path.relative_to(folder))


def _is_pythons_own(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(name in word for word in process.cmdline() for name in PYTHONS_OWN)
    return False


def _name(process: psutil.Process) -> str:
    """Empty for one that has ended: nobody has waited for it yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "" if process.status() == psutil.STATUS_ZOMBIE else process.name()
    return ""
