"""A run as plots: the intervals of its scores beside "no change", and how the ratios of its block pairs are spread."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from tinytorch.benchmarking.comparison import block_distribution
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.expectation import Standing, standing
from tinytorch.competition.scoring.scores import compared
from tinytorch.units import three_digits
from tito.terminal.plots import Whisker, forest_lines, histogram
from tito.views.words import times_interval

COLUMNS, ROWS = 48, 5
SCORES = {
    "speedup": "speed", "compression_ratio": "size", "all_around": "all-around", "extreme_push": "extreme push",
    "less_work": "less work", "accuracy": "accuracy",
}  # fmt: skip


def forest(run: Run, rules: Rules, width: int) -> RenderableType:
    """The interval of every score as a line beside that of no change; ratios on a log scale, accuracy in points."""
    ratios, points = [], []
    for name, found in _standings(run, rules):
        if found.interval and found.alike:
            words = times_interval(found.interval.lower, found.interval.upper)
            ratios.append(Whisker(name, found.interval.lower, found.interval.upper, words))
        elif found.interval:
            points.append(Whisker(name, found.interval.lower, found.interval.upper, f"{found.bounds} points"))
    lines = ["95 % intervals; one that meets the upright line", "shows no difference from the baseline", ""]
    lines += forest_lines(ratios, width, 1.0, lambda ratio: f"{three_digits(ratio)}x", math.log)
    lines += ["", *forest_lines(points, width, 0.0, lambda value: f"{value:+.1f}")] if points else []
    return Text("\n".join(lines), no_wrap=True)


def _standings(run: Run, rules: Rules) -> Iterator[tuple[str, Standing]]:
    """Every score that an event ranks by, once, and how the run stands by it."""
    tested = compared(run, rules)
    for score, event in {event.ranked_by: name for name, event in rules.events.items()}.items():
        yield SCORES[score], standing(run, event, rules, tested)


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
