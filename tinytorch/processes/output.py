"""What processes print, kept to its end: a flood of it fills neither a disk nor our memory."""

from __future__ import annotations

import os
import re

from tinytorch.processes.failure import Frame

KEPT_BYTES = 65_536
MOST_CHUNKS = 64  # taken at once: whoever never stops printing is not waited for

_STACK_HEAD = "(most recent call first)"
_STACK_START = re.compile(r"^(?:Timeout \(|Fatal Python error: |Current thread 0x|Thread 0x|Stack \()", re.MULTILINE)
_STACK_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')


class Tail:
    """A pipe, of whose content only the end is kept. `writer` is for the processes, and to be closed here."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self._kept = b""
        self._is_open = True

    def take(self) -> bool:
        """Take what there is, some at least; False when nobody can write any more."""
        for _ in range(MOST_CHUNKS):
            try:
                chunk = os.read(self.reader, KEPT_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._kept = (self._kept + chunk)[-KEPT_BYTES:]
        return True

    def close(self) -> None:
        """Take the last of it, and let go of the pipe; safe to call twice."""
        if self._is_open:
            self.take()
            os.close(self.reader)
            self._is_open = False

    @property
    def text(self) -> str:
        """The end of all that has come."""
        if self._is_open:
            self.take()
        return self._kept.decode("utf-8", errors="replace")


def printed(log: str) -> str:
    """What is in a log before the stack that a sudden end leaves there."""
    return _STACK_START.split(log, maxsplit=1)[0]


def frames_in(log: str) -> list[Frame]:
    """The main thread's stack that a worker left in its log on a sudden end, innermost last.

    faulthandler writes the innermost line first, and the main thread last.
    """
    main_thread = log.rpartition(_STACK_HEAD)[2]
    found = [Frame(m["file"], int(m["line"]), m["function"]) for m in _STACK_LINE.finditer(main_thread)]
    return found[::-1]
