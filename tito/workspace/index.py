"""What was found about files before, so that a second look reads only what is new: an sqlite file in the user's cache.

Never the only place of anything: all in it follows from the files, the rules and our own code, and what is damaged or
another version's is made anew. Rows are found by the digest of a content, of the rules and of the code that judged it;
files by path, size and times, which nobody but the system sets. It lies in no workspace: one that came along with
somebody's submissions would be believed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

import tinytorch
from tinytorch.competition.ranking.figures import Figures
from tinytorch.competition.ranking.judged import Circumstances, Judged
from tinytorch.competition.ranking.rank_sets import RankSet, entries_digest, rank_sets
from tinytorch.competition.rules.events import Rules
from tinytorch.doors import advertised, files_of, provider
from tinytorch.errors import SetupMissingError
from tinytorch.files import reason, sha256
from tinytorch.workloads.place import NAME_ANOTHER, users_folder
from tito.terminal import screen
from tito.workspace.folder import CACHE_VARIABLE, folder_of

VERSION = 2
FILE = "index.sqlite3"
BESIDE = ("-journal", "-wal", "-shm")  # of sqlite, beside the file
TEMPORARY = ""  # sqlite's name for a database that goes away with its connection
BUSY_LIMIT_S = 1.0
YOUNG_NS = 2_000_000_000  # a file that was written so short before it was read can be written again within one tick
ROWS_PER_QUERY = 500
FEWEST_KEPT = 1000  # entries of a ranking: the sets of fewer are found in less than a second
MOST_RANKINGS = 50  # of half a megabyte for 10,000 entries; the oldest are forgotten
DECIDES = ("*.py", "competition/**/*.py", "competition/**/*.toml", "benchmarking/**/*.py")  # files of our package
DECIDING_PACKAGES = ("numpy", "pydantic", "pydantic_core", "scipy")

TABLES = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS contents (
    sha256 TEXT, rules TEXT, judge TEXT, judged TEXT NOT NULL, circumstances TEXT NOT NULL,
    PRIMARY KEY (sha256, rules, judge)
);
CREATE TABLE IF NOT EXISTS rankings (
    entries TEXT, rules TEXT, judge TEXT, sets TEXT NOT NULL, PRIMARY KEY (entries, rules, judge)
);
"""

Result = TypeVar("Result")
SETS = TypeAdapter(list[RankSet])


class DamagedError(Exception):
    """The index is not what we wrote."""


class Looked(NamedTuple):
    """A file that was read: its path and stamp before that, and the digest of what was in it."""

    path: str
    stamp: str
    sha256: str


class Index:
    """The index of judged contents by one version of the rules."""

    def __init__(self, path: str, rules_sha256: str) -> None:
        """Open it, or make it. sqlite3.Error where that cannot be done, DamagedError for another version's."""
        self.path = path
        self._connection = sqlite3.connect(path, timeout=BUSY_LIMIT_S)
        self._judged_by = (rules_sha256, _judge())
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was judged yet by these rules."""
        query = "SELECT 1 FROM contents WHERE rules = ? AND judge = ? LIMIT 1"
        return self._connection.execute(query, self._judged_by).fetchone() is None

    def unchanged(self, stamps: Mapping[str, str]) -> dict[str, str]:
        """By path: the digest of what is in each file that has not changed since it was judged."""
        paths = {_column(path): path for path in stamps}
        rows = self._rows("SELECT path, stamp, sha256 FROM files WHERE path IN ({})", list(paths))
        found = [(paths[column], stamp, digest) for column, stamp, digest in rows]
        same = {path: digest for path, stamp, digest in found if stamps[path] == stamp}
        known = self.known(same.values())
        return {path: digest for path, digest in same.items() if digest in known}

    def known(self, digests: Iterable[str]) -> set[str]:
        """Those of the contents that were judged."""
        query = "SELECT sha256 FROM contents WHERE sha256 IN ({}) AND rules = ? AND judge = ?"
        return {digest for (digest,) in self._rows(query, sorted(set(digests)), self._judged_by)}

    def judged(self, digests: Iterable[str]) -> Iterator[tuple[str, Judged]]:
        """What was found about contents, by their digest; of no file yet."""
        for digest, text in self._column_of("judged", digests):
            judged = Judged.of_text(text)
            if judged.sha256 != digest:
                raise DamagedError("a row is not what was written here")
            yield digest, judged

    def circumstances(self, digests: Iterable[str]) -> dict[str, Circumstances]:
        """How contents were measured, by their digest."""
        return {
            digest: Circumstances.model_validate_json(text)
            for digest, text in self._column_of("circumstances", digests)
        }

    def add(self, looked: Sequence[Looked], judged: Mapping[str, tuple[Judged, Circumstances]]) -> None:
        """Take down what was read, and what was found about contents by their digest; all or nothing."""
        files = [(_column(each.path), each.stamp, each.sha256) for each in looked]
        contents = [
            (digest, *self._judged_by, found.text(), how.model_dump_json()) for digest, (found, how) in judged.items()
        ]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", files)
            self._connection.executemany("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?)", contents)

    def sets(self, entries: Sequence[Figures], rules: Rules) -> list[RankSet]:
        """The sets of ranks; of many entries those that were found when the same ones were ranked before."""
        if len(entries) < FEWEST_KEPT:
            return rank_sets(entries, rules)
        asked = (entries_digest(entries), *self._judged_by)
        query = "SELECT sets FROM rankings WHERE entries = ? AND rules = ? AND judge = ?"
        known = self._connection.execute(query, asked).fetchone()
        if known is None:
            found = rank_sets(entries, rules)
            self._keep_sets(asked, found)
            return found
        kept = SETS.validate_json(known[0])
        if len(kept) != len(entries):
            raise DamagedError("a row is not what was written here")
        return kept

    def _keep_sets(self, asked: tuple[str, ...], found: list[RankSet]) -> None:
        """For the next time; where the index is busy or full they are found again then."""
        oldest = "SELECT rowid FROM rankings ORDER BY rowid DESC LIMIT -1 OFFSET ?"
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            row = (*asked, SETS.dump_json(found).decode())
            self._connection.execute("INSERT OR REPLACE INTO rankings VALUES (?, ?, ?, ?)", row)
            self._connection.execute(f"DELETE FROM rankings WHERE rowid IN ({oldest})", (MOST_RANKINGS,))

    def _prepare(self) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found not in (0, VERSION):
            raise DamagedError(f"it is of version {found}, ours is {VERSION}")
        with self._connection:
            self._connection.executescript(TABLES)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")
            for table in ("contents", "rankings"):
                self._connection.execute(f"DELETE FROM {table} WHERE judge != ?", self._judged_by[1:])

    def _column_of(self, column: str, digests: Iterable[str]) -> Iterator[tuple[str, str]]:
        query = f"SELECT sha256, {column} FROM contents WHERE sha256 IN ({{}}) AND rules = ? AND judge = ?"
        yield from self._rows(query, sorted(set(digests)), self._judged_by)

    def _rows(self, query: str, keys: Sequence[str], further: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows for many keys, some hundred at a time: a query takes no more. DamagedError for what is no text."""
        for start in range(0, len(keys), ROWS_PER_QUERY):
            asked = keys[start : start + ROWS_PER_QUERY]
            for row in self._connection.execute(
                query.format(",".join("?" * len(asked))), [*asked, *further]
            ).fetchall():
                if not all(isinstance(value, str) for value in row):
                    raise DamagedError("a row is not what was written here")
                yield row


def using(rules_sha256: str, work: Callable[[Index], Result]) -> Result:
    """What `work` makes of the user's index; of a temporary one where that cannot be used.

    A damaged index, or another version's, is made anew, and `work` done again.
    """
    try:
        path = (folder_of(CACHE_VARIABLE) or users_folder()) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_strange(path)
        try:
            with screen.done_before(f"what was judged is kept in {path}"):
                return _worked(str(path), rules_sha256, work)
        except (DamagedError, sqlite3.DatabaseError, ValidationError) as error:
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise  # it is locked, full or not ours to write; an error in general is a table that is not ours
            screen.say(f"warning: the index {path} is made anew: {_words(error)}")
            path.unlink(missing_ok=True)
            return _worked(str(path), rules_sha256, work)
    except (OSError, SetupMissingError, sqlite3.OperationalError, DamagedError) as error:
        mend = f"; {NAME_ANOTHER}" if isinstance(error, OSError | SetupMissingError) else ""
        screen.say(f"warning: the index cannot be used, and every file is read: {_words(error)}{mend}")
        return _worked(TEMPORARY, rules_sha256, work)


def _refuse_strange(path: Path) -> None:
    """OSError for anything but files where sqlite would open them: it waits for the other end of a pipe."""
    for each in (path, *(path.with_name(path.name + suffix) for suffix in BESIDE)):
        if os.path.lexists(each) and not each.is_file():
            raise OSError(errno.EINVAL, f"{each} is no regular file: remove it")


def _words(error: Exception) -> str:
    """The first line of what went wrong."""
    said = reason(error) if isinstance(error, OSError) else str(error)
    return said.splitlines()[0] if said else type(error).__name__


def _worked(path: str, rules_sha256: str, work: Callable[[Index], Result]) -> Result:
    with closing(Index(path, rules_sha256)) as index:
        return work(index)


def stamp(path: Path) -> str | None:
    """What a file's system says of its state; None where that may not tell it from the next one, or there is none.

    As git does, a file that was written just now is read again, because its next change could fall into the same tick.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    if max(found.st_mtime_ns, found.st_ctime_ns) > time.time_ns() - YOUNG_NS:
        return None
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"


def _column(path: str) -> str:
    """A path as Unicode that sqlite can keep; of two that come out alike the stamp tells which is meant."""
    return path.encode("utf-8", "backslashreplace").decode()


def _judge() -> str:
    """The digest of all that decides: our code and that of added checks, Python, the packages that compute for it."""
    root = Path(tinytorch.__file__).parent
    files = sorted({path for pattern in DECIDES for path in root.glob(pattern)})
    files += [path for point in advertised("checks").values() for path in files_of(point)]
    versions = [sys.version, *(f"{package} {version(package)}" for package in DECIDING_PACKAGES)]
    versions += [f"{point} {provider(point)}" for point in advertised("checks").values()]
    return sha256(b"\0".join([*(path.read_bytes() for path in files), *map(str.encode, versions)]))
