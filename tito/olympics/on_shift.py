"""This machine's shift, written down after every step: what it did of a class, and how its canary did meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinytorch.competition.checks.shift import LARGEST_BYTES, Part, Shift, parse_shift
from tinytorch.competition.checks.verified import ID_DIGITS
from tinytorch.errors import TinyTorchError, UsageError
from tinytorch.files import read_regular, sha256
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee.canary import canary, code_sha256, this_machine
from tinytorch.harness.referee.turns import keep
from tinytorch.harness.referee.verify import Place
from tinytorch.owners import host
from tito.workspace.verified import SHIFTS

_begun: set[Path] = set()  # by this process, which looks at its machine before its first entry


class OnShift:
    """The shift of this machine for one class. Only one at a time changes it: who has the machine to himself."""

    def __init__(self, folder: Path, place: Place, part: Part | None, works: Sequence[str]) -> None:
        self._folder, self._place, self._part, self._works = folder / SHIFTS, place, part, sorted(set(works))
        self._host = sha256(host().encode())
        told = f"{self._host} {place.how.model_dump_json()} {part} {self._works}"
        self.id = sha256(told.encode())[:ID_DIGITS]

    @classmethod
    def of(cls, folder: str, place: Place, told: Mapping[str, Any] | None) -> OnShift | None:
        """From JSON; None where no class is shared among machines."""
        if told is None:
            return None
        return cls(Path(folder), place, Part.parsed(told["part"]) if told["part"] else None, told["works"])

    def begin(self, told: Observer) -> None:
        """Look at the canary, once in this process."""
        if self._path not in _begun:
            self.look(told)
            _begun.add(self._path)

    def look(self, told: Observer) -> None:
        """Measure the canary now, and write it down; where it cannot be measured that is said, and work goes on."""
        told.say("measuring the known pair of models, by which machines are compared")
        try:
            seen = canary(self._place, told)
        except TinyTorchError as error:
            told.say(f"warning: the known pair could not be measured: {error.message}")
            return
        self._change(lambda shift: shift.model_copy(update={"canaries": [*shift.canaries, seen]}), told)

    def did(self, id_: str, text: str, told: Observer) -> None:
        """Write down a record that is about to be kept."""
        digest = sha256(text.encode())
        self._change(lambda shift: shift.model_copy(update={"records": {**shift.records, id_: digest}}), told)

    @property
    def _path(self) -> Path:
        return self._folder / f"{self.id}.json"

    def _change(self, change: Callable[[Shift], Shift], told: Observer) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        keep(self._folder, self.id, change(self._known(told) or self._new()).text(), told)

    def _known(self, told: Observer) -> Shift | None:
        """What an earlier process of this machine wrote."""
        try:
            return parse_shift(str(self._path), read_regular(self._path, LARGEST_BYTES))
        except FileNotFoundError:
            return None
        except UsageError as error:
            told.say(f"warning: {error.message}; it is begun anew")
            return None

    def _new(self) -> Shift:
        part = self._part.words if self._part else None
        return Shift(
            id=self.id, host=self._host, machine=this_machine(), code_sha256=code_sha256(), how=self._place.how,
            part=part, works=self._works,
        )  # fmt: skip
