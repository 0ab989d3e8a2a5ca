"""Small plots of block characters, or of ASCII where the output can hold no others. Light: `status` draws them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

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


def trend(values: Sequence[float | None]) -> str:
    """A mark for each value, higher where it is; a gap where there is none."""
    marks, gap = (ASCII[1:], "?") if is_ascii() else (EIGHTHS[1:], "·")
    known = [value for value in values if value is not None]
    lowest, span = min(known, default=0.0), (max(known, default=0.0) - min(known, default=0.0)) or 1.0
    levels = [None if value is None else round((value - lowest) / span * (len(marks) - 1)) for value in values]
    return "".join(gap if level is None else marks[level] for level in levels)
