"""Tables that an instructor's platform writes: CSV with a line of headings, in UTF-8, also with Excel's mark (BOM)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason
from tinytorch.foreign import foreign_file
from tinytorch.showing import is_blank, is_safe, safe_text

LARGEST_TABLE_BYTES = 4_000_000
MOST_ROWS = 50_000
SEPARATORS = (",", ";", "\t")


def rows(path: Path, columns: Mapping[str, Sequence[str]], example: str) -> Iterator[tuple[int, list[str]]]:
    """The number of each line that is not empty, and its cells of the columns, which may have several headings.

    Cells are separated by commas, semicolons or tabs, whichever the headings are. UsageError where the file cannot be
    read, has no such columns or a cell that cannot be shown.
    """
    text, mend = _text(path), f"write it like this: {example}"
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count), strict=True)
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
        content = read_regular(path, LARGEST_TABLE_BYTES, may_lead_out=True)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if found := foreign_file(content):
            raise UsageError(f"{path} is {found.words}, not a table", mend=found.mend or "give a CSV file") from error
        raise UsageError(f"{path} is not UTF-8: byte {error.start}", mend="save it as CSV UTF-8") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="give a CSV file that you can read") from error


def _places(path: Path, headings: Sequence[str], columns: Mapping[str, Sequence[str]], mend: str) -> dict[str, int]:
    """Where each column stands, by the first of its headings that there is."""
    known = [" ".join(heading.casefold().split()) for heading in headings]
    found = {}
    for column, names in columns.items():
        there = [name for name in names if name in known]
        if not there or known.count(there[0]) > 1:
            word = "two columns" if there else "no column"
            if not headings:
                raise UsageError(f"{path} is empty", mend=mend)
            shown = safe_text(", ".join(headings), 100)
            raise UsageError(f"{path}: its headings are {shown}: {word} {(there or names)[0]!r}", mend=mend)
        found[column] = known.index(there[0])
    return found


def _cells(path: Path, line: int, row: Sequence[str], places: dict[str, int]) -> Iterator[str]:
    for column, place in places.items():
        cell = row[place].strip() if place < len(row) else ""
        if not is_safe(cell):
            shown = f"{column} cannot be shown: {safe_text(cell, 60)}"
            raise UsageError(f"{path}: line {line}: {shown}", mend="mend the line, or leave it out")
        yield "" if is_blank(cell) else cell


def filled(path: Path, line: int, column: str, cell: str) -> str:
    """A cell that must not be empty; UsageError where it is."""
    if not cell:
        raise UsageError(f"{path}: line {line}: {column} is empty", mend="mend the line, or leave it out")
    return cell
