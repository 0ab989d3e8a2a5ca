"""A folder of verifications, each in a file that its id names: what is finished there is not done again."""

from __future__ import annotations

import errno
import os
import secrets
import shlex
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from tinytorch.competition.checks.shift import LARGEST_BYTES as LARGEST_SHIFT_BYTES
from tinytorch.competition.checks.shift import Shift, parse_shift
from tinytorch.competition.checks.verified import LARGEST_BYTES, Verification, parse_verification
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, read_regular, reason, sha256
from tinytorch.showing import safe_text
from tito.terminal import screen

SECRET, SECRET_BYTES, LARGEST_SECRET_BYTES = ".secret", 32, 1_000
PROBE = ".writable"
CHANGED = "is not the file that a machine wrote"
SHIFTS = "shifts"  # the folder of what machines did
ELSEWHERE = "name another folder with -o"

NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK}  # hard ones


class Verified:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """The folder itself; UsageError where there can be none, or nothing can be written into it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(self.folder / PROBE, b"")
            (self.folder / PROBE).unlink(missing_ok=True)
        except OSError as error:
            raise self.refusal(error) from error

    @property
    def is_shared(self) -> bool:
        """Whether machines have written here what they did."""
        return (self.folder / SHIFTS).is_dir()

    def secret(self) -> bytes:
        """What the seeds of this folder's referee follow from: drawn once, and for nobody else to read.

        UsageError where it cannot be kept, or is damaged.
        """
        path = self.folder / SECRET
        try:
            if not os.path.lexists(path):
                _make_once(path, secrets.token_hex(SECRET_BYTES).encode())
            found = read_regular(path, LARGEST_SECRET_BYTES)
        except OSError as error:
            raise self.refusal(error) from error
        if len(found) != 2 * SECRET_BYTES:
            raise UsageError(f"{path} is damaged: seeds follow from it", mend=f"remove it, or {ELSEWHERE}")
        return found

    def finished(self, id_: str) -> Verification | None:
        """What is known of that work; None where it must be done: not yet, not to the end, or the file is damaged."""
        path = self._path(id_)
        if not path.exists():
            return None
        if path.is_dir():
            raise UsageError(f"{path} is a folder, where a record belongs", mend="remove it, and verify again")
        try:
            content = _content(path, LARGEST_BYTES)
            found = parse_verification(safe_text(str(path), 300), content)
        except UsageError as error:
            screen.say(f"warning: {error.message}; it is verified again")
            return None
        if not found.is_finished or found.id != id_:
            return None
        if self._is_changed(id_, content):
            screen.say(f"warning: {safe_text(str(path), 300)} {CHANGED}; it is verified again")
            return None
        return found

    def _is_changed(self, id_: str, content: bytes) -> bool:
        """Whether machines wrote down that they made this record, and made another file."""
        written = self._written.get(id_)
        return written is not None and sha256(content) not in written

    @cached_property
    def _written(self) -> dict[str, set[str]]:
        """By the id of a record the digests that machines wrote down before this call."""
        found = defaultdict[str, set[str]](set)
        for shift in self.shifts():
            for id_, digest in shift.records.items():
                found[id_].add(digest)
        return found

    def contents(self) -> Iterator[tuple[Path, bytes, Verification]]:
        """Every verification in the folder, by its name; a file that is none, or damaged, is told and passed over."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                content = _content(path, LARGEST_BYTES)
                yield path, content, parse_verification(safe_text(str(path), 300), content)
            except UsageError as error:
                screen.say(f"warning: {error.message}; it is passed over")

    def keep(self, name: str, content: bytes) -> None:
        """Write a file in this folder. UsageError where that cannot be done."""
        path = self.folder / name
        try:
            path.parent.mkdir(exist_ok=True)
            atomic_write(path, content)
        except OSError as error:
            raise self.refusal(error) from error

    def keep_shift(self, shift: Shift) -> None:
        """What a machine did, where it belongs."""
        self.keep(f"{SHIFTS}/{shift.id}.json", shift.text().encode())

    def all(self) -> Iterator[Verification]:
        """The verifications alone; UsageError where there is none at all."""
        found = 0
        for path, content, each in self.contents():
            if self._is_changed(each.id, content):
                screen.say(f"warning: {safe_text(str(path), 300)} {CHANGED}; it is passed over")
                continue
            found += 1
            yield each
        if not found:
            mend = f"verify the entries first: tito olympics verify FOLDER -o {shlex.quote(str(self.folder))}"
            raise UsageError(f"there is no record of a verification in {self.folder}", mend=mend)

    def shifts(self) -> Iterator[Shift]:
        """What machines did of a class, by the name of the file; one that is none, or damaged, is told, passed over."""
        for path in sorted((self.folder / SHIFTS).glob("*.json")):
            try:
                yield parse_shift(safe_text(str(path), 300), _content(path, LARGEST_SHIFT_BYTES))
            except UsageError as error:
                screen.say(f"warning: {error.message}; it is passed over")

    def damaged_shifts(self, known: int) -> list[str]:
        """In a sentence, that files of shifts could not be read, where there are more than are known."""
        lost = len([*(self.folder / SHIFTS).glob("*.json")]) - known
        return [f"of the files in {SHIFTS} {lost} cannot be read: what was done is not known"] if lost else []

    def refusal(self, error: OSError) -> UsageError:
        """Why nothing can be kept here."""
        why = "it is a file, and a folder is wanted" if self.folder.is_file() else reason(error)
        return UsageError(f"cannot write into {self.folder}: {why}", mend=ELSEWHERE)

    def _path(self, id_: str) -> Path:
        return self.folder / f"{id_}.json"


def _make_once(path: Path, content: bytes) -> None:
    """A file for nobody else to read; of several machines that make it at once one does, and none sees a half."""
    whole = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    whole.touch(0o600, exist_ok=False)
    try:
        whole.write_bytes(content)
        try:
            path.hardlink_to(whole)
        except FileExistsError:
            pass  # another machine was first
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            whole.replace(path)  # two at once may differ then
    finally:
        whole.unlink(missing_ok=True)


def _content(path: Path, limit_bytes: int) -> bytes:
    try:
        return read_regular(path, limit_bytes)
    except OSError as error:
        message = f"cannot read {safe_text(str(path), 300)}: {reason(error)}"
        raise UsageError(message, mend="remove it, and verify again") from error
