"""How near a model comes to what its machine allows, in a sentence."""

from __future__ import annotations

from rich.text import Text

from tinytorch.benchmarking.light import LightSpeed
from tinytorch.units import format_share, format_time, three_digits
from tito.views.runs import interval_words

HARDLY = 1.1  # times faster: where no more is left, nothing is said of it


def light_words(found: LightSpeed) -> Text:
    """The share with its interval, what it is a share of, and how much is left."""
    shown = format_share(found.share, 0)
    if found.interval:
        bounds = interval_words(format_share(found.interval.lower, 0), format_share(found.interval.upper, 0))
        shown = f"{shown} {bounds}"
    need = f"what it reads and writes takes {format_time(found.least_ns)} at least"
    if found.bound == "arithmetic":
        need = f"what it computes takes {format_time(found.least_ns)} at least"
    left = 1 / found.share
    rest = f"at most {three_digits(left)}x is left" if left > HARDLY else "hardly anything is left"
    return Text(f"light speed: {shown} of what this machine allows, where {need}; {rest} without doing less")
