"""A student's file as cells of Python: a `.py` file is one, a notebook (`.ipynb`) has those that are to be exported."""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path
from typing import Any

from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason

ENDINGS = (".py", ".ipynb")
LARGEST_BYTES = 10_000_000
_EXPORTED = re.compile(r"^\s*#\s*\|\s*export[is]?\b", re.MULTILINE)
_MAGIC = re.compile(r"(\s*)(?:[%!?]|\w+\s*=\s*[%!]|.*\?\s*$)")
_AROUND_PYTHON = re.compile(r"%%(?:time|timeit|capture|prun)\b")  # what follows them in a cell is Python


@dataclass(frozen=True)
class Cell:
    """Python that is run in one go; `name` is what its lines are said to be of."""

    name: str
    text: str


def read_cells(path: Path) -> tuple[Cell, ...]:
    """What a student's file consists of; UsageError for one that is neither Python nor a notebook, or damaged."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path} is neither Python nor a notebook", mend=f"give a file that ends in {_or(ENDINGS)}")
    try:
        content = read_regular(path, LARGEST_BYTES, may_lead_out=True)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="give a Python file or a notebook") from error
    return _of_notebook(path, content) if path.suffix.lower() == ".ipynb" else (Cell(str(path), _text(path, content)),)


def without_magics(text: str) -> str:
    """A notebook's cell with `pass` where only a notebook understands a line; all lines keep their numbers.

    `100 % 7`, broken before the sign, is no magic: a line is one only where Python does not understand it.
    """
    lines = text.split("\n")
    if text.startswith("%%"):
        if not _AROUND_PYTHON.match(text):
            return ""
        lines[0] = ""
    for _ in range(len(lines)):
        found = _MAGIC.match(lines[number - 1]) if (number := _not_understood(lines)) else None
        if not found:
            break
        lines[number - 1] = f"{found[1]}pass"
    return "\n".join(lines)


def _not_understood(lines: list[str]) -> int:
    """The number of the first line that is no Python, 0 where all are."""
    with warnings.catch_warnings(action="ignore"):
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            return min(error.lineno or 0, len(lines))
    return 0


def _of_notebook(path: Path, content: bytes) -> tuple[Cell, ...]:
    try:
        match json.loads(content):
            case {"cells": list(found)}:
                texts = [_source(cell) for cell in found if isinstance(cell, dict) and cell.get("cell_type") == "code"]
            case _:
                raise ValueError("it has no list of cells")
    except (ValueError, RecursionError) as error:
        mend = "open it in Jupyter and save it once more"
        raise UsageError(f"{path} is no notebook of today's format: {error}", mend=mend) from error
    cells = [Cell(f"{path} (code cell {number})", text) for number, text in enumerate(texts, 1)]
    return tuple([cell for cell in cells if _EXPORTED.search(cell.text)] or cells)


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
