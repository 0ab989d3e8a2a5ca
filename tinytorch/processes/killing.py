"""Ending processes for good: a tree of them, all that carry one worker's mark, or what was orphaned to us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Iterator

import psutil

MARK = "TINYTORCH_WORKER"  # in the environment of everything that one worker started
LOOK_AGAIN_S = 0.001
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_guards: set[int] = set()


def kill_tree(pid: int) -> None:
    """Kill a process and all below it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def kill_marked(mark: str, limit_s: float) -> None:
    """Kill every process that has our mark in its environment: whoever was orphaned while nobody adopted it.

    Done when a look shows no process that was not examined before: one may fork and end while we look. A killed one
    goes on until the kernel comes to it, which is waited for, `limit_s` at most.
    """
    examined: set[int] = set()
    killed: list[psutil.Process] = []
    while unseen := set(psutil.pids()) - examined:
        examined |= unseen
        for pid in unseen:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # gone, a zombie, or somebody else's
                process = psutil.Process(pid)
                if process.environ().get(MARK) == mark:
                    process.kill()
                    killed.append(process)
    end_s = time.monotonic() + limit_s
    while any(map(_is_alive, killed)) and time.monotonic() < end_s:
        time.sleep(LOOK_AGAIN_S)


def keep_guard(pid: int) -> float:
    """Note a guard of ours, and when it began. While there is one, Linux gives us whoever is orphaned below us."""
    if not _guards:
        _adopt(True)
    _guards.add(pid)
    return psutil.Process(pid).create_time()


def forget_guard(pid: int) -> None:
    """A guard has ended."""
    _guards.discard(pid)
    if not _guards:
        _adopt(False)


def kill_adopted(since: float, limit_s: float) -> None:
    """Kill what was orphaned to us after a moment: children of ours in sessions of their own, which are no guards.

    That is who has lost the mark and killed the guard. Whoever is killed may leave us others.
    """
    end_s = time.monotonic() + limit_s
    while (found := list(_adopted(since))) and time.monotonic() < end_s:
        for child in found:
            kill_tree(child.pid)
        psutil.wait_procs(found, LOOK_AGAIN_S)


def _adopted(since: float) -> Iterator[psutil.Process]:
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            is_ours = child.pid in _guards or os.getsid(child.pid) == os.getsid(0)
            if not is_ours and child.create_time() >= since:
                yield child


def _adopt(is_wanted: bool) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(is_wanted), 0, 0, 0)


def _is_alive(process: psutil.Process) -> bool:
    """A zombie is dead: it waits for nobody but its parent."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
