"""The key file of an instructor: which pseudonym stands for whom. It is kept, so that everybody keeps theirs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from tinytorch.competition.grading.hidden import new_pseudonyms
from tinytorch.competition.grading.tables import rows
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, reason
from tito.terminal import screen

COLUMNS = {name: (name,) for name in ("pseudonym", "key", "name")}
EXAMPLE = "a line of headings, pseudonym,key,name; or leave the file out, and it is made"
BETWEEN_MEMBERS = " + "


def pseudonyms(path: Path, athletes: Mapping[str, str]) -> dict[str, str]:
    """A pseudonym for each athlete, by their key: the one that the file has, or a new one that it has from now on.

    UsageError where the file cannot be read, or not be written.
    """
    lines = [cells for _, cells in rows(path, COLUMNS, EXAMPLE)] if path.exists() else []
    known = {key: pseudonym for pseudonym, key, _ in lines}
    fresh = new_pseudonyms(set(known.values()))
    added = [[next(fresh), _written(key), name] for key, name in athletes.items() if _written(key) not in known]
    if added:
        _write(path, [*lines, *added])
        screen.say(f"new pseudonyms: {len(added)}; whose they are stands in {path}, which is yours to keep")
    known |= {key: pseudonym for pseudonym, key, _ in added}
    return {key: known[_written(key)] for key in athletes}


def _written(key: str) -> str:
    return key.replace("\n", BETWEEN_MEMBERS)


def _write(path: Path, lines: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(COLUMNS), *lines])
    try:
        atomic_write(path, text.getvalue().encode())
    except OSError as error:
        mend = "name another file with --key FILE"
        raise UsageError(f"cannot write the key file {path}: {reason(error)}", mend=mend) from error
