"""The plots of a report: Pareto fronts, the axis of a table's bars, and how the ratios of block pairs are spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from tinytorch.benchmarking.comparison import Distribution
from tinytorch.competition.ranking.figures import Figures
from tinytorch.perf.benchmarking.results import pareto_frontier
from tinytorch.showing import safe_text
from tinytorch.units import three_digits
from tito.report.labels import placed
from tito.report.svg import ACCENT, FAINT, INK, MUTED, drawn

MARGIN = 0.06  # of a bar's width on either side, so that the labels of its axis have room
FONT_POINTS = 8
LONGEST_LABEL, MOST_LABELS, MARK = 16, 6, "name-"
ROUND, MOST_TICKS = (1, 2, 5), 4
FEWEST_POWERS = 5.0  # a span with at least two of 1, 2, 5, 10
SHARE_ROOM = 0.005  # above and below accuracies: a half point


@dataclass(frozen=True)
class Scale:
    """Where a value lies in a bar, from 0 to 100; ratios on a log scale, points of accuracy on a linear one."""

    lower: float
    upper: float
    is_log: bool

    def position(self, value: float) -> float:
        """Per cent of the width."""
        low, high, at = ((math.log(each) for each in (self.lower, self.upper, value)) if self.is_log
                         else (self.lower, self.upper, value))  # fmt: skip
        return 100 * (MARGIN + (1 - 2 * MARGIN) * ((at - low) / (high - low) if high > low else 0.5))

    @property
    def around(self) -> tuple[float, float]:
        """Room on either side of a single value."""
        return (self.lower / 2, self.upper * 2) if self.is_log else (self.lower - 1, self.upper + 1)


def axis(scale: Scale, name: str, label: str) -> Markup:
    """The common axis of the bars in a table."""
    figure = Figure(figsize=(2.2, 0.32))
    axes = figure.add_axes((MARGIN, 0.7, 1 - 2 * MARGIN, 0.01))
    axes.set_xscale("log" if scale.is_log else "linear")
    axes.set_xlim(*((scale.lower, scale.upper) if scale.upper > scale.lower else scale.around))
    _round_ticks(axes.xaxis, axes.get_xlim(), scale.is_log, "{:.4g}".format)
    axes.yaxis.set_visible(False)
    _dress(axes, ("top", "left", "right"))
    return drawn(figure, name, label, "axis")


def histogram(found: Distribution, name: str, estimate: float | None) -> Markup:
    """How the ratios of block pairs are spread on a log scale, with a line where the whole session sees the speedup."""
    figure = Figure(figsize=(3.4, 0.8))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.stairs(found.counts, fill=True, color=FAINT, clip_on=False)
    bins, highest = len(found.counts), max(found.counts)
    if estimate is not None and found.lower < estimate < found.upper:
        place = bins * math.log(estimate / found.lower) / math.log(found.upper / found.lower)
        axes.plot([place] * 2, [0, highest], color=ACCENT, linewidth=1.5, clip_on=False)
    axes.set(xlim=(0, bins), ylim=(0, highest))
    pairs = sum(found.counts) + found.below + found.above
    span = f"{three_digits(found.lower)} to {three_digits(found.upper)}"
    alt = f"{pairs} block pairs, nearly all with a speedup from {span}"
    return drawn(figure, name, alt, "histogram")


QUANTITIES = ("speedup", "compression ratio", "accuracy")
SPEEDUP, COMPRESSION, ACCURACY = range(3)
PANELS = ((SPEEDUP, ACCURACY), (COMPRESSION, ACCURACY), (SPEEDUP, COMPRESSION))  # across, up

Point = tuple[float, float, float]


def fronts(entries: Sequence[Figures], name: str) -> tuple[list[Markup], list[Figures]]:
    """A panel for each pair of accuracy, speedup and compression, and who is beaten by nobody in all three."""
    known = [(each, point) for each in entries if (point := _point(each)) is not None]
    if len(known) < 2:
        return [], [each for each, _ in known]
    drawn_panels, best = panels([(point, each.athlete_name) for each, point in known], name)
    return drawn_panels, [known[index][0] for index in best]


def panels(named: Sequence[tuple[Point, str]], name: str) -> tuple[list[Markup], list[int]]:
    """A panel for each pair of quantities, and the numbers of the points that no other beats in all three."""
    points = [point for point, _ in named]
    best = _front(points)
    names = {index: safe_text(named[index][1], LONGEST_LABEL) for index in best[:MOST_LABELS]}
    return [_panel(points, set(best), names, f"{name}-{each}", *panel) for each, panel in enumerate(PANELS)], best


def _front(points: Sequence[tuple[float, ...]]) -> list[int]:
    """The numbers of those that nobody beats, where more is better."""
    return pareto_frontier(points, [False] * len(points[0]))


def _point(entry: Figures) -> Point | None:
    """The three quantities of an entry of which all were measured."""
    speedup, compression, accuracy = entry.scores.speedup, entry.scores.compression_ratio, entry.accuracy
    if speedup is None or compression is None or accuracy is None:
        return None
    return speedup, compression, accuracy


def _panel(
    points: Sequence[Point], best: Set[int], names: Mapping[int, str], name: str, across: int, up: int
) -> Markup:  # fmt: skip
    """All entries, those on the front of all three filled and named, and the front of these two as a line."""
    figure = Figure(figsize=(3.2, 2.5))
    axes = figure.add_axes((0.17, 0.18, 0.79, 0.78))
    places = [(point[across], point[up]) for point in points]
    line = sorted(places[index] for index in _front(places))
    axes.step(*zip(*line, strict=True), where="pre", color=ACCENT, linewidth=1, clip_on=False)
    for is_best, filled, edge in ((False, "none", MUTED), (True, ACCENT, ACCENT)):
        shown = [place for index, place in enumerate(places) if (index in best) is is_best]
        across_values, up_values = [x for x, _ in shown], [y for _, y in shown]
        axes.scatter(across_values, up_values, s=18, facecolors=filled, edgecolors=edge, linewidths=1, clip_on=False)
    is_share, words = up == ACCURACY, (QUANTITIES[across], QUANTITIES[up])
    axes.set(xscale="log", yscale="linear" if is_share else "log", xlabel=words[0], ylabel=words[1])
    if is_share:
        heights = [height for _, height in places]
        axes.set_ylim(min(heights) - SHARE_ROOM, max(heights) + SHARE_ROOM)
    _round_ticks(axes.xaxis, axes.get_xlim(), True, _as_ratio)
    _round_ticks(axes.yaxis, axes.get_ylim(), not is_share, _as_share if is_share else _as_ratio)
    _dress(axes, ("top", "right"))
    alt = f"{words[1]} against {words[0]}: {len(points)} entries, {len(line)} of them on the front of these two"
    _label(axes, places, names)
    return drawn(figure, name, alt, texts={f"{MARK}{index}": each for index, each in names.items()})


def _label(axes: Axes, places: Sequence[tuple[float, float]], names: Mapping[int, str]) -> None:
    """Names beside their points, as marks that the drawing replaces."""
    shares = axes.transAxes.inverted().transform(axes.transData.transform([places[index] for index in names]))
    points = [(index, *share, len(name)) for (index, name), share in zip(names.items(), shares, strict=True)]
    for label in placed(points):
        side = "left" if label.is_right else "right"
        axes.text(
            label.x, label.y, f"{MARK}{label.number}", transform=axes.transAxes, horizontalalignment=side, color=INK,
            fontsize=FONT_POINTS,
        )  # fmt: skip


def _round_ticks(axis: Axis, limits: tuple[float, float], is_log: bool, write: Callable[[float], str]) -> None:
    """A few ticks at round numbers, so that no label meets another."""
    places = round_numbers(*limits, is_log)
    axis.set_ticks(places, [write(each) for each in places])
    axis.set_minor_locator(NullLocator())


def round_numbers(low: float, high: float, is_log: bool) -> list[float]:
    """From one to four round numbers between two, of which the first is the lower: 1, 2 and 5 times a power of ten.

    Where those lie too far apart for a log scale, and on a linear one, they are multiples of one of them.
    """
    if is_log and high / low >= FEWEST_POWERS:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [digit * 10.0**power for power in powers for digit in ROUND if low <= digit * 10.0**power <= high]
        return found[:: math.ceil(len(found) / MOST_TICKS)]
    if math.isclose(low, high):
        return [low]
    power = math.floor(math.log10((high - low) / MOST_TICKS))
    steps = [digit * 10.0**each for each in (power, power + 1) for digit in ROUND]
    step = next(each for each in steps if (high - low) / each < MOST_TICKS)
    found = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return found or [low]


def _as_ratio(value: float) -> str:
    return f"{value:.4g}x"


def _as_share(value: float) -> str:
    return f"{100 * value:.4g} %"


def _dress(axes: Axes, hidden: Sequence[str]) -> None:
    """The page's colours, and text that the page sizes."""
    axes.tick_params(colors=MUTED, labelsize=FONT_POINTS, length=0, which="both")
    axes.spines[list(hidden)].set_visible(False)
    axes.spines[:].set_color(MUTED)
    for each in (axes.xaxis.label, axes.yaxis.label):
        each.set(color=INK, fontsize=FONT_POINTS)
