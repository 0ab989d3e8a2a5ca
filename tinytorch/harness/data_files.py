"""The data files beside an entry that it names: what its source calls by a relative path comes along with it."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path, PurePosixPath

from tinytorch.competition.names import MOST_DATA_FILES
from tinytorch.competition.record.bundle import LARGEST_BUNDLE_BYTES
from tinytorch.files import everything_below, read_regular
from tinytorch.harness.helpers import parsed

LONGEST_TEXT = 200  # bytes
MOST_LOOKED_AT = 10_000
NEVER_DATA = {".py", ".pyc"}
_PLAIN = re.compile(r"[\w. -]+(/[\w. -]+)*")
_IN_BRACES = "*"  # what stands for the part of an f-string that is computed


def data_files(folder: Path, sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """Path from `folder` -> content of the data files there that the sources name, as far as they fit in a bundle.

    A text in a source names a file, or a folder with all files in it; an f-string names what it may come to.
    """
    found: dict[str, bytes] = {}
    room_bytes = LARGEST_BUNDLE_BYTES - sum(map(len, sources.values()))
    for path in _named(folder, sources):
        if len(found) == MOST_DATA_FILES:
            break
        with contextlib.suppress(OSError):  # it does not fit, or is no regular file of this folder
            found[str(path.relative_to(folder))] = content = read_regular(path, max(0, room_bytes))
            room_bytes -= len(content)
    return found


def _named(folder: Path, sources: Mapping[str, bytes]) -> list[Path]:
    found: dict[Path, None] = {}
    for text in dict.fromkeys(text for source in sources.values() for text in _texts(source)):
        with contextlib.suppress(OSError):  # it is no name, or nothing that we may look at
            for path in _matching(folder, text):
                found |= dict.fromkeys(_files_at(path))
    return [path for path in found if str(path.relative_to(folder)) not in sources]


def _texts(source: bytes) -> Iterator[str]:
    """Texts in a source that may name a file; the computed parts of an f-string are a star."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # told when it is imported
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else _IN_BRACES for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _matching(folder: Path, text: str) -> Iterable[Path]:
    """What a text names below a folder; nothing for one that leads out, and for one that names everything.

    What is computed stands for any letters of the last part alone: of a whole path it could stand for too much.
    """
    text = text.removeprefix("./").rstrip("/")
    if (
        not text.strip("*./ ")
        or len(text.encode("utf-8", "surrogatepass")) > LONGEST_TEXT
        or not _PLAIN.fullmatch(text.replace(_IN_BRACES, "x"))
    ):
        return []
    *above, last = PurePosixPath(text).parts
    if any(part.startswith(".") for part in (*above, last)):
        return []
    inside = folder.joinpath(*above)
    if _IN_BRACES not in last:
        return [inside / last]
    return sorted(each for each in islice(inside.iterdir(), MOST_LOOKED_AT) if fnmatchcase(each.name, last))


def _files_at(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield from [path] if _is_data(path) else []
        return
    inside = sorted(Path(each.path) for each in islice(everything_below(path), MOST_LOOKED_AT))
    yield from (each for each in inside if _is_data(each) and not _is_hidden(each.relative_to(path)))


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix not in NEVER_DATA


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "__")) for part in path.parts)
