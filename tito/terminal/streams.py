"""The standard streams as a script may give them: closed, full, in another encoding, with a reader that goes away."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any

from tinytorch.errors import UsageError

ELSEWHERE = "make room, or write to another place with -o FILE"


class StandardOutput(io.FileIO):
    """Descriptor 1. A reader that has seen enough and goes away changes nothing; any other failure is told once."""

    def __init__(self, is_closed: bool) -> None:
        super().__init__(1, "w", closefd=False)
        self._problem = "it is closed" if is_closed else ""
        self._is_over = False

    def write(self, content: Any) -> int:
        """Write; once the reader has gone or a failure was told only count, so that the end of Python stays quiet."""
        if self._is_over:
            return len(content)
        try:
            return self._written(content)
        except OSError as error:
            self._problem = error.strerror or str(error)
        self._is_over = True
        raise UsageError(f"cannot write to standard output: {self._problem}", mend=ELSEWHERE)

    def _written(self, content: Any) -> int:
        if self._problem:
            self._is_over = True
            raise OSError(None, self._problem)
        with suppress(BrokenPipeError):
            return super().write(content) or 0
        self._is_over = True
        return len(content)


class StandardError(io.FileIO):
    """Descriptor 2, whose failures nobody could be told of."""

    def __init__(self) -> None:
        super().__init__(2, "w", closefd=False)

    def write(self, content: Any) -> int:
        """Write what can be written."""
        with suppress(OSError):
            return super().write(content) or 0
        return len(content)


def prepare() -> None:
    """Put our streams in the place of Python's; a closed descriptor first, so that no file of ours takes its number."""
    is_closed = _open_missing()
    if sys.platform == "win32":  # its consoles are written to in another way
        return
    output, error = sys.stdout, sys.stderr
    sys.stdout = _text(StandardOutput(1 in is_closed), output)
    sys.stderr = _text(StandardError(), error)


def _open_missing() -> set[int]:
    """Open the standard descriptors that are closed on the null device; the numbers of those that were."""
    missing = set()
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            missing.add(number)
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    return missing


def _text(raw: io.FileIO, old: Any) -> io.TextIOWrapper:
    """Text in the encoding of the stream before; what that cannot say is shown as an escape."""
    encoding = getattr(old, "encoding", None) or "utf-8"
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffer, encoding, errors="backslashreplace", line_buffering=raw.isatty() or raw.fileno() == 2
    )
