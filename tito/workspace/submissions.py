"""The submissions that a call names: files, folders, patterns, and what a shell gives through a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import Annotated

import typer

from tinytorch.errors import UsageError
from tito.workspace.documents import descriptor, read_descriptor

DEFAULT_FILE = "submission.json"
ENDS = (".json", ".zip")

Submissions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        help="Submissions or bundles; a folder stands for its *.json and *.zip, or for those of the folders in it.",
    ),
]


def expanded(names: Iterable[str], report: str) -> Iterator[str]:
    """The names, folders and patterns as the files that they stand for; one that stands for none is a finding.

    The last report, which is about to be replaced, is no submission though it lies among them.
    """
    for name in names:
        inside = sorted(_matching(name))
        yield from [path for path in inside if str(Path.cwd() / path) != report] or [name]


def read(name: str) -> bytes:
    """A file, or what the caller's own shell gives; one byte more than allowed, so that the check sees it.

    RefusedError for what cannot be read.
    """
    from tinytorch.competition.record.bundle import LARGEST_BUNDLE_BYTES, read_handed_in
    from tinytorch.competition.record.reading import RefusedError

    number = descriptor(name)
    if number is None:
        return read_handed_in(Path(name))
    try:
        return read_descriptor(number, LARGEST_BUNDLE_BYTES)
    except UsageError as error:
        raise RefusedError("file", error.message, error.mend) from None


def _matching(name: str) -> list[str]:
    """The files of a folder, or what matches a pattern that no shell has replaced; none for the name of a file.

    Where a folder has none itself, it is one of a platform that has a folder for each submission. Where it has some,
    but no submission.json, the submissions and bundles of the folders in it count, too.
    """
    if Path(name).is_dir():
        own = _handed_in(name, "*")
        if not own:
            return _handed_in(name, "*/*")
        is_one = (Path(name) / DEFAULT_FILE).exists()
        return own if is_one else [*own, *_files(name, f"*/{DEFAULT_FILE}"), *_files(name, "*/*.zip")]
    is_pattern = has_magic(name) and not Path(name).exists()
    return glob(name, recursive=True) if is_pattern else []  # noqa: PTH207 - Path.glob takes no absolute pattern


def _handed_in(folder: str, pattern: str) -> list[str]:
    """Submissions and bundles, by the ends of their names."""
    return [path for end in ENDS for path in _files(folder, f"{pattern}{end}")]


def _files(folder: str, pattern: str) -> list[str]:
    return list(map(str, Path(folder).glob(pattern)))
