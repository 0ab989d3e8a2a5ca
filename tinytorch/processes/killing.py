"""Ending processes for good: a tree of them, or all that carry one worker's mark."""

from __future__ import annotations

import contextlib
import time

import psutil

MARK = "TINYTORCH_WORKER"  # in the environment of everything that one worker started
LOOK_AGAIN_S = 0.001


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


def _is_alive(process: psutil.Process) -> bool:
    """A zombie is dead: it waits for nobody but its parent."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
