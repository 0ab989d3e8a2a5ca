"""The key file of an instructor: which pseudonym stands for whom. It is kept, so that everybody keeps theirs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from tinytorch.competition.formats.leaderboard import cell
from tinytorch.competition.grading.hidden import new_pseudonyms
from tinytorch.competition.grading.tables import rows
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, reason
from tinytorch.lock import HeldError, Lock
from tito.terminal import screen

COLUMNS = {name: (name,) for name in ("pseudonym", "key", "name")}
EXAMPLE = "a line of headings, pseudonym,key,name; or leave the file out, and it is made"
BETWEEN_MEMBERS = " + "
LOCK_LIMIT_S = 10.0
ELSEWHERE = "name another file with --key FILE"


def pseudonyms(path: Path, athletes: Mapping[str, str]) -> dict[str, str]:
    """A pseudonym for each athlete, by their key: the one that the file has, or a new one that it has from now on.

    UsageError where the file cannot be read, or not be written; one board at a time writes.
    """
    try:
        place = path.resolve()
        with Lock(place.with_name(f".{place.name}.lock"), LOCK_LIMIT_S):
            return _known_and_new(place, athletes)
    except HeldError as error:
        told = f"the key file {path} is held by another board{error.words and f' ({error.words})'}"
        raise UsageError(told, mend="try again when it is done") from error
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        words = reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot write the key file {str(path)!a}: {words}", mend=ELSEWHERE) from error


def _known_and_new(path: Path, athletes: Mapping[str, str]) -> dict[str, str]:
    known = _read(path)
    fresh = new_pseudonyms(set(known.values()))
    added = {_written(key): (next(fresh), name) for key, name in athletes.items() if _written(key) not in known}
    if added:
        _write(path, [(pseudonym, key, cell(name)) for key, (pseudonym, name) in added.items()])
        screen.say(f"new pseudonyms: {len(added)}; whose they are stands in {path}, which is yours to keep")
    known |= {key: pseudonym for key, (pseudonym, _) in added.items()}
    return {key: known[_written(key)] for key in athletes}


def _read(path: Path) -> dict[str, str]:
    """Each athlete's pseudonym; UsageError for one that two have."""
    if not path.exists() or not path.stat().st_size:
        return {}
    known = {key: pseudonym for _, (pseudonym, key, _) in rows(path, COLUMNS, EXAMPLE)}
    if len(set(known.values())) < len(known):
        raise UsageError(f"{path}: two people have one pseudonym", mend="give everybody one of their own")
    return known


def _written(key: str) -> str:
    """The key of a team on one line, which no single id can be."""
    return BETWEEN_MEMBERS.join(part.replace("+", "++") for part in key.split("\n"))


def _write(path: Path, lines: list[tuple[str, str, str]]) -> None:
    """Add lines below what is there, of which nothing changes."""
    before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    headings = next(csv.reader(io.StringIO(before)), list(COLUMNS))
    text = io.StringIO()
    writer = csv.DictWriter(text, [each.strip().casefold() for each in headings], lineterminator="\n")
    if not before:
        writer.writeheader()
    elif not before.endswith("\n"):
        text.write("\n")
    writer.writerows(dict(zip(COLUMNS, line, strict=True)) for line in lines)
    atomic_write(path, (before + text.getvalue()).encode())
    path.chmod(0o600)
