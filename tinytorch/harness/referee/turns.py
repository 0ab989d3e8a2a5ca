"""Work in turns: one piece at a time on each machine, and each kept as soon as it is done.

All that machines share is a folder of results, with a file for each piece that its id names. Whoever measures on a
machine waits for the lock that all its users share; whoever was killed loses the piece that he was at.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tinytorch.errors import SetupMissingError
from tinytorch.files import atomic_write, read_regular, reason, sha256
from tinytorch.harness.prepare import UNOBSERVED, Observer
from tinytorch.lock import HeldError, Lock

Item = Mapping[str, Any]
"""What a piece of work is made from: paths and JSON, because another machine may get it."""
Job = Callable[[Item, Observer], str]
Observers = Callable[[str], Observer]
"""Who is told of a piece, by its id."""

RUNTIME_FOLDERS = (Path("/run/lock"), Path("/tmp"))
LOCK_NAME = "torch-olympics.lock"
ONE_FOR_ALL = stat.S_IWOTH | stat.S_ISVTX
LOOK_AGAIN_S = 1.0  # whoever waits must not disturb what he waits for
LET_BY_S = 0.02  # for those who wait to wake up
LARGEST_RESULT_BYTES = 2**26
KEEP_LIMIT_S, KEEP_AGAIN_S = 600.0, 5.0


def unobserved(id_: str) -> Observer:
    """Nobody is told."""
    return UNOBSERVED


class Piece(NamedTuple):
    """A piece of work for whatever machine takes it; `before` is the digest of its file when the call began."""

    id: str
    item: Item
    before: str | None


class Done(NamedTuple):
    """What came of a piece, and whether it lies in the folder of results.

    Without a text it was lost: `why` says how, which is no fault of what was worked on.
    """

    text: str
    is_kept: bool
    why: str = ""


class Scheduler(Protocol):
    """Whatever hands pieces to machines, by `one_turn`, and brings what came of each, in the order of their ends."""

    def results(self, job: Job, pieces: list[Piece], folder: Path, told: Observers) -> Iterator[tuple[Piece, Done]]: ...

    def on_each(self, job: Job, item: Item, told: Observer) -> None: ...


class Here:
    """This machine."""

    def results(self, job: Job, pieces: list[Piece], folder: Path, told: Observers) -> Iterator[tuple[Piece, Done]]:
        """One piece after the other."""
        for piece in pieces:
            yield piece, one_turn(job, piece, folder, told(piece.id))

    def on_each(self, job: Job, item: Item, told: Observer) -> None:
        """The job, while the machine is ours."""
        with machine_alone(told):
            job(item, told)


def in_turn(
    job: Job, items: Mapping[str, Item], results: Path, scheduler: Scheduler | None = None, told: Observers = unobserved
) -> Iterator[tuple[str, Done]]:
    """What `job` makes of each item, by the item's id, each one kept in `results` before it is told.

    Here in the order of the items; with a scheduler by all of its machines, as they end. OSError where `results` could
    not be written to for ten minutes.
    """
    pieces = [Piece(id_, item, _digest(_content(results, id_))) for id_, item in items.items()]
    for piece, done in (scheduler or Here()).results(job, pieces, results, told):
        if not done.is_kept and not done.why:
            keep(results, piece.id, done.text, told(piece.id))
        yield piece.id, done


def one_turn(job: Job, piece: Piece, results: Path, told: Observer = UNOBSERVED) -> Done:
    """One piece on this machine, which is ours alone meanwhile. What another call has done by now is not done again."""
    with machine_alone(told):
        found = _content(results, piece.id)
        if found is not None and _digest(found) != piece.before:
            return Done(found.decode(), True)
        text = job(piece.item, told)
    try:
        atomic_write(_path(results, piece.id), text.encode())
    except OSError:  # whoever called may have another way to the folder, and more patience
        return Done(text, False)
    return Done(text, True)


@contextmanager
def machine_alone(told: Observer = UNOBSERVED) -> Iterator[None]:
    """While nobody else measures on this machine, whoever it is; waits for that, however long.

    Afterwards whoever waited is let by. SetupMissingError where the lock cannot be had.
    """
    path = runtime_folder() / LOCK_NAME
    lock = Lock(path, 0.0, LOOK_AGAIN_S)
    try:
        _make_for_all(path)
        try:
            lock.acquire()
        except HeldError as held:
            who = held.words or f"fuser {path} shows which"
            told.say(f"another call measures on this machine; waiting for it ({who})")
            lock.acquire_in_turn()
    except OSError as error:
        message = f"the lock of this machine cannot be had: {path}: {reason(error)}"
        raise SetupMissingError(message, mend=f"remove what is there: rm {path}") from error
    try:
        yield
    finally:
        lock.release()
        time.sleep(LET_BY_S)


def _make_for_all(path: Path) -> None:
    """The file of the lock, which every user may open, whatever the one who comes first hides of his own."""
    with suppress(FileExistsError):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.fchmod(handle, 0o666)
        finally:
            os.close(handle)


def runtime_folder() -> Path:
    """The one that every user of this machine finds and may write in; the last where there is none."""
    return next((each for each in RUNTIME_FOLDERS if _is_for_all(each)), RUNTIME_FOLDERS[-1])


def keep(
    results: Path, id_: str, text: str, told: Observer = UNOBSERVED,
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
) -> None:  # fmt: skip
    """Write what took minutes to make; where that cannot be done now, try again for ten minutes, then OSError."""
    end_s, is_told = clock() + KEEP_LIMIT_S, False
    while True:
        try:
            atomic_write(_path(results, id_), text.encode())
        except OSError as error:
            if clock() >= end_s:
                raise
            if not is_told:
                told.say(f"warning: cannot write into {results}: {reason(error)}; tried again for ten minutes")
            is_told = True
            sleep(KEEP_AGAIN_S)
        else:
            return


def _path(results: Path, id_: str) -> Path:
    return results / f"{id_}.json"


def _content(results: Path, id_: str) -> bytes | None:
    """None where there is no file, or none that can be read: it is made again."""
    try:
        return read_regular(_path(results, id_), LARGEST_RESULT_BYTES)
    except OSError:
        return None


def _digest(content: bytes | None) -> str | None:
    return None if content is None else sha256(content)


def _is_for_all(folder: Path) -> bool:
    try:
        return folder.stat().st_mode & ONE_FOR_ALL == ONE_FOR_ALL and os.access(folder, os.W_OK)
    except OSError:
        return False
