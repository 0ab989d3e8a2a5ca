"""The file itself: only a regular one is opened, and never more of it is read than a submission may have.

Here are also the pages of the manual for every step of reading, which `parsing` takes one after the other.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from tinytorch.competition.findings import Finding, Page, failed
from tinytorch.text import safe_text

LARGEST_FILE_BYTES = 8 * 2**20
WRITE_WITH_SUBMIT = "write the file with tito olympics submit, and send it as it is"

FILE = Page(
    "file",
    "The file is a regular one that can be read.",
    "A pipe or a device may never end, and a link that leads out of its folder may lead to somebody else's file.",
    "give the path of a submission.json itself; to read from a pipe, give - as the file",
)
SIZE = Page(
    "size",
    f"The file has at most {LARGEST_FILE_BYTES:,} bytes.",
    "The longest tier needs a fraction of that; more is no measurement, and would cost the reader memory.",
    "measure with one of the shipped tiers: tito olympics benchmark",
)
ENCODING = Page(
    "encoding",
    "The file is UTF-8 text without a byte order mark.",
    "JSON is exchanged as UTF-8 (RFC 8259); another encoding shows other characters to other readers.",
    "save it as UTF-8 without BOM, or " + WRITE_WITH_SUBMIT,
)
SYNTAX = Page(
    "json",
    "The text is one JSON document.",
    "A file that was cut off or edited by hand cannot be read at all.",
    WRITE_WITH_SUBMIT,
)
DUPLICATE_KEYS = Page(
    "duplicate_keys",
    "No object has the same key twice.",
    "Readers disagree which of the two values counts, so a file could show one number and mean another.",
    WRITE_WITH_SUBMIT,
)
NESTING = Page(
    "nesting",
    "No value lies deeper than a submission needs.",
    "Deep nesting has no meaning here and can exhaust a reader's stack.",
    WRITE_WITH_SUBMIT,
)
NUMBERS = Page(
    "numbers",
    "Every number is finite and fits 64 bits.",
    "NaN and infinity compare with nothing, and larger integers are not the same number to every reader.",
    "leave out what was not measured (null), and measure the rest again",
)
VALUES = Page(
    "values",
    "Values are plain, and neither too many nor too long.",
    "A submission has a known size; a flood of values or an endless text is an attack or an accident.",
    "give what json.load reads from the file that tito olympics submit wrote",
)
VERSION = Page(
    "schema_version",
    "The file names a version of the schema that is known here.",
    "Older versions are migrated; a newer one may mean something that this program does not know.",
    "install the newest tinytorch-olympics",
)
SCHEMA = Page(
    "schema",
    "Every field is there, has its type and its range, and none is unknown.",
    "What is not in the schema is checked by nobody, so it has no place in the file.",
    "compare with tito olympics schema, or " + WRITE_WITH_SUBMIT,
)

PLAIN = (NESTING, NUMBERS, VALUES)
JSON = (SYNTAX, DUPLICATE_KEYS, *PLAIN)
PAGES = (FILE, SIZE, ENCODING, *JSON, VERSION, SCHEMA)
_BY_ID = {page.id: page for page in PAGES}


class RefusedError(Exception):
    """A step of reading that cannot be made: which one, why, and the numbers; the message is safe to show."""

    def __init__(self, step: str, message: str, mend: str = "", **evidence: int | float | str | None) -> None:
        super().__init__(message)
        self.page = _BY_ID[step]
        self.outcome = replace(failed(message, **evidence), mend=mend)  # without one, the page's

    def finding(self) -> Finding:
        """The finding of the step that refused."""
        return self.page.finding(self.outcome)


def read_regular(path: Path) -> bytes:
    """At most one byte more of `path` than a submission may have; RefusedError when it is no regular file.

    A symbolic link is followed inside its own folder only. A pipe is opened without waiting for its other end.
    """
    try:
        target = _inside_its_folder(path)
        _check_regular(target.stat().st_mode)  # before it is opened, because opening can make a device act
        handle = os.open(target, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:  # noqa: PTH123 - a handle that was opened without waiting
            _check_regular(os.fstat(handle).st_mode)  # what was opened may no longer be what was looked at
            return file.read(LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # a null character in the path; a link to itself
        reason = error.strerror if isinstance(error, OSError) and error.strerror else safe_text(str(error))
        raise RefusedError("file", f"cannot be read: {reason}") from None


def _inside_its_folder(path: Path) -> Path:
    if not path.is_symlink():
        return path
    folder, target = path.parent.resolve(), path.resolve(strict=True)
    if not target.is_relative_to(folder):
        raise RefusedError("file", f"a link that leads out of its folder, to {safe_text(str(target))!r}")
    return target


def _check_regular(mode: int) -> None:
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe (FIFO)", stat.S_IFSOCK: "a socket"}
    if not stat.S_ISREG(mode):
        kind = kinds.get(stat.S_IFMT(mode), "a device")
        raise RefusedError("file", f"not a regular file: {kind}", kind=kind)
