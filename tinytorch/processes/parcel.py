"""What a worker hands over that is too large for a line: a file without a name, in a folder of nobody's."""

from __future__ import annotations

import contextlib
import os
import sys
from types import TracebackType


class Parcel:
    """Room for at most `most_bytes`; a worker that is given its `descriptor` fills it with `fill`.

    On Linux it lies in memory, which only what is written takes, and cannot be made larger by whoever writes.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        if sys.platform == "linux":
            import fcntl  # Windows, where nothing is handed over, has none

            self.descriptor = os.memfd_create("parcel", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.ftruncate(self.descriptor, most_bytes)
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        else:
            import tempfile

            with tempfile.TemporaryFile() as file:
                self.descriptor = os.dup(file.fileno())

    def __enter__(self) -> Parcel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def read(self, size_bytes: int) -> bytes:
        """A copy of the first bytes; ValueError where fewer are there, or so many never fit."""
        if not 0 <= size_bytes <= self.most_bytes:
            raise ValueError(f"{size_bytes:,} bytes do not fit")
        content = b""
        while more := os.pread(self.descriptor, size_bytes - len(content), len(content)):  # 2 GiB at most at once
            content += more
        if len(content) < size_bytes:
            raise ValueError(f"only {len(content):,} of {size_bytes:,} bytes are there")
        return content

    def close(self) -> None:
        """Let go of it; safe to call twice."""
        if self.descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self.descriptor)
            self.descriptor = -1


def fill(descriptor: int, content: bytes) -> None:
    """The worker's end: write all of it from the beginning. OSError where there is no room for it."""
    at, view = 0, memoryview(content)
    while at < len(view):
        at += os.pwrite(descriptor, view[at:], at)
