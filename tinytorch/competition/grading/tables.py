"""Tables that an instructor's platform writes: CSV with a line of headings, in UTF-8, also with Excel's mark (BOM)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason
from tinytorch.text import is_blank, is_safe, safe_text

LARGEST_TABLE_BYTES = 4_000_000
MOST_ROWS = 50_000


def rows(path: Path, columns: Sequence[str], example: str) -> Iterator[tuple[int, list[str]]]:
    """The number of each line that is not empty, and its cells of these columns; others are passed over.

    UsageError where the file cannot be read, has no such columns or a cell that is empty or cannot be shown.
    """
    mend = f"write it like this: {example}"
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        places = _places(path, next(reader, []), columns, mend)
        for number, row in enumerate(reader):
            if number > MOST_ROWS:
                raise UsageError(f"{path}: more than {MOST_ROWS:,} lines", mend="give the table of one class")
            if any(map(str.strip, row)):
                yield reader.line_num, list(_cells(path, reader.line_num, row, places))
    except csv.Error as error:
        raise UsageError(f"{path}: line {reader.line_num} is no CSV: {error}", mend=mend) from error


def _text(path: Path) -> str:
    try:
        return read_regular(path, LARGEST_TABLE_BYTES, may_lead_out=True).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: byte {error.start}", mend="save it as CSV UTF-8") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="give a CSV file that you can read") from error


def _places(path: Path, headings: Sequence[str], columns: Sequence[str], mend: str) -> dict[str, int]:
    known = [heading.strip().casefold() for heading in headings]
    missing = [column for column in columns if known.count(column) != 1]
    if missing:
        raise UsageError(f"{path}: its first line names no column {missing[0]!r}, or several", mend=mend)
    return {column: known.index(column) for column in columns}


def _cells(path: Path, line: int, row: Sequence[str], places: dict[str, int]) -> Iterator[str]:
    for column, place in places.items():
        cell = row[place].strip() if place < len(row) else ""
        if is_blank(cell) or not is_safe(cell):
            shown = "is empty" if is_blank(cell) else f"cannot be shown: {safe_text(cell, 60)}"
            raise UsageError(f"{path}: line {line}: {column} {shown}", mend="mend the line, or leave it out")
        yield cell
