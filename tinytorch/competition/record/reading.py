"""Reading a submission goes in stages, which `parsing` takes one after the other; the first is the file itself."""

from __future__ import annotations

from pathlib import Path

from tinytorch.files import read_start, reason
from tinytorch.foreign import Foreign

LARGEST_FILE_BYTES = 8 * 2**20
OURS = "give the file that tito olympics submit wrote"

PLAIN = ("nesting", "numbers", "values")
JSON = ("json", "duplicate_keys", *PLAIN)
STAGES = ("file", "bundle", "size", "encoding", *JSON, "schema_version", "schema")

Numbers = dict[str, int | float | str | None]


class RefusedError(Exception):
    """A stage of reading that cannot be passed: which, why, how to mend it, and the numbers. Its texts may be shown."""

    def __init__(self, stage: str, message: str, mend: str = "", **numbers: int | float | str | None) -> None:
        super().__init__(message)
        self.stage, self.message, self.mend = stage, message, mend
        self.numbers: Numbers = numbers


class ForeignError(RefusedError):
    """The file is somebody else's: `words` say what."""

    def __init__(self, stage: str, found: Foreign) -> None:
        super().__init__(stage, f"this is {found.words}", found.mend or OURS, found=found.words)
        self.words = found.words


def read_submission(path: Path) -> bytes:
    """At most one byte more of `path` than a submission may have; RefusedError when it is no regular file."""
    try:
        return read_start(path, LARGEST_FILE_BYTES + 1)
    except OSError as error:
        if path.is_dir() and not any(path.glob("*.json")):
            raise RefusedError(
                "file", "this folder has no *.json", "name the folder that the submissions lie in"
            ) from None
        raise RefusedError("file", f"cannot be read: {reason(error)}") from None
