"""The process between the parent and a worker: it runs nothing of anybody's, and leaves nothing behind.

The *guard* adopts whatever loses its parent below it, and ends everything when the worker or the parent has ended.
Where the system lets us, another process between guard and worker begins a place of its own (see `apart`), out of which
no worker reaches the guard.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
from typing import NoReturn

from tinytorch.processes import apart

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def fork_worker(requests: int) -> None:
    """Returns in the worker only. The guard has one thread and nothing loaded yet, so that forking is safe."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    is_apart = apart.is_possible() and apart.enter()
    ended, told = os.pipe()
    woken, waker = _nonblocking_pipe()
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    if is_apart:
        signal.pthread_sigmask(signal.SIG_BLOCK, apart.ENDING)
    guard, first = os.getpid(), os.fork()
    if first:
        os.close(told)
        _guard(first, is_apart, requests, woken, ended)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for end in (ended, woken, waker):
        os.close(end)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != (0 if is_apart else guard):  # it was killed before the line above could tie this process to it
        os._exit(1)
    if is_apart:
        apart.begin(told)
    else:
        os.close(told)
    _lead_a_group(0)


def _guard(first: int, is_apart: bool, requests: int, woken: int, ended: int) -> NoReturn:
    """Wait until the worker or the parent has ended, and end what is below; as the worker did, if that was first."""
    if not is_apart:
        _lead_a_group(first)
    status = _wait(first, requests, woken)
    if is_apart and status is None:
        _end_politely(first)
    _end_everything_below(first)
    if status is None:
        os._exit(0)
    said = apart.told_status(ended)
    _end_as(status if said is None else said)


def _lead_a_group(process: int) -> None:
    """A group without the guard can be killed as a whole, however fast it forks. Both sides ask; one is first."""
    with contextlib.suppress(OSError):
        os.setpgid(process, process)


def _wait(worker: int, requests: int, woken: int) -> int | None:
    """The wait status of the worker once it has ended; None when the parent has closed the requests, or is gone.

    The requests are the worker's to read. Asked for no event at all, poll still tells when nobody can write any more.
    """
    poller = select.poll()
    poller.register(requests, 0)
    poller.register(woken, select.POLLIN)
    while True:
        if requests in dict(poller.poll()):
            return None
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 512)
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:  # adopted orphans end here too
            if ended[0] == worker:
                return ended[1]


def _end_politely(first: int) -> None:
    """Whoever begins a place apart ends all in it, and waits for them: otherwise nobody would know their times."""
    os.kill(first, signal.SIGTERM)  # not waited for yet, so that no other process can have its number
    os.waitpid(first, 0)


def _end_everything_below(worker: int) -> None:
    """Kill the worker's group, then whoever left it, until this process has no children any more.

    A killed process's children become ours (we are their subreaper), so that "no child" means "nothing is left".
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # it ended by itself, and was waited for then
        os.waitpid(worker, 0)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                _kill_descendants()
                os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill_descendants() -> None:
    import psutil  # not before the fork, and only where something is left: the memory and the time are the model's

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _end_as(status: int) -> NoReturn:
    """End as the worker did, by exit status or by the same signal, so that the parent sees which."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with contextlib.suppress(OSError):  # SIGKILL has no handler to be put back
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _prctl(option: int, value: int) -> None:
    """Linux alone has it; elsewhere the parent looks for what was left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _nonblocking_pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
