"""The child's side of a worker: `python -m tinytorch.processes.child REQUESTS REPLIES GUARDED SERVICE MEMORY`.

It forks at once. The first process stays as the *guard*: it runs nothing of anybody's, adopts whatever loses its parent
below it, and ends everything when the worker or the parent has ended; the pipe GUARDED ends with it. The last is the
*worker*: it serves requests, one JSON document a line, and whatever a model prints goes to the log that the parent has.
Where the system lets us, a process between them begins a place of its own (see `apart`), out of which no worker reaches
the guard.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name
from typing import Any, NoReturn

from tinytorch.errors import TinyTorchError
from tinytorch.processes import apart
from tinytorch.progress import Progress

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def main() -> None:
    """Fork into guard and worker; the worker serves requests until there are no more."""
    requests, replies, guarded = map(int, sys.argv[1:4])
    _fork_from_guard(requests)
    os.close(guarded)
    _limit_memory(int(sys.argv[5]))
    _explain_sudden_ends()
    _serve(requests, replies, sys.argv[4])


def _fork_from_guard(requests: int) -> None:
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
        _lead_a_group(first)
        status = _wait(first, requests, woken)
        if is_apart:
            _end_politely(first)
        _end_everything_below(first)
        said = apart.told_status(ended)
        _end_as(status if said is None else said)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for end in (ended, woken, waker):
        os.close(end)
    _lead_a_group(0)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != (0 if is_apart else guard):  # it was killed before the line above could tie this process to it
        os._exit(1)
    if is_apart:
        apart.begin(told)
        _lead_a_group(0)
    else:
        os.close(told)


def _lead_a_group(process: int) -> None:
    """A group without the guard can be killed as a whole, however fast it forks. Both sides ask; one is first."""
    with contextlib.suppress(OSError):
        os.setpgid(process, process)


def _wait(worker: int, requests: int, woken: int) -> int:
    """The wait status of the worker once it has ended; 0 when the parent has closed the requests, or is gone.

    The requests are the worker's to read. Asked for no event at all, poll still tells when nobody can write any more.
    """
    poller = select.poll()
    poller.register(requests, 0)
    poller.register(woken, select.POLLIN)
    while True:
        if requests in dict(poller.poll()):
            return 0
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 512)
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:  # adopted orphans end here too
            if ended[0] == worker:
                return ended[1]


def _end_politely(first: int) -> None:
    """Whoever begins a place apart ends all in it, and waits for them: otherwise nobody would know their times."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):  # it has ended, and was waited for
        os.kill(first, signal.SIGTERM)
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


def _limit_memory(limit_bytes: int) -> None:
    """Of this process and each below it: what it writes to, not the libraries that it maps. Less than 0 is no limit."""
    if limit_bytes >= 0:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def _prctl(option: int, value: int) -> None:
    """Linux alone has it; elsewhere the parent looks for what was left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _nonblocking_pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _explain_sudden_ends() -> None:
    """A segmentation fault or an `os._exit` leaves its stack in the log, so that the line at fault can be named."""
    faulthandler.enable(sys.stderr)
    worker, exit_now = os.getpid(), os._exit

    def explained_exit(status: int) -> NoReturn:
        if os.getpid() == worker:  # a forked child ends so as a matter of course
            faulthandler.dump_traceback(sys.stderr, all_threads=False)
        exit_now(status)

    os._exit = explained_exit


def _serve(requests: int, replies: int, name: str) -> None:
    """Answer every request; a forked copy of this process, which comes here too, answers none."""
    worker, end_now = os.getpid(), os._exit
    service = _made(name)  # before anything is asked, so that several workers load side by side
    with open(requests, "rb") as lines:
        for line in lines:
            request = json.loads(line)
            number = request["number"]

            def send(message: dict[str, Any], number: int = number) -> None:
                _write(replies, json.dumps({"number": number, **message}).encode() + b"\n")

            # Past the deadline the stack goes to the log and the process ends, whatever holds the interpreter's lock.
            left_s = max(0.001, request["deadline_s"] - time.monotonic())
            faulthandler.dump_traceback_later(left_s, exit=True, file=sys.stderr)
            tell = partial(_tell, send) if request["is_observed"] else None
            answer = _answer(service, request, tell)
            if os.getpid() != worker:
                end_now(0)
            send(answer)
            faulthandler.cancel_dump_traceback_later()


def _made(name: str) -> object:
    """The service, or what went wrong, which is then the answer to every request."""
    try:
        return resolve_name(name)()
    except BaseException as error:  # noqa: BLE001 - the parent decides what it means
        return error


def _answer(service: object, request: dict[str, Any], progress: Progress | None) -> dict[str, Any]:
    try:
        if isinstance(service, BaseException):
            raise service
        observed = {"progress": progress} if progress else {}
        return {"result": getattr(service, request["method"])(**request["arguments"], **observed)}
    except BaseException as error:  # noqa: BLE001 - a model may raise anything; the parent decides what it means
        return {"error": _describe(error)}


def _tell(send: Callable[[dict[str, Any]], None], stage: str, share: float) -> None:
    send({"progress": [stage, share]})


def _describe(error: BaseException) -> dict[str, Any]:
    frames = [
        {"file": frame.filename, "line": frame.lineno or 0, "function": frame.name, "code": frame.line or ""}
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        code = (error.text or "").strip()
        frames.append({"file": error.filename, "line": error.lineno or 0, "function": "<module>", "code": code})
    return {**_words(error), "is_memory": isinstance(error, MemoryError), "frames": frames}


def _words(error: BaseException) -> dict[str, str]:
    """An error of our own tree speaks for itself, and knows what mends it; any other is told with its type."""
    if isinstance(error, TinyTorchError):
        return {"message": str(error.message), "mend": str(error.mend)}
    kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__qualname__  # numpy has one of its own
    return {"message": f"{kind}: {error}" if str(error) else kind, "mend": ""}


def _write(descriptor: int, content: bytes) -> None:
    """All of `content`; one write may take less."""
    while content:
        content = content[os.write(descriptor, content) :]


if __name__ == "__main__":
    main()
