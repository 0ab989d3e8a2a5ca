"""From names to judged files for a ranking: what the index knows is not judged again, the rest in several processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from tinytorch.competition.checks.batch import Ledger, MayBe
from tinytorch.competition.grading.times import Times
from tinytorch.competition.ranking.judged import Circumstances, Judged, judge, unreadable
from tinytorch.competition.record.people import Athlete
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.rules.events import Rules
from tinytorch.files import sha256
from tito.olympics.parallel import in_order, watched
from tito.workspace import submissions
from tito.workspace.documents import descriptor
from tito.workspace.index import DamagedError, Index, Looked, stamp

NO_TIMES = Times()
AT_ONCE = 200  # files between two writings of the index: what kills us loses no more

Result = TypeVar("Result")


class Read(NamedTuple):
    """A file that was read: the digest of what is in it, and what was found about that where it was new."""

    sha256: str
    found: tuple[Judged, Circumstances] | None


def collect(
    names: Sequence[str], rules: Rules, index: Index, times: Times = NO_TIMES, may_be: MayBe = Athlete.may_be
) -> list[Judged]:  # fmt: skip
    """Every file once, judged by the rules, in an order that does not depend on that of the names.

    `times` are those at which a platform received files: of copies they tell which came first; `may_be` tells whether
    two athletes may be one.
    """
    places = _places(names)
    stamps = {path: each for path in places if (each := _stamp(path)) is not None}
    digests = index.unchanged(stamps)
    fresh = [path for path in places if path not in digests]
    unread = _judge(fresh, stamps, digests, rules, index)
    ledger, judged = Ledger(may_be), []
    for path, found in _found(list(places), unread, digests, index):
        ledger.add(places[path], found.traces, found.valid, times.received_s(places[path]))
        judged.append(replace(found, source=places[path], traces=None))  # which take a tenth of the memory
    compared = ledger.compared(time.time())
    return [each.among(compared(number)).brief() for number, each in enumerate(judged)]


def _found(
    paths: Sequence[str], unread: Mapping[str, Judged], digests: Mapping[str, str], index: Index
) -> Iterator[tuple[str, Judged]]:
    """What was found about each file, some at a time, so that never all are in memory as they were judged."""
    for start in range(0, len(paths), AT_ONCE):
        part = paths[start : start + AT_ONCE]
        known = dict(index.judged(digests[path] for path in part if path in digests))
        for path in part:
            found = unread.get(path) or known.get(digests[path])
            if found is None:
                raise DamagedError("a judged content is gone")
            yield path, found


def _judge(
    fresh: Sequence[str], stamps: Mapping[str, str], digests: dict[str, str], rules: Rules, index: Index
) -> dict[str, Judged]:
    """Read what is not known and take down what is found, also at an interrupt; returned is what could not be read."""
    unread: dict[str, Judged] = {}
    waiting: dict[str, Read] = {}
    try:
        for path, read in zip(fresh, watched(_read_all(fresh, rules, index), len(fresh)), strict=True):
            if isinstance(read, Judged):
                unread[path] = read
                continue
            waiting[path], digests[path] = read, read.sha256
            if len(waiting) == AT_ONCE:
                _write(index, waiting, stamps)
                waiting = {}
    finally:
        _write(index, waiting, stamps)
    return unread


def _places(names: Sequence[str]) -> dict[str, str]:
    """By path: the name that a file was given by. A file that was named twice counts once."""
    streams = {name: name for name in names if descriptor(name) is not None}
    files = {str(path.absolute()): str(path) for path in sorted(map(Path, {*names} - {*streams}))}
    return {**files, **streams}


def _stamp(path: str) -> str | None:
    return None if descriptor(path) is not None else stamp(Path(path))


def _read_all(paths: Sequence[str], rules: Rules, index: Index) -> Iterator[Read | Judged]:
    """What is in each file; a content that the index knows, in a file that is new or touched, is not judged again."""
    if index.is_empty:
        yield from _each(partial(_judged, rules=rules), paths)
        return
    digests = list(_each(_digest, paths))
    known = index.known([each for each in digests if isinstance(each, str)])
    unknown = [path for path, digest in zip(paths, digests, strict=True) if digest not in known]
    new = _each(partial(_judged, rules=rules), unknown)
    for digest in digests:
        yield Read(digest, None) if isinstance(digest, str) and digest in known else next(new)


def _each(function: Callable[[str], Result], paths: Sequence[str]) -> Iterator[Result]:
    """In several processes, but for what a shell gives: that has only this one."""
    is_ours = any(descriptor(path) is not None for path in paths)
    return map(function, paths) if is_ours else in_order(function, paths)


def _digest(path: str) -> str | None:
    """None of what cannot be read, or only once."""
    if descriptor(path) is not None:
        return None
    try:
        return sha256(submissions.read(path))
    except RefusedError:
        return None


def _judged(path: str, rules: Rules) -> Read | Judged:
    try:
        content = submissions.read(path)
    except RefusedError as refusal:
        return unreadable("", refusal)
    judged, submission = judge("", content, rules)
    circumstances = Circumstances.of(submission) if submission and judged.valid else Circumstances()
    return Read(judged.sha256, (judged.brief(), circumstances))


def _write(index: Index, read: Mapping[str, Read], stamps: Mapping[str, str]) -> None:
    looked = [Looked(path, stamps[path], each.sha256) for path, each in read.items() if path in stamps]
    index.add(looked, {each.sha256: each.found for each in read.values() if each.found})
