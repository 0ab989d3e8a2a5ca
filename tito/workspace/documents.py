"""Where a document comes from and goes to: a file, a standard stream, or the other end of a pipe."""

from __future__ import annotations

import os
import re
import shlex
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinytorch.errors import UsageError
from tinytorch.files import UnreadableError, atomic_write, read_start, reason, sha256
from tito.terminal import screen
from tito.terminal.screen import STANDARD

if TYPE_CHECKING:
    from tinytorch.competition.record.kinds import Kind

LARGEST_RUN_BYTES = 64 * 1024 * 1024
ELSEWHERE = "choose another place with -o FILE"
_STREAMS = {STANDARD: 0, "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,6})")  # what a shell gives for <(command) and >(command)
_STORES_NOTHING = {stat.S_IFIFO, stat.S_IFCHR}  # these are written through; a disk or a socket is not


def descriptor(name: str) -> int | None:
    """The descriptor of this process that a name stands for, such as `/dev/stdin` or `/dev/fd/63`."""
    found = _DESCRIPTOR.fullmatch(name)
    return int(found[1]) if found else _STREAMS.get(name)


def read(name: str, limit_bytes: int = LARGEST_RUN_BYTES) -> bytes:
    """The content of a regular file, of standard input (`-`) or of a descriptor, at most one byte over the limit.

    Raises UsageError for anything else, or where there is more than `limit_bytes`.
    """
    number = descriptor(name)
    content = read_descriptor(number, limit_bytes) if number is not None else _read_file(Path(name), limit_bytes)
    if len(content) > limit_bytes:
        raise UsageError(f"{name} is larger than {limit_bytes:,} bytes", mend="give the file of one run")
    return content


def read_descriptor(number: int, limit_bytes: int) -> bytes:
    """What can be read from an open descriptor, at most one byte over the limit; UsageError when nothing can."""
    name = "standard input" if number == 0 else f"descriptor {number}"
    if number == 0 and sys.stdin is None:
        raise UsageError("there is no standard input to read from", mend="give the name of a file instead of -")
    try:
        if number == 0:
            content = sys.stdin.buffer.read(limit_bytes + 1)
        else:
            with open(os.dup(number), "rb") as file:  # noqa: PTH123 - a descriptor has no path
                content = file.read(limit_bytes + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", mend="give the name of a file") from error
    if not content:
        raise UsageError(f"{name} is empty", mend="look at what the command before the | says, or give a file's name")
    return content


def _read_file(path: Path, limit_bytes: int) -> bytes:
    try:
        return read_start(path, limit_bytes + 1, may_lead_out=True)
    except FileNotFoundError:
        mend = "tito olympics status --all lists the recorded runs"
        raise UsageError(f"there is no file or run {path}", mend=mend) from None
    except UnreadableError as error:
        mend = "name a file in it" if path.is_dir() else f"read from it with: - < {shlex.quote(str(path))}"
        raise UsageError(f"cannot read {path}: {reason(error)}", mend=mend) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="give a file that you can read") from error


@dataclass(frozen=True)
class Destination:
    """Where a document of one kind is to be written; `name` is a path, or None or `-` for standard output.

    A regular file is replaced as a whole or not at all. A link, pipe or device is written through.
    """

    name: str | None
    kind: Kind
    force: bool = False

    @property
    def is_stdout(self) -> bool:
        """Whether the document is data on standard output, also as `/dev/stdout`."""
        return self.name is None or self.name == STANDARD or descriptor(self.name) == 1

    def replaced(self) -> bytes | None:
        """The beginning of what writing would replace; UsageError where nothing may be written.

        It is looked at before anything is measured. A file that is not of this kind is somebody's own, and is replaced
        only by `force`.
        """
        if self.name is None or descriptor(self.name) is not None:
            return None
        if self.name.endswith(os.sep) and not Path(self.name).exists():
            raise self._refusal("it names a folder")
        path = self._path(self.name)
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            self._check_folder(path)
            return None
        except OSError as error:
            raise self._refusal(error.strerror or "cannot be looked at") from error
        if stat.S_ISREG(mode):
            return self._checked(path, mode)
        self._check_special(mode)
        return None

    @property
    def place(self) -> str:
        """Where the document can be found afterwards: the absolute path of a file, else `-`."""
        name = str(self.name)
        is_file = not self.is_stdout and descriptor(name) is None and Path(name).is_file()
        return str(Path.cwd() / name) if is_file else STANDARD

    def write(self, text: str) -> str | None:
        """Write the document and a last line end; the SHA-256 of a file that was written."""
        if self.is_stdout:
            screen.put(text)
            return None
        return self.write_bytes(text.encode("utf-8", "backslashreplace") + b"\n")

    def write_bytes(self, content: bytes) -> str:
        """The same of what is no text, into a file."""
        name = str(self.name)
        self.replaced()  # once more: measuring takes minutes
        try:
            self._put(name, content)
        except OSError as error:
            raise self._refusal(error.strerror or str(error)) from error
        return sha256(content)

    def _put(self, name: str, content: bytes) -> None:
        number, path = descriptor(name), self._path(name)
        if number is None and (path.is_file() or not path.exists()):
            atomic_write(path, content)
            return
        with open(os.dup(number) if number is not None else path, "wb") as file:  # noqa: PTH123 - or a descriptor
            file.write(content)

    def _path(self, name: str) -> Path:
        """The file itself, so that replacing it keeps the links that lead there."""
        return Path(os.path.realpath(name))

    def _checked(self, path: Path, mode: int) -> bytes:
        if not mode & 0o222 or not os.access(path, os.W_OK):  # root may write anything: the mode says what is meant
            raise self._refusal("it is read-only")
        self._check_folder(path)
        from tinytorch.competition.record.kinds import LOOKED_AT_BYTES, kind_of  # only where a file is replaced

        content = read_start(path, LOOKED_AT_BYTES)
        found = kind_of(content)
        if content and found != self.kind and not self.force:
            held = f"it holds a {found}" if found else "it holds something that tito did not write"
            raise self._refusal(f"{held}, and that would be lost", f"{ELSEWHERE}, or add --force")
        return content

    def _check_special(self, mode: int) -> None:
        if stat.S_ISDIR(mode):
            raise self._refusal("it is a directory")
        if stat.S_IFMT(mode) not in _STORES_NOTHING:
            raise self._refusal("it is a disk or a socket")

    def _check_folder(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise self._refusal("no such folder", f"mkdir -p {shlex.quote(str(path.parent))}, or {ELSEWHERE}")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise self._refusal("its folder is not yours to write in")

    def _refusal(self, reason: str, mend: str = ELSEWHERE) -> UsageError:
        return UsageError(f"cannot write {self.name}: {reason}", mend=mend)
