"""The parent's side of a worker process: start it, ask with a deadline, and leave nothing behind.

Between here and the models stand two processes: the `guard`, which is the one started here, and the worker (`child`).
Replies are data (JSON): nothing that comes from there is ever unpickled or executed.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from tinytorch.errors import SetupMissingError
from tinytorch.processes import BEGUN
from tinytorch.processes.below import (
    Belongings,
    are_pinned,
    innermost,
    names_in,
    pin,
    private_bytes,
    processes_below,
    spent_s,
)
from tinytorch.processes.box import Box
from tinytorch.processes.failure import BoxFailedError, Frame, WorkerFailedError
from tinytorch.processes.killing import MARK, forget_guard, keep_guard, kill_adopted, kill_marked, kill_tree
from tinytorch.processes.output import Tail, frames_in, printed
from tinytorch.progress import Progress
from tinytorch.units import format_size

CHILD = "tinytorch.processes.child"
NO_LIMIT = -1  # of memory, as the child is told
DEADLINE_GRACE_S = 1.0  # past the deadline, for the worker to write down where it stands and end itself
CLOSE_LIMIT_S = 1.0  # for the guard to end everything below it, before it is ended itself
LOOK_S = 1.0  # between two looks at how many names a box has made
MOST_NAMES = 100_000
BY_SIGNAL = 128  # of an exit status, where a program tells so that another one was killed
CHUNK_BYTES = 65_536
LONGEST_REPLY_BYTES = 16_777_216


class Worker:
    """One child process that serves the requests of `service`, `package.module:Class`; use it as a context manager.

    `environment` is set on top of this process's own before anything is loaded there. Each process below may have
    `memory_limit_bytes` of data (on Linux; elsewhere the limit has no effect). Descriptors that are `given` to it have
    the same numbers there. In a `box` it knows nothing of this process's environment. Raises SetupMissingError on a
    system without `fork` (Windows), BoxFailedError where its place cannot be made.
    """

    def __init__(
        self,
        service: str,
        environment: Mapping[str, str] | None = None,
        memory_limit_bytes: int | None = None,
        *given: int,
        box: Box | None = None,
    ) -> None:
        check_system()
        self._mark = secrets.token_hex(16)
        self._memory_limit_bytes = memory_limit_bytes
        limit = str(NO_LIMIT if memory_limit_bytes is None else memory_limit_bytes)
        self._log = Tail()
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        self._guarded, guarded = os.pipe()  # nothing is written: it ends with the guard
        os.set_blocking(self._requests, False)
        theirs = (requests, replies, guarded)
        self.descriptors = (*theirs, *given)
        """All that the worker has besides its standard streams, by their numbers there."""
        command = [sys.executable, "-P", "-m", CHILD, *map(str, theirs), service, limit]
        own = {**(environment or {}), MARK: self._mark}
        try:
            self._guard = self._started(command, own, box)
        finally:
            for end in (*theirs, self._log.writer):  # a copy kept here would hide either end from the other
                os.close(end)
        self._began = keep_guard(self._guard.pid)
        self._box, self._temporary = box, own.get("TMPDIR")
        self._own: Belongings | None = None
        self._is_awaited = box is not None  # its first line
        self._unread = bytearray()
        self._number = 0
        self._limit_s = self._deadline_s = self._look_at_s = 0.0
        self._is_open = True
        self.output = ""
        """What the worker and all that it started had printed, or the end of it; known once it is closed."""

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self, command: list[str], environment: Mapping[str, str], box: Box | None) -> subprocess.Popen[bytes]:
        """The guard; the last word of its command line says what walls it puts up."""
        streams: dict[str, Any] = {
            "stdin": subprocess.DEVNULL, "stdout": self._log.writer, "stderr": self._log.writer,
            "pass_fds": self.descriptors,
            "start_new_session": True,  # a Ctrl-C on the terminal reaches the parent alone, which then ends us
        }  # fmt: skip
        if box is None:
            return subprocess.Popen([*command, ""], **streams, env={**os.environ, **environment})
        inside = box.command([*command, box.inside()], environment)
        try:
            return subprocess.Popen(inside, **streams, **box.popen_options(environment))
        except (subprocess.SubprocessError, OSError) as error:
            raise BoxFailedError("its place could not be made", str(error)) from error

    def ask(self, method: str, limit_s: float, progress: Progress | None = None, **arguments: Any) -> Any:
        """The result of `service.method(**arguments)`, which is given a `progress` to tell where there is one here.

        Raises WorkerFailedError when it raises, or when no answer has come `limit_s` seconds from now, however much
        progress it tells, or when it dies or breaks the protocol; after all but the first the worker is closed.
        """
        self.post(method, limit_s, is_observed=progress is not None, **arguments)
        return self.result(progress)

    def post(self, method: str, limit_s: float, is_observed: bool = False, **arguments: Any) -> None:
        """The first half of `ask`, so that several workers can be at work at once; `result` must come next."""
        self._number += 1
        self._limit_s, self._deadline_s = limit_s, time.monotonic() + limit_s
        self._look_at_s = time.monotonic() + LOOK_S
        with self._closed_on_failure():
            self._send(
                {"method": method, "arguments": arguments, "is_observed": is_observed,
                 "number": self._number, "deadline_s": self._deadline_s}
            )  # fmt: skip

    def result(self, progress: Progress | None = None) -> Any:
        """The second half of `ask`."""
        with self._closed_on_failure():
            while "progress" in (reply := self._reply()):
                if progress is not None:
                    progress(*_told(reply["progress"]))
            if "error" in reply:
                raise self._raised(reply["error"])
        return reply["result"]

    def note_own(self) -> None:
        """To be called once it has answered, and before it has run anything foreign: what is there now, is ours."""
        own = processes_below(self._guard.pid)
        self._own = Belongings(self._guard.pid, own, self._writable(own))

    def left_behind(self) -> list[str]:
        """The files that have been made since `note_own`, and the processes that have been started and go on.

        Files are looked for in the box, or in the TMPDIR that it was given. None before `note_own`.
        """
        return self._own.others() if self._own else []

    def _writable(self, own: set[psutil.Process]) -> dict[str, Path]:
        """Where its processes may write: name -> folder."""
        if self._box is None:
            return {"": Path(self._temporary)} if self._temporary else {}
        return self._places(own, self._box)

    def _places(self, processes: set[psutil.Process], box: Box) -> dict[str, Path]:
        """The folders of a box, as they are seen from here through one of the processes in it."""
        inside = innermost(processes)
        return {f"{place}/": Path(f"/proc/{inside}/root{place}") for place in box.writable}

    def look(self) -> None:
        """Take what it has printed, so that it never waits for that; for whoever waits for something else of it."""
        self._log.take()

    def hasten(self, limit_s: float) -> None:
        """From now on its answer is awaited for so long at most."""
        self._deadline_s = min(self._deadline_s, time.monotonic() + limit_s)

    def pin(self, core: int) -> None:
        """All of it runs on one processor core; in a box nothing of it can leave it again."""
        pin(self._guard.pid, core)

    def is_pinned(self, core: int) -> bool:
        """Whether all of it runs there still, and what it has started since."""
        return are_pinned(self._guard.pid, core)

    def spent_s(self) -> float:
        """Processor time that it and all below have taken."""
        return spent_s(self._guard.pid)

    def private_bytes(self) -> int:
        """Memory that it and all below have for themselves."""
        return private_bytes(self._guard.pid)

    def close(self) -> None:
        """End the worker and everything it started, within two seconds; safe to call twice."""
        if not self._is_open:
            return
        self._is_open = False
        os.close(self._requests)  # the guard sees it and ends everything below
        try:
            self._guard.wait(CLOSE_LIMIT_S)
        except subprocess.TimeoutExpired:
            kill_tree(self._guard.pid)
            self._guard.wait(CLOSE_LIMIT_S)
        if self._guard.returncode < 0 or sys.platform != "linux":
            kill_marked(self._mark, CLOSE_LIMIT_S)  # the guard did not end by itself, or adopts nobody here
            kill_adopted(self._began, CLOSE_LIMIT_S)
        elif self._box is not None:  # the first process of a place of its own ends after whoever began it
            kill_adopted(self._began, CLOSE_LIMIT_S)
        forget_guard(self._guard.pid)
        os.close(self._replies)
        os.close(self._guarded)
        self._log.close()
        self.output = printed(self._log.text)

    @contextlib.contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except WorkerFailedError as failure:
            failure.output = printed(self._log.text)
            if failure.outcome != "raised":
                self.close()
            raise

    def _send(self, request: dict[str, Any]) -> None:
        content = json.dumps(request).encode() + b"\n"
        if not self._is_open:
            raise WorkerFailedError("died", "it has ended already")
        with contextlib.suppress(BrokenPipeError):  # a dead worker's reply, the end of its output, says more
            while content:  # a pipe takes little at once
                if not (ready := self._ready(self._requests, selectors.EVENT_WRITE)):
                    raise WorkerFailedError("timed out", f"it took no request within {self._limit_s:g} s")
                if self._requests not in ready:
                    return
                content = content[os.write(self._requests, content) :]

    def _reply(self) -> dict[str, Any]:
        """The next reply that belongs to the latest request."""
        line = self._line()
        if self._is_awaited and line + b"\n" == BEGUN:
            self._is_awaited = False
            line = self._line()
        try:
            reply = json.loads(line)
        except (ValueError, RecursionError):
            raise WorkerFailedError("broke the protocol", "its reply was not JSON") from None
        if not isinstance(reply, dict) or not {"result", "error", "progress"} & set(reply):
            raise WorkerFailedError("broke the protocol", "its reply was neither result, error nor progress")
        if reply.get("number") != self._number:
            raise WorkerFailedError("broke the protocol", "its reply does not belong to the request")
        return reply

    def _line(self) -> bytes:
        while b"\n" not in self._unread:
            if len(self._unread) > LONGEST_REPLY_BYTES:
                raise WorkerFailedError("broke the protocol", f"its reply is longer than {LONGEST_REPLY_BYTES:,} bytes")
            chunk = self._chunk()
            if time.monotonic() >= self._deadline_s:
                raise WorkerFailedError("timed out", f"no answer within {self._limit_s:g} s", frames_in(self._log.text))
            if not chunk:
                raise self._ended()
            self._unread += chunk
        line, _, rest = self._unread.partition(b"\n")
        self._unread = rest
        return bytes(line)

    def _chunk(self) -> bytes:
        """What has come; empty at the worker's end, or when nothing came until past the deadline.

        The end of the guard is looked for too, because an orphan of the worker may hold the replies open.
        """
        ready = self._ready(self._replies, selectors.EVENT_READ)
        return os.read(self._replies, CHUNK_BYTES) if self._replies in ready else b""

    def _ready(self, end: int, event: int) -> set[int]:
        """That end of a pipe when it is ready, the guard's when it has ended, neither past the deadline.

        What is printed meanwhile is taken: whoever prints much would stand still otherwise.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(end, event)
            selector.register(self._guarded, selectors.EVENT_READ)
            selector.register(self._log.reader, selectors.EVENT_READ)
            while (left_s := self._deadline_s + DEADLINE_GRACE_S - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(left_s if self._box is None else min(left_s, LOOK_S))}
                if self._box is not None and not self._is_awaited and time.monotonic() >= self._look_at_s:
                    self._refuse_flood(self._box)  # not before it has begun: until then its folders are still ours
                if self._log.reader in ready and not self._log.take():
                    selector.unregister(self._log.reader)
                if found := ready & {end, self._guarded}:
                    return found
        return set()

    def _refuse_flood(self, box: Box) -> None:
        """A box's folders have a limit of bytes, but none of names, each of which takes memory of the kernel's.

        WorkerFailedError where there are too many. Only long requests are looked at: a look would disturb a visit.
        """
        if names_in(self._places(processes_below(self._guard.pid), box).values()) > MOST_NAMES:
            self.close()
            raise WorkerFailedError("ran out of memory", f"it made more than {MOST_NAMES:,} files or folders")
        self._look_at_s = time.monotonic() + LOOK_S

    def _ended(self) -> WorkerFailedError | BoxFailedError:
        """What its end is called: before its first line nothing foreign has run in there, and the box is at fault."""
        if self._is_awaited:
            return BoxFailedError(self._ending(), self._log.text)
        return WorkerFailedError("died", self._ending(), frames_in(self._log.text))

    def _ending(self) -> str:
        """How the worker ended, in words; the guard ends as it did, and soon after it."""
        try:
            status = self._guard.wait(CLOSE_LIMIT_S)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        if self._box is not None and status > BY_SIGNAL:  # as bubblewrap says it, which runs the guard
            status = BY_SIGNAL - status
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

    def _raised(self, error: object) -> WorkerFailedError:
        """The child's own exception; what it says of it is checked like everything that comes from there."""
        try:
            fields = dict(error)  # type: ignore[call-overload]
            frames = [
                Frame(str(frame["file"]), int(frame["line"]), str(frame["function"]), str(frame["code"]))
                for frame in fields["frames"]
            ]
            message, mend, is_memory = str(fields["message"]), str(fields["mend"]), fields["is_memory"] is True
        except (KeyError, TypeError, ValueError, OverflowError):
            return WorkerFailedError("broke the protocol", "its error has not the form of one")
        if is_memory:
            limit = self._memory_limit_bytes
            allowed = "" if limit is None else f"; {format_size(limit)} are allowed"
            return WorkerFailedError("ran out of memory", f"{message}{allowed}", frames)
        return WorkerFailedError("raised", message, frames, mend=mend)


def check_system(work: str = "measuring") -> None:
    """SetupMissingError on a system without `fork` (Windows), where nothing of that kind can be done."""
    if not hasattr(os, "fork"):
        message = f"{work} in worker processes needs Linux or macOS"
        raise SetupMissingError(message, mend="use WSL, the Windows Subsystem for Linux")


def _told(message: object) -> tuple[str, float]:
    match message:
        case [str(stage), int(share) | float(share)] if 0 <= share <= 1:
            return stage, share
        case _:
            raise WorkerFailedError("broke the protocol", "its progress has not the form of one")
