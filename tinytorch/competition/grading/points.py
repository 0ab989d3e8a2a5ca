"""What a score or a rank is worth: points at some of them, and linear in between."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinytorch.errors import UsageError
from tinytorch.showing import safe_text

Kind = Literal["score", "rank"]

FEWEST_STEPS, MOST_STEPS, MOST_POINTS = 2, 100, 1_000_000
MEND = 'write scores, points = { "1x" = 0, "20x" = 100 }, accuracies like "90 %", or ranks like "rank 1"'
_KEY = re.compile(r"(?P<rank>rank )?(?P<number>\d{1,9}(?:\.\d{1,9})?) ?(?P<unit>x|%)?", re.ASCII)


@dataclass(frozen=True)
class Points:
    """At each of `places`, which go up, stand `points`. Beyond the last they stay; a score below the first has none.

    `units` are those that scores were written with: x of a ratio, % of an accuracy.
    """

    kind: Kind
    places: tuple[float, ...]
    points: tuple[float, ...]
    units: frozenset[str] = frozenset()

    def of(self, place: float) -> float:
        """What a score (as its event counts it) or a rank is worth."""
        return float(np.interp(place, self.places, self.points, left=0.0 if self.kind == "score" else None))

    def fits(self, ranked_by: str) -> bool:
        """Whether what an event ranks by has the unit of the scores."""
        return not self.units or self.units == ({"%"} if ranked_by == "accuracy" else {"x"})

    @property
    def most(self) -> float:
        """What can be reached."""
        return max(self.points)


def points_of(table: Mapping[str, float]) -> Points:
    """The points of a table like `{"1x": 0, "20x": 100}`; UsageError says what is wrong with it."""
    read = {key: _place(key) for key in table}
    steps = {(kind, place): table[key] for key, (kind, place, _) in read.items()}
    kinds = {kind for kind, _ in steps}
    if not FEWEST_STEPS <= len(table) <= MOST_STEPS or len(kinds) != 1 or len(steps) < len(table):
        raise UsageError("points stand at two scores at least, or at two ranks, at each once", mend=MEND)
    if not all(0 <= value <= MOST_POINTS for value in table.values()):
        raise UsageError(f"points are numbers from 0 to {MOST_POINTS:,}", mend=MEND)
    ordered = sorted((place, value) for (_, place), value in steps.items())
    places, points = zip(*ordered, strict=True)
    kind = kinds.pop()
    if list(points) != sorted(points, reverse=kind == "rank"):
        raise UsageError("what is better earns less", mend="give a better score or rank as many points at least")
    return Points(kind, places, points, frozenset(unit for _, _, unit in read.values() if unit))


def _place(key: str) -> tuple[Kind, float, str]:
    found = _KEY.fullmatch(key.strip())
    is_rank = bool(found and found["rank"])
    if found is None or (is_rank and (found["unit"] or not re.fullmatch("[1-9]\\d*", found["number"]))):
        raise UsageError(f"points at {safe_text(key, 40)!r}: that is no score and no rank", mend=MEND)
    number = float(found["number"]) / (100 if found["unit"] == "%" else 1)
    return ("rank" if is_rank else "score"), number, found["unit"] or ""
