"""Small plots of block characters, or of ASCII where the output can hold no others. Light: `status` draws them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

GAP = "  "  # between the columns of a forest
LEAST_COLUMNS, MOST_COLUMNS = 10, 48  # of its intervals
EIGHTHS = " ▁▂▃▄▅▆▇█"
ASCII = " .-=#"


def is_ascii() -> bool:
    """Whether standard output can hold ASCII only."""
    try:
        EIGHTHS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeError:
        return True
    return False


def histogram(counts: Sequence[int], rows: int = 1) -> list[str]:
    """Columns as high as the counts, in so many lines; a count that is not 0 is always seen."""
    marks = ASCII if is_ascii() else EIGHTHS
    steps, highest = len(marks) - 1, max(counts, default=0) or 1
    heights = [math.ceil(count / highest * rows * steps) for count in counts]
    below = [row * steps for row in reversed(range(rows))]  # what the lines under each can show
    return ["".join(marks[min(max(height - under, 0), steps)] for height in heights) for under in below]


def scatter(
    points: Mapping[str, tuple[float, float]], columns: int, rows: int, across: Callable[[float], str],
    up: Callable[[float], str],
) -> list[str]:  # fmt: skip
    """A label at each point, across on a log scale, with the ends of both axes; none covers another."""
    xs, ys = ([point[axis] for point in points.values()] for axis in (0, 1))
    low_x, high_x, low_y, high_y = min(xs), max(xs), min(ys), max(ys)
    ends = [""] * rows
    ends[0], ends[-1] = (up(high_y), up(low_y)) if low_y < high_y else ("", "")
    ends[rows // 2] = up(low_y) if low_y == high_y else ""
    margin, canvas = max(map(len, ends)), [[" "] * columns for _ in range(rows)]
    for label, (x, y) in points.items():
        row = canvas[round((rows - 1) * _share(high_y, low_y, y))]
        first = round((columns - len(label)) * _share(math.log(low_x), math.log(high_x), math.log(x)))
        _put(row, label, first)
    corner, side, floor = ("+", "|", "-") if is_ascii() else ("└", "│", "─")
    lines = [f"{end:>{margin}} {side}{''.join(row).rstrip()}" for end, row in zip(ends, canvas, strict=True)]
    left, right = across(low_x), across(high_x)
    return [*lines, f"{'':{margin}} {corner}{floor * columns}", f"{'':{margin}}  {left}{right:>{columns - len(left)}}"]


def _share(low: float, high: float, value: float) -> float:
    """How far a value lies from one end to the other, 0 to 1; in the middle where there is but one value."""
    return 0.5 if low == high else (value - low) / (high - low)


def _put(row: list[str], label: str, first: int) -> None:
    """Write a label at the place nearest to `first` where it touches no other; where there is none, it is left out."""
    for start in sorted(range(len(row) - len(label) + 1), key=lambda start: abs(start - first)):
        if not "".join(row[max(0, start - 1) : start + len(label) + 1]).strip():
            row[start : start + len(label)] = label
            return


@dataclass(frozen=True)
class Whisker:
    """An interval with its name before it and its numbers behind it."""

    name: str
    lower: float
    upper: float
    words: str


def forest_lines(
    rows: Sequence[Whisker], width: int, around: float, write: Callable[[float], str],
    scale: Callable[[float], float] = float,
) -> list[str]:  # fmt: skip
    """A line for each interval on one scale, with a stroke through all of them where nothing changes.

    An interval meets the stroke where it holds that value, and nowhere else.
    """
    if not rows:
        return []
    margin, words = (max(len(getattr(row, part)) for row in rows) for part in ("name", "words"))
    columns = max(LEAST_COLUMNS, min(MOST_COLUMNS, width - margin - words - 2 * len(GAP)))
    values = [around, *(row.lower for row in rows), *(row.upper for row in rows)]
    low, high = min(values), max(values)

    def place(value: float) -> int:
        return round((columns - 1) * _share(scale(low), scale(high), scale(value)))

    dash, point, stroke, crossing = ("-", "o", "|", "+") if is_ascii() else ("━", "●", "│", "┿")
    lines, middle = [], place(around)
    for row in rows:
        first, last = place(row.lower), place(row.upper)
        if row.lower > around:
            first, last = max(first, middle + 1), max(last, middle + 1)
        elif row.upper < around:
            first, last = min(first, middle - 1), min(last, middle - 1)
        marks = [" "] * columns
        marks[first : last + 1] = [point] if first == last else [dash] * (last - first + 1)
        marks[middle] = stroke if marks[middle] == " " else crossing
        lines.append(f"{row.name:<{margin}}{GAP}{''.join(marks)}{GAP}{row.words}")
    return [
        *lines,
        f"{'':{margin}}{GAP}{_axis(columns, {place(value): write(value) for value in (low, around, high)})}",
    ]


def _axis(columns: int, ends: Mapping[int, str]) -> str:
    """The numbers of a scale below their places; one that another would touch is left out."""
    line = [" "] * columns
    for place, label in ends.items():
        _put_at(line, label, min(max(place - len(label) // 2, 0), columns - len(label)))
    return "".join(line).rstrip()


def _put_at(row: list[str], label: str, start: int) -> None:
    if not "".join(row[max(0, start - 1) : start + len(label) + 1]).strip():
        row[start : start + len(label)] = label


def trend(values: Sequence[float | None]) -> str:
    """A mark for each value, higher where it is; a gap where there is none."""
    marks, gap = (ASCII[1:], "?") if is_ascii() else (EIGHTHS[1:], "·")
    known = [value for value in values if value is not None]
    lowest, span = min(known, default=0.0), (max(known, default=0.0) - min(known, default=0.0)) or 1.0
    levels = [None if value is None else round((value - lowest) / span * (len(marks) - 1)) for value in values]
    return "".join(gap if level is None else marks[level] for level in levels)
