"""What processes print, kept to its end: a flood of it fills neither a disk nor our memory."""

from __future__ import annotations

import os

KEPT_BYTES = 65_536
MOST_CHUNKS = 64  # taken at once: whoever never stops printing is not waited for


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
