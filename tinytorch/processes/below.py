"""What a worker has started and left running."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import psutil

SOON_S = 0.5  # for processes that were told to end
PYTHONS_OWN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")  # they outlive the pools they serve


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


def _is_pythons_own(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(name in word for word in process.cmdline() for name in PYTHONS_OWN)
    return False


def _name(process: psutil.Process) -> str:
    """Empty for one that has ended: nobody has waited for it yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "" if process.status() == psutil.STATUS_ZOMBIE else process.name()
    return ""
