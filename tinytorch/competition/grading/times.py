"""When files were handed in: as a platform says, else as the file's system does; never as the file says itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import takewhile
from pathlib import Path, PurePath
from typing import Self
from unicodedata import normalize

from tinytorch.competition.grading.tables import filled, rows
from tinytorch.errors import UsageError
from tinytorch.showing import safe_text

EXAMPLE = "a line of headings, file,time and then ada.json,2026-12-15T17:03:00Z"
COLUMNS = {"file": ("file", "filename", "file name"), "time": ("time", "submitted", "submission time")}
MEND = "write it as 2026-12-15T17:03:00Z, with the zone"

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Times:
    """What a platform says of files, by their paths, of which the last parts count: a folder may lie elsewhere now."""

    known: dict[Parts, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Mapping[Parts, datetime]) -> Self:
        """Without the folders that all paths have in common, which lie elsewhere now."""
        levels = zip(*(parts[:-1] for parts in found), strict=False)  # up to the shortest
        common = len(list(takewhile(lambda level: len(set(level)) == 1 < len(level), levels)))
        return cls({parts[common:]: time for parts, time in found.items()})

    def received(self, source: str) -> datetime | None:
        """When the platform received a file; None where it says nothing, or the same of several."""
        found = self._alike(source)
        return self.known[found[0]] if len(found) == 1 else None

    def received_s(self, source: str) -> float | None:
        """The same in seconds since 1970."""
        found = self.received(source)
        return None if found is None else found.timestamp()

    def _alike(self, source: str) -> list[Parts]:
        """The paths that end as a file's does, as far as both go; of several the longest."""
        if not self.known:
            return []
        path = _parts(source)
        named = [each for each in self._by_name.get(path[-1:], []) if _end_alike(path, each)]
        longest = max((min(len(path), len(each)) for each in named), default=0)
        return [each for each in named if min(len(path), len(each)) == longest]

    @cached_property
    def _by_name(self) -> dict[Parts, list[Parts]]:
        found = defaultdict[Parts, list[Parts]](list)
        for each in self.known:
            found[each[-1:]].append(each)
        return found

    def unmatched(self, sources: Iterable[str]) -> tuple[list[str], list[str]]:
        """Which files are named and not there, and which are there without a time."""
        files = list(sources)
        seen = {parts for source in files for parts in self._alike(source)}
        absent = ["/".join(parts) for parts in self.known if parts not in seen]
        return absent, [source for source in files if self.known and self.received(source) is None]

    def handed_in(self, source: str) -> datetime | None:
        """When the platform received a file, else the time of the file on this disk; None where nobody knows."""
        received = self.received(source)
        if received is not None:
            return received
        try:
            return datetime.fromtimestamp(Path(source).stat().st_mtime, UTC)
        except (OSError, ValueError, OverflowError):
            return None


def read_times(path: Path) -> Times:
    """The times in a CSV file with the columns file and time; UsageError says what is wrong with it."""
    found: dict[Parts, datetime] = {}
    for line, (file, time) in rows(path, COLUMNS, EXAMPLE):
        parts = _parts(filled(path, line, "file", file))
        if parts in found:
            raise UsageError(f"{path}: line {line}: {safe_text(file)} was named before", mend="give each file one line")
        try:
            found[parts] = moment(filled(path, line, "time", time))
        except UsageError as error:
            raise UsageError(f"{path}: line {line}: {error.message}", mend=error.mend) from error
    return Times.of(found)


def _parts(path: str) -> Parts:
    """A path as its parts, in one form of Unicode."""
    return PurePath(normalize("NFC", path)).parts


def _end_alike(first: Parts, second: Parts) -> bool:
    shorter = min(len(first), len(second))
    return first[-shorter:] == second[-shorter:]


def moment(text: str) -> datetime:
    """A moment in ISO 8601 with its zone; UsageError for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{safe_text(text, 60)} is no time", mend=MEND) from error
    return zoned(found)


def zoned(found: datetime) -> datetime:
    """A moment that has its zone, in UTC; UsageError for one without."""
    if found.tzinfo is None:
        raise UsageError(f"{found.isoformat()} has no time zone", mend=MEND)
    try:
        return found.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise UsageError(f"{found.isoformat()} is no time that can be told everywhere", mend=MEND) from error
