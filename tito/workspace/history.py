"""What a workspace remembers, in order: runs, attempts that failed, submissions.

Plain dataclasses, because `status` reads them, and to load schemas takes longer than all else that it does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Literal

from tinytorch.competition.names import RUN_ID

FileState = Literal["valid", "changed since", "gone", "replaced", "elsewhere"]
Scores = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """How the ratios of a run's block pairs are spread: counts in equal bins (on the log scale) between two ratios."""

    lower: float
    upper: float
    counts: list[int]

    def __post_init__(self) -> None:
        ratios = _is_number(self.lower) and _is_number(self.upper)
        if not ratios or not all(isinstance(count, int) for count in self.counts):
            raise TypeError("blocks are two ratios and whole numbers")


_TYPES: dict[Any, type | tuple[type, ...]] = {
    "str": str, "str | None": (str, type(None)), "Scores": dict, "Blocks | None": (Blocks, type(None)),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something that happened at a time (ISO 8601). TypeError or ValueError for what no command ever wrote."""

    kind: ClassVar[str]
    created_at: str

    def __post_init__(self) -> None:
        datetime.fromisoformat(self.created_at)
        for field in fields(self):
            if not isinstance(getattr(self, field.name), _TYPES[field.type]):
                raise TypeError(f"{field.name} is no {field.type}")

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class RunLine(Line):
    """A run that was recorded: the digest of its file, and enough to show it without opening that."""

    kind: ClassVar[str] = "run"
    id: str
    task: str
    source: str
    scores: Scores
    sha256: str | None = None  # older entries have none
    blocks: Blocks | None = None  # ... nor these
    machine: str | None = None  # "quiet", "disturbed" or "not known"; older entries do not say

    def __post_init__(self) -> None:
        super().__post_init__()
        if not RUN_ID.fullmatch(self.id):
            raise ValueError("a run's id is none, and would name some other file")
        if not all(score is None or _is_number(score) for score in self.scores.values()):
            raise TypeError("a score is a number, or there is none")


@dataclass(frozen=True, kw_only=True)
class FailureLine(Line):
    """An attempt to measure that did not end with a run."""

    kind: ClassVar[str] = "failure"
    source: str
    error: str
    task: str = ""  # older entries have none

    @property
    def outcome(self) -> str:
        """What became of it."""
        return "was interrupted" if self.error == KeyboardInterrupt.__name__ else "failed"


@dataclass(frozen=True, kw_only=True)
class SubmissionLine(Line):
    """A submission that was written: to an absolute path, or to `-` or a pipe, where nobody can look again."""

    kind: ClassVar[str] = "submission"
    id: str
    event: str
    run: str
    file: str
    trust: str
    sha256: str | None


_KINDS: dict[str, type[Line]] = {kind.kind: kind for kind in (RunLine, FailureLine, SubmissionLine)}


def parse(content: bytes) -> list[Line]:
    """The entries in a history's content, oldest first; ValueError when it is damaged."""
    document = json.loads(content)
    if not isinstance(document, list):
        raise ValueError("a history is a list")
    try:
        return [_entry(raw) for raw in document]
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(str(error)) from error


def unparse(entries: Iterable[Line]) -> bytes:
    """The content of a history's file."""
    return json.dumps([entry.as_dict() for entry in entries], indent=1).encode() + b"\n"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def _entry(raw: dict[str, Any]) -> Line:
    """An entry from JSON; a field of a newer version is passed over."""
    kind = _KINDS[raw["kind"]]
    known = {field.name for field in fields(kind)}
    values = {name: value for name, value in raw.items() if name in known}
    if values.get("blocks") is not None:
        values["blocks"] = Blocks(**values["blocks"])
    return kind(**values)
