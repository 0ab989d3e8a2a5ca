"""When files were handed in: as a platform says, else as the file's system does; never as the file says itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tinytorch.competition.grading.tables import rows
from tinytorch.errors import UsageError
from tinytorch.text import safe_text

EXAMPLE = "a line of headings, file,time and then ada.json,2026-12-15T17:03:00Z"
MEND = "write it as 2026-12-15T17:03:00Z, with the zone"

Times = dict[str, datetime]  # by the name of a file, without its folder


def read_times(path: Path) -> Times:
    """The times in a CSV file with the columns file and time; UsageError says what is wrong with it."""
    found: Times = {}
    for line, (file, time) in rows(path, ("file", "time"), EXAMPLE):
        name = Path(file).name
        if name in found:
            mend = "give each file a name of its own, and one line"
            raise UsageError(f"{path}: line {line}: {safe_text(name)} was named before", mend=mend)
        try:
            found[name] = moment(time)
        except UsageError as error:
            raise UsageError(f"{path}: line {line}: {error.message}", mend=error.mend) from error
    return found


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


def handed_in(source: str, times: Times) -> datetime | None:
    """When a file was handed in; None where nobody knows."""
    name = Path(source).name
    if name in times:
        return times[name]
    try:
        return datetime.fromtimestamp(Path(source).stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None
