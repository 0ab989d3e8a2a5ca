"""A folder of verifications, each in a file that its id names: what is finished there is not done again."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinytorch.competition.checks.verified import LARGEST_BYTES, Verification, parse_verification
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, read_regular, reason
from tito.terminal import screen
from tito.workspace.lock import HeldError, Lock

SECRET, SECRET_BYTES, LARGEST_SECRET_BYTES = ".secret", 32, 1_000
LOCK_LIMIT_S = 2.0
ELSEWHERE = "name another folder with -o"


class Verified:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nobody else verifies into it: two at once would also disturb each other's times. UsageError if so."""
        lock = Lock(self.folder / ".lock", LOCK_LIMIT_S)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except HeldError:
            message = f"{self.folder} is in use: another call verifies"
            raise UsageError(message, mend="wait until it has ended") from None
        except OSError as error:
            raise self._refusal(error) from error
        try:
            yield
        finally:
            lock.release()

    def secret(self) -> bytes:
        """What the seeds of this folder's referee follow from: drawn once, and for nobody else to read.

        UsageError where it cannot be kept, or is damaged.
        """
        path = self.folder / SECRET
        try:
            if not os.path.lexists(path):
                path.touch(0o600, exist_ok=False)
                atomic_write(path, secrets.token_hex(SECRET_BYTES).encode())  # which keeps its mode
            found = read_regular(path, LARGEST_SECRET_BYTES)
        except OSError as error:
            raise self._refusal(error) from error
        if len(found) != 2 * SECRET_BYTES:
            raise UsageError(f"{path} is damaged: seeds follow from it", mend=f"remove it, or {ELSEWHERE}")
        return found

    def finished(self, id_: str) -> Verification | None:
        """What is known of that work; None where it must be done: not yet, not to the end, or the file is damaged."""
        path = self._path(id_)
        if not path.exists():
            return None
        try:
            found = _read(path)
        except UsageError as error:
            screen.say(f"warning: {error.message}; it is verified again")
            return None
        return found if found.is_finished and found.id == id_ else None

    def write(self, verification: Verification) -> None:
        """Keep it, in place of what an earlier call knew. UsageError where that cannot be done."""
        try:
            atomic_write(self._path(verification.id), verification.text().encode())
        except OSError as error:
            raise self._refusal(error) from error

    def all(self) -> Iterator[Verification]:
        """Every verification in the folder, by its name; a file that is none, or damaged, is told and passed over.

        UsageError where there is none at all.
        """
        found = 0
        for path in sorted(self.folder.glob("*.json")):
            try:
                each = _read(path)
            except UsageError as error:
                screen.say(f"warning: {error.message}; it is passed over")
                continue
            found += 1
            yield each
        if not found:
            mend = f"verify the entries first: tito olympics verify FOLDER -o {shlex.quote(str(self.folder))}"
            raise UsageError(f"there is no record of a verification in {self.folder}", mend=mend)

    def _refusal(self, error: OSError) -> UsageError:
        why = "it is a file, and a folder is wanted" if self.folder.is_file() else reason(error)
        return UsageError(f"cannot write into {self.folder}: {why}", mend=ELSEWHERE)

    def _path(self, id_: str) -> Path:
        return self.folder / f"{id_}.json"


def _read(path: Path) -> Verification:
    try:
        return parse_verification(str(path), read_regular(path, LARGEST_BYTES))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="remove it, and verify again") from error
