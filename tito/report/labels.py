"""Names beside points of a plot, so that none lies on another; where there is no room a name is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

CHARACTER, LINE = 0.026, 0.075  # of a panel's width and height: about what a letter and a line of 8 points take
GAP = 0.02
SIDES = ((1, 1), (-1, 1), (1, -1), (-1, -1))  # of the point: right and above first


class Label(NamedTuple):
    """Where a text begins or ends, as shares of width and height."""

    number: int
    x: float
    y: float
    is_right: bool  # of its point

    def box(self, width: float) -> tuple[float, float, float, float]:
        """From left to right, from bottom to top."""
        left = self.x if self.is_right else self.x - width
        return left, left + width, self.y, self.y + LINE


def placed(points: Iterable[tuple[int, float, float, int]]) -> Iterator[Label]:
    """A label for each point (its number, shares of width and height, letters of its name) that finds room."""
    taken: list[tuple[float, float, float, float]] = []
    for number, x, y, letters in points:
        for right, up in SIDES:
            label = Label(number, x + GAP * right, y + GAP / 2 if up > 0 else y - LINE, right > 0)
            box = label.box(letters * CHARACTER)
            if box[0] >= 0 and box[1] <= 1 + GAP and not any(_meet(box, other) for other in taken):
                taken.append(box)
                yield label
                break


def _meet(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> bool:
    left, right, bottom, top = first
    return left < second[1] and second[0] < right and bottom < second[3] and second[2] < top
