"""What a score or a rank is worth: points at some of them, and linear in between."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinytorch.errors import UsageError
from tinytorch.text import safe_text

Kind = Literal["score", "rank"]

MOST_STEPS = 100
MEND = 'write scores, points = { "1x" = 0, "20x" = 100 }, accuracies like "90 %", or ranks like "rank 1"'
_KEY = re.compile(r"(?P<rank>rank )?(?P<number>\d{1,9}(?:\.\d{1,9})?) ?(?P<unit>x|%)?", re.ASCII)


@dataclass(frozen=True)
class Points:
    """At each of `places`, which go up, stand `points`; below the first and above the last they stay as they are."""

    kind: Kind
    places: tuple[float, ...]
    points: tuple[float, ...]

    def of(self, place: float) -> float:
        """What a score (as its event counts it) or a rank is worth."""
        return float(np.interp(place, self.places, self.points))

    @property
    def most(self) -> float:
        """What can be reached."""
        return max(self.points)


def points_of(table: Mapping[str, float]) -> Points:
    """The points of a table like `{"1x": 0, "20x": 100}`; UsageError says what is wrong with it."""
    steps = {_place(key): value for key, value in table.items()}
    kinds = {kind for kind, _ in steps}
    if not 0 < len(table) <= MOST_STEPS or len(kinds) != 1 or len(steps) < len(table):
        raise UsageError("points stand at scores or at ranks, at each once", mend=MEND)
    if any(not math.isfinite(value) or value < 0 for value in table.values()):
        raise UsageError("points are numbers from 0 up", mend=MEND)
    ordered = sorted((place, value) for (_, place), value in steps.items())
    places, points = zip(*ordered, strict=True)
    return Points(kinds.pop(), places, points)


def _place(key: str) -> tuple[Kind, float]:
    found = _KEY.fullmatch(key.strip())
    if found is None or (found["rank"] and found["unit"]):
        raise UsageError(f"points at {safe_text(key, 40)!r}: that is no score and no rank", mend=MEND)
    number = float(found["number"]) / (100 if found["unit"] == "%" else 1)
    return ("rank" if found["rank"] else "score"), number
