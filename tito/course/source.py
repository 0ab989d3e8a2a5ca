"""A student's file as cells of Python: a `.py` file is one, a notebook (`.ipynb`) has those that are to be exported."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path
from textwrap import dedent
from typing import Any

from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason

ENDINGS = (".py", ".ipynb")
LARGEST_BYTES = 10_000_000
_EXPORTED = re.compile(r"^\s*#\s*(?:\|\s*export[is]?(?=\s|$)|export[is]?\s*$)", re.MULTILINE)  # nbdev 2, and 1
_MAGIC = re.compile(r"(\s*)(?:[%!?]|[\w.,\s]+=\s*[%!]|.*\?\s*$)")
_AROUND_PYTHON = re.compile(r"%%(?:time|timeit|capture|prun)\b")  # what follows them in a cell is Python


@dataclass(frozen=True)
class Cell:
    """Python that is run in one go, unless it is not `exported`; `name` is what its lines are said to be of."""

    name: str
    text: str
    exported: bool = True


def read_cells(path: Path) -> tuple[Cell, ...]:
    """What a student's file consists of; UsageError for one that is neither Python nor a notebook, or damaged."""
    if not is_readable(path):
        raise UsageError(f"{path} is neither Python nor a notebook", mend=f"give a file that ends in {_or(ENDINGS)}")
    try:
        content = read_regular(path, LARGEST_BYTES, may_lead_out=True)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="give a Python file or a notebook") from error
    return _of_notebook(path, content) if is_notebook(path) else (Cell(str(path), _text(path, content)),)


def is_readable(path: Path) -> bool:
    """Whether a file's name ends as Python's or a notebook's does."""
    return path.suffix.lower() in ENDINGS


def is_notebook(path: Path) -> bool:
    """Whether a file's name ends as a notebook's does."""
    return path.suffix.lower() == ".ipynb"


def without_magics(text: str) -> str:
    """A notebook's cell with `pass` where only a notebook understands a line; all lines keep their numbers.

    `100 % 7`, broken before the sign, is no magic: a line is one only where Python does not understand it.
    """
    lines = dedent(text).split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if not _AROUND_PYTHON.match(lines[first]):
            return ""
        lines[first] = ""
    for _ in range(len(lines)):
        found = _MAGIC.match(lines[number - 1]) if (number := _not_understood(lines)) else None
        if not found:
            break
        _leave_out(lines, number - 1, f"{found[1]}pass")
    return "\n".join(lines)


def _leave_out(lines: list[str], place: int, instead: str) -> None:
    """A line, and those that it goes on in."""
    while lines[place].endswith("\\") and place + 1 < len(lines):
        lines[place], instead, place = instead, "", place + 1
    lines[place] = instead


def _not_understood(lines: Sequence[str]) -> int:
    """The number of the first line that is no Python, 0 where all are."""
    with warnings.catch_warnings(action="ignore"):
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            return min(error.lineno or 0, len(lines))
        except (ValueError, RecursionError):  # which compiling tells with the cell's name
            return 0
    return 0


def _of_notebook(path: Path, content: bytes) -> tuple[Cell, ...]:
    try:
        match json.loads(content, parse_int=str):  # of any length: no number in it is looked at
            case {"cells": list(found)}:
                texts = [_source(cell) for cell in found if isinstance(cell, dict) and cell.get("cell_type") == "code"]
            case _:
                raise ValueError("it has no list of cells")
    except RecursionError:
        raise _damaged(path, "it is nested too deeply") from None
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    marked = [_EXPORTED.search(text) is not None for text in texts]
    names = [f"{path} (code cell {number})" for number in range(1, len(texts) + 1)]
    exported = marked if any(marked) else [True] * len(texts)
    return tuple(map(Cell, names, texts, exported))


def _damaged(path: Path, why: str) -> UsageError:
    mend = "open it in Jupyter and save it once more, or take an older copy of it"
    return UsageError(f"{path} is no notebook of today's format: {why}", mend=mend)


def _source(cell: dict[str, Any]) -> str:
    """A cell's text, which is kept as one piece or as lines."""
    match cell.get("source"):
        case str(text):
            return text
        case list(lines) if all(isinstance(line, str) for line in lines):
            return "".join(lines)
    raise ValueError("a code cell has no text")


def _text(path: Path, content: bytes) -> str:
    try:
        return decode_source(content)
    except (SyntaxError, ValueError, LookupError) as error:
        raise UsageError(f"{path} is no text: {error}", mend="save it once more, as UTF-8") from error


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words)
