"""How near a model comes to what its machine allows, in a sentence."""

from __future__ import annotations

from rich.text import Text

from tinytorch.benchmarking.light import LightSpeed, Split
from tinytorch.showing import safe_text
from tinytorch.units import format_share, format_time, ratio_words, three_digits
from tito.views.words import interval_words

HARDLY = 1.1  # times faster: where no more is possible, no number is told
CALLS = 0.1  # below this share calls take nearly all of the time
IMPOSSIBLE = 1.2  # above this share work was counted that was not done
LONGEST_NAME = 60
SPENT = {"memory": "reading and writing", "arithmetic": "arithmetic"}


def light_words(name: str, found: LightSpeed) -> Text:
    """Whose the time is, how much of it the machine needs, and how much faster it can be at most."""
    taken, least = format_time(found.taken_ns), format_time(found.least_ns)
    first = f"light speed: {safe_text(name, LONGEST_NAME)} takes {taken} in quiet"
    if found.share > IMPOSSIBLE:
        return Text(f"{first}, which is less than what was counted needs: that was counted wrongly")
    share = format_share(found.share)
    if found.interval:
        ends = (format_share(end) for end in (found.interval.lower, found.interval.upper))
        share = f"{share} {interval_words(*ends)}"
    return Text(f"{first}; its {SPENT[found.bound]} needs {least} here at least, {share} of that: {_rest(found)}")


def split_words(found: Split) -> Text:
    """A speedup as less work to do, times better use of the machine."""
    least, before = format_time(found.optimized_least_ns), format_time(found.baseline_least_ns)
    work = ratio_words(found.less_work, "less", "more")
    use = "as before" if found.better_use == 1 else ratio_words(found.better_use, "better", "worse")
    return Text(
        f"it has {work} work to do (at least {least} here, before {before}), and uses the machine {use}: "
        f"{three_digits(found.speedup)}x speed in all"
    )


def _rest(found: LightSpeed) -> str:
    """What the share leaves, for code that does the same work."""
    if found.share < CALLS:
        return "calls take nearly all of the time"
    left = 1 / found.share
    if left < HARDLY:
        return "with the same work it can hardly be faster"
    return f"with the same work it can be at most {three_digits(left)}x faster"
