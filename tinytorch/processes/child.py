"""The child's side of a worker: `python -m tinytorch.processes.child REQUESTS REPLIES GUARDED SERVICE MEMORY WALLS`.

It forks at once (`guard`), and the last process is the *worker*: it serves requests, one JSON document a line, and
whatever a model prints goes to the log that the parent has. The pipe GUARDED ends with the guard.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NoReturn

from tinytorch.errors import RunError, TinyTorchError
from tinytorch.processes import BEGUN, guard
from tinytorch.processes.meant import meant
from tinytorch.progress import Progress

if TYPE_CHECKING:
    from tinytorch.processes.confine import Walls


NO_DEBUGGER = "a debugger has nobody to talk to: a model is built in a process without a terminal"


def main() -> None:
    """Fork into guard and worker; the worker serves requests until there are no more."""
    requests, replies, guarded = map(int, sys.argv[1:4])
    walls = _walls(sys.argv[6])
    if walls:
        walls.before_fork()
    guard.fork_worker(requests)
    os.close(guarded)
    _limit_memory(int(sys.argv[5]))
    _explain_sudden_ends()
    _refuse_debuggers()
    if walls:
        walls.before_service()
        _write(replies, BEGUN)
    _serve(requests, replies, sys.argv[4])


def _walls(told: str) -> Walls | None:
    """Those of a box; only there are they loaded."""
    if not told:
        return None
    from tinytorch.processes.confine import Walls

    return Walls.told(told)


def _limit_memory(limit_bytes: int) -> None:
    """Of this process and each below it: what it writes to, not the libraries that it maps. Less than 0 is no limit."""
    if limit_bytes >= 0:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def _explain_sudden_ends() -> None:
    """A segmentation fault or an `os._exit` leaves its stack in the log, so that the line at fault can be named."""
    faulthandler.enable(sys.stderr)
    worker, exit_now = os.getpid(), os._exit

    def explained_exit(status: int) -> NoReturn:
        if os.getpid() == worker:  # a forked child ends so as a matter of course
            faulthandler.dump_traceback(sys.stderr, all_threads=False)
        exit_now(status)

    os._exit = explained_exit


def _refuse_debuggers() -> None:
    """`breakpoint()` is an error of its own line; Python's own answer to it ends the process in the next one."""
    sys.breakpointhook = _refuse_debugger


def _refuse_debugger(*_: object, **__: object) -> NoReturn:
    raise RunError(NO_DEBUGGER, mend="take breakpoint() out")


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
    if type(error).__name__ == "BdbQuit":  # of pdb.set_trace(), which has no hook
        return {"message": NO_DEBUGGER, "mend": "take the debugger out of the line before"}
    kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__qualname__  # numpy has one of its own
    said = _said(error)
    if isinstance(error, ImportError):
        said = said.partition(" (")[0]  # where the module lies, which tells nobody what to do
    words = "; ".join(filter(None, (said, meant(error))))
    return {"message": f"{kind}: {words}" if words else kind, "mend": ""}


def _said(error: BaseException) -> str:
    """Its own words; of a SyntaxError without the line, which is told with the frames."""
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # noqa: BLE001 - an error of a foreign class may raise another when it is asked
        return "its own words cannot be read"


def _write(descriptor: int, content: bytes) -> None:
    """All of `content`; one write may take less."""
    while content:
        content = content[os.write(descriptor, content) :]


if __name__ == "__main__":
    main()
