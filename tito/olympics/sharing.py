"""Entries done one after the other here, or by several machines at once, and what is seen of it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from tinytorch.competition.checks.shift import Part
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee.turns import Done, Here, Scheduler, in_turn
from tinytorch.progress import Progress
from tinytorch.showing import safe_text
from tito.olympics.rerunning import Settings, look_again, rerun
from tito.terminal import bars, screen
from tito.workspace.entries import HandedIn
from tito.workspace.verified import Verified

Bounds = tuple[float, float]
PARTS = {"build": (0.0, 0.3), "survey": (0.3, 0.4), "measure": (0.4, 1.0)}  # of the time that an entry takes, about
REFEREED_PARTS = {"build": (0.0, 0.2), "survey": (0.2, 0.25), "measure": (0.25, 0.4), "outside": (0.4, 0.6)}


@dataclass(frozen=True)
class Sharing:
    """Who does a class: this machine, a shard of it here, or the machines of a scheduler."""

    scheduler: Scheduler = Here()  # noqa: RUF009 - it has no state
    part: Part | None = None

    def of(self, ids: Sequence[str]) -> list[str]:
        """What of all pieces of work is done here, or from here."""
        return self.part.of(ids) if self.part else [*ids]

    def shift(self, ids: Sequence[str], folder: Verified) -> dict[str, Any] | None:
        """What every machine is told of a class that several share, or have shared; None where one has it to itself."""
        if self.part is None and isinstance(self.scheduler, Here) and not folder.is_shared:
            return None
        return {"part": self.part.words if self.part else None, "works": [*ids]}


def done(
    pending: Mapping[str, HandedIn], settings: Settings, sharing: Sharing, shift: Mapping[str, Any] | None
) -> Iterator[tuple[str, Done]]:  # fmt: skip
    """What came of each piece, by its id, as they end; then every machine looks at its known pair once more."""
    items = {id_: settings.of(id_, handed, shift) for id_, handed in pending.items()}
    with bars.progress() as progress:
        seen = _Seen(progress, pending, REFEREED_PARTS if settings.is_refereed else PARTS)
        for id_, each in in_turn(rerun, items, Path(settings.folder).absolute(), sharing.scheduler, seen.of):
            seen.ended(id_)
            yield id_, each
        if items and shift:
            sharing.scheduler.on_each(look_again, next(iter(items.values())), Observer(seen.beside, screen.say))


class _Seen:
    """A bar of all entries, and below it the stages of the one that is measured, or a line for each machine."""

    def __init__(self, told: Progress, pending: Mapping[str, HandedIn], parts: Mapping[str, Bounds]) -> None:
        self._told, self._parts, self._lock = told, parts, Lock()
        self._names = {id_: safe_text(handed.name, 30) for id_, handed in pending.items()}
        self._shares = dict.fromkeys(pending, 0.0)

    def of(self, id_: str) -> Observer:
        """Who is told of one piece."""
        return Observer(lambda stage, share: self._hear(id_, stage, share), screen.say)

    def ended(self, id_: str) -> None:
        """A piece is done."""
        with self._lock:
            self._shares[id_] = 1.0

    def beside(self, stage: str, share: float) -> None:
        """What is no part of any piece."""
        with self._lock:
            self._stage("known pair", stage, share)

    def _hear(self, id_: str, stage: str, share: float) -> None:
        """Also from the thread that listens to machines."""
        with self._lock:
            begins, ends = self._parts.get(stage.partition(bars.AT)[0], (0.0, 0.0))
            self._shares[id_] = max(self._shares[id_], begins + (ends - begins) * share)
            self._show(id_)
            self._stage(self._names[id_], stage, share)

    def _show(self, id_: str) -> None:
        count = sum(share == 1.0 for share in self._shares.values())
        number, all_ = min(count + 1, len(self._shares)), len(self._shares)
        self._told(f"verify: {number} of {all_}, {self._names[id_]}", sum(self._shares.values()) / all_)

    def _stage(self, name: str, stage: str, share: float) -> None:
        """Of another machine its own line: what it does, and of whom."""
        what, at, host = stage.partition(bars.AT)
        self._told(f"{bars.AT}{safe_text(host, 30)}: {name}, {bars.words(what)}" if at else stage, share)
