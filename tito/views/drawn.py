"""A run as plots: the intervals of its scores beside "no change", and how the ratios of its block pairs are spread."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from tinytorch.benchmarking.comparison import Statistics, block_distribution
from tinytorch.benchmarking.statistics import Interval
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.expectation import standing
from tinytorch.competition.scoring.scores import compared
from tinytorch.units import three_digits
from tito.terminal.plots import Whisker, forest_lines, histogram
from tito.views.words import points_interval, times_interval

COLUMNS, ROWS = 48, 5
SCORES = {
    "speedup": "speed", "compression_ratio": "size", "all_around": "all-around", "extreme_push": "extreme push",
    "less_work": "less work",
}  # fmt: skip


def forest(run: Run, rules: Rules, width: int) -> RenderableType:
    """The interval of every score as a line beside that of no change; ratios on a log scale, accuracy in points."""
    found = compared(run, rules)
    ratios = [
        Whisker(name, interval.lower, interval.upper, times_interval(interval.lower, interval.upper))
        for name, interval in _ratios(run, rules, found)
    ]
    lines = ["95 % intervals; one that meets the upright line", "shows no difference from the baseline", ""]
    lines += forest_lines(ratios, width, 1.0, lambda ratio: f"{three_digits(ratio)}x", math.log)
    change = found.accuracy_delta
    if change and change.ci_lower is not None and change.ci_upper is not None:
        lower, upper = 100 * change.ci_lower, 100 * change.ci_upper
        points = Whisker("accuracy", lower, upper, f"{points_interval(change.ci_lower, change.ci_upper)} points")
        lines += ["", *forest_lines([points], width, 0.0, lambda value: f"{value:+.1f}")]
    return Text("\n".join(lines), no_wrap=True)


def _ratios(run: Run, rules: Rules, found: Statistics) -> Iterator[tuple[str, Interval]]:
    """The scores that are ratios, each once, with their intervals."""
    named = {event.ranked_by: name for name, event in rules.events.items() if event.ranked_by != "accuracy"}
    for score, event in named.items():
        interval = standing(run, event, rules, found).interval
        if interval is not None:
            yield SCORES[score], interval


def block_plot(run: Run) -> RenderableType:
    """How the ratios of block pairs are spread, on a log scale: what the speedup rests on, and what contention did."""
    first, second = run.baseline.metrics.latency, run.optimized.metrics.latency
    found = block_distribution(first, second, COLUMNS) if first and second else None
    if found is None:
        return Text("no block pairs were timed: nothing to draw", style="dim")
    left, right = f"{three_digits(found.lower)}x", f"{three_digits(found.upper)}x"
    pairs = sum(found.counts) + found.below + found.above
    lines = [f"{pairs:,} block pairs, by the speedup that each shows", *histogram(found.counts, ROWS)]
    lines += [f"{left:<{COLUMNS - len(right)}}{right}", f"{found.below + found.above} of them lie outside this picture"]
    return Text("\n".join(lines), no_wrap=True)
