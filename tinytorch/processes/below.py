"""What a worker has started and left running."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import psutil

from tinytorch.files import everything_below

MOST_SEEN = 10_000  # of what lies there: a flood is known by its first waves
MOST_OTHERS = (
    100  # folders, pipes and sockets, which pools of processes leave to their end; names of more can hold much
)
SOON_S = 0.5  # for processes that were told to end
_SCHEDULED = 2  # CPUCLOCK_SCHED of linux/posix-timers.h
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


def pin(pid: int, core: int) -> None:
    """All threads of what descends from a process run on one processor core from now on (Linux)."""
    for process in processes_below(pid):
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            for thread in process.threads():
                os.sched_setaffinity(thread.id, {core})


def are_pinned(pid: int, core: int) -> bool:
    """Whether no thread of what descends from a process may run elsewhere."""
    for process in processes_below(pid):
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if any(os.sched_getaffinity(thread.id) != {core} for thread in process.threads()):
                return False
    return True


def spent_s(pid: int) -> float:
    """Processor time of all that descends from a process, and of those of them that have ended (Linux).

    The clock of a process has steps of nanoseconds, what /proc tells of it 10 ms.
    """
    total = 0.0
    for process in processes_below(pid):
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            times = process.cpu_times()
            total += time.clock_gettime(~process.pid << 3 | _SCHEDULED) + times.children_user + times.children_system
    return total


def private_bytes(pid: int) -> int:
    """Memory that what descends from a process shares with nobody."""
    total = 0
    for process in processes_below(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().uss
    return total


def names_of_others(pid: int, known: Iterable[psutil.Process]) -> list[str]:
    """Names of processes below one that are not `known`, go on, and are none that Python itself keeps for its pools."""
    others = processes_below(pid) - set(known)
    _, alive = psutil.wait_procs([each for each in others if not _is_pythons_own(each)], SOON_S)
    return sorted(filter(None, map(_name, alive)))


def innermost(processes: Iterable[psutil.Process]) -> int:
    """The number of one that none of the others was started by: of a box, one that is in it. 0 where there is none."""
    found: dict[int, int] = {}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found[process.pid] = process.ppid()
    return max(set(found) - set(found.values()), default=0)


def files_in(folders: Mapping[str, Path]) -> list[str]:
    """The files and links in folders and below, each with its folder's name before it; and a flood of anything else."""
    found, others = [], 0
    everything = ((name, folder, each) for name, folder in folders.items() for each in everything_below(folder))
    for name, folder, each in islice(everything, MOST_SEEN):
        if each.is_symlink() or each.is_file(follow_symlinks=False):
            found.append(f"{name}{Path(each.path).relative_to(folder)}")
        else:
            others += 1
            if others == MOST_OTHERS:
                found.append(f"{name}: one of at least {MOST_OTHERS} folders and other things")
    return found


def names_in(folders: Iterable[Path]) -> int:
    """The most that one of the folders' file systems has of files and folders; 0 where none can be looked at."""
    found = 0
    for folder in folders:
        with contextlib.suppress(OSError):  # its process has just ended
            about = os.statvfs(folder)
            found = max(found, about.f_files - about.f_ffree)
    return found


def _is_pythons_own(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(name in word for word in process.cmdline() for name in PYTHONS_OWN)
    return False


def _name(process: psutil.Process) -> str:
    """Empty for one that has ended: nobody has waited for it yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "" if process.status() == psutil.STATUS_ZOMBIE else process.name()
    return ""
