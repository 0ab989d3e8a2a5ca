"""The cheats by their numbers, and what became of each when it was tried."""

from __future__ import annotations

import ast
import json
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from tinytorch.competition.names import OlympicEvent
from tinytorch.errors import UsageError
from tinytorch.showing import nearest

FOLDER = Path(__file__).parent
ENTRIES, CATALOGUE, VERDICTS = FOLDER / "entries", FOLDER / "catalogue.toml", FOLDER / "verdicts.json"
TWINS = ("wrapped", "pruned", "planned", "small", "weak")
LEVELS = ("T1", "T2", "T3")
NO_GAIN = 1.10  # as a factor beside its honest twin: the machine's own spread, and no more

Ending = Literal["caught", "harmless", "missed", "not tried"]


@dataclass(frozen=True)
class Verdict:
    """What a level says of an entry: what was `found`, or, where nothing was, how much better than its twin it looks.

    `gain` is a factor of what its event ranks by; None where no figure of it is shown at that level.
    """

    found: str = ""
    gain: float | None = None

    @property
    def ending(self) -> Ending:
        """In a word."""
        if self.found:
            return "caught"
        if self.gain is None:
            return "not tried"
        return "harmless" if self.gain <= NO_GAIN else "missed"


@dataclass(frozen=True)
class Cheat:
    """An entry that cheats; `why` says what would have to be done against one that is missed."""

    number: int
    name: str
    event: OlympicEvent
    twin: str
    why: str = ""
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file of the entry."""
        return entry(self.name)

    @property
    def tries(self) -> str:
        """What it tries, in a sentence."""
        return ast.get_docstring(ast.parse(self.path.read_text("utf-8"))) or ""


def entry(name: str) -> Path:
    """The file of a cheat or of a twin."""
    return ENTRIES / f"{name}.py"


@cache
def cheats() -> dict[str, Cheat]:
    """All of them by name, in the order of their numbers."""
    listed = tomllib.loads(CATALOGUE.read_text("utf-8"))
    tried = json.loads(VERDICTS.read_text("utf-8")) if VERDICTS.exists() else {}
    return {
        name: Cheat(
            number, name, OlympicEvent(told["event"]), told["twin"], told.get("why", ""),
            {level: Verdict(**tried.get(name, {}).get(level, {})) for level in LEVELS},
        )
        for number, (name, told) in enumerate(listed.items(), 1)
    }  # fmt: skip


def find_cheat(wanted: str) -> Cheat:
    """By name or number; UsageError with the nearest name when there is none."""
    known = cheats() | {str(each.number): each for each in cheats().values()}
    if wanted not in known:
        raise UsageError(f"there is no cheat {wanted!r}", mend=nearest(wanted, cheats()))
    return known[wanted]
