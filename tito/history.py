"""What a workspace remembers, in order: runs, attempts that failed, submissions. Light: read by `status`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

FileState = Literal["valid", "changed since", "gone", "replaced", "elsewhere"]


class Entry(BaseModel):
    """Something that happened at a time; a field of a newer version is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    created_at: AwareDatetime


class RunEntry(Entry):
    """A run that was recorded: the digest of its file, and enough to show it without opening that."""

    kind: Literal["run"] = "run"
    id: str
    task: str
    source: str
    scores: dict[str, float | None]
    sha256: str | None = None  # older entries have none


class FailureEntry(Entry):
    """An attempt to measure that did not end with a run."""

    kind: Literal["failure"] = "failure"
    source: str
    error: str


class SubmissionEntry(Entry):
    """A submission that was written: to an absolute path, or to `-` or a pipe, where nobody can look again."""

    kind: Literal["submission"] = "submission"
    id: str
    event: str
    run: str
    file: str
    trust: str
    sha256: str | None


_HISTORY = TypeAdapter(list[Annotated[RunEntry | FailureEntry | SubmissionEntry, Field(discriminator="kind")]])


def parse(content: bytes) -> list[Entry]:
    """The entries in a history's content, oldest first; ValueError when it is damaged."""
    return [*_HISTORY.validate_json(content)]


def unparse(entries: Iterable[Entry]) -> bytes:
    """The content of a history's file."""
    return _HISTORY.dump_json(list(entries), indent=1) + b"\n"  # type: ignore[arg-type]
