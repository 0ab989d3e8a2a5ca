"""Two runs beside each other, to rich renderables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.benchmarking.comparison import Comparison
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.contrast import Contrast
from tinytorch.competition.scoring.eligibility import NOT_MEASURED
from tinytorch.competition.scoring.scores import compared
from tinytorch.showing import safe_text
from tinytorch.units import format_count, format_metric, format_size, size_words, three_digits
from tito.terminal.tables import Lines, table
from tito.views.runs import busy
from tito.views.verdict import accuracy_words, speed_words
from tito.views.words import p_words

NOT_COMPARED = "not compared"
LONGEST_VALUE = 40
WORK_FORMATS: dict[str, Callable[[float], str]] = {"FLOPs": format_count, "bytes moved": format_size}


def contrast_table(runs: Sequence[Run], found: Sequence[Contrast], rules: Rules) -> RenderableType:
    """The verdict, a line for each figure, then why some are not compared."""
    named = (f"{run.source.name} {run.protocol.ended_at:%Y-%m-%d %H:%M}" for run in runs)
    shown = table(None, "", *named, "second to first")
    for each in found:
        shown.add_row(each.figure, *(_value(each.figure, value) for value in each.values), _change(each))
    return Group(_verdict(found), Text(), shown, *map(Text, _why(found)), *_busy(runs, rules))


def _verdict(found: Sequence[Contrast]) -> Text:
    """`the second run beside the first: 1.25x faster, the same size, accuracy not shown to differ`."""
    words = {"speedup": speed_words, "memory": _size_words, "accuracy": accuracy_words}
    known = {each.figure: (each.change, each.verdict) for each in found}
    comparisons = {
        figure: Comparison(estimate=change, verdict=judged)
        for figure, (change, judged) in known.items()
        if change is not None
    }
    said = [words[figure](comparisons[figure]) for figure in words if figure in comparisons]
    return Text(f"the second run beside the first: {', '.join(said) or 'nothing can be compared'}", "bold")


def _size_words(memory: Comparison) -> str:
    return size_words(1 / memory.estimate)


def _busy(runs: Sequence[Run], rules: Rules) -> Iterator[Text]:
    """What the machine may have done to the speedup of each run."""
    for word, run in zip(("first", "second"), runs, strict=True):
        for said in busy(run, compared(run, rules), rules):
            yield Text(f"{word}: ").append(said)


def _value(figure: str, value: float | None) -> str:
    if value is None:
        return NOT_MEASURED
    if figure in ("memory", "accuracy"):
        return format_metric("memory" if figure == "memory" else "accuracy", value)
    if figure in WORK_FORMATS:
        return WORK_FORMATS[figure](value)
    return f"{three_digits(value)}x" if figure == "speedup" else format_metric("latency", value)


def _change(each: Contrast) -> Lines:
    """What changed, with its interval and verdict."""
    if each.change is None:
        return Lines(NOT_COMPARED)
    write = _points if each.figure == "accuracy" else three_digits
    shown = f"{write(each.change)} points" if each.figure == "accuracy" else f"{write(each.change)}x"
    bounds = "" if each.interval is None else f"[{write(each.interval.lower)}, {write(each.interval.upper)}]"
    is_exact = each.interval is not None and each.interval.lower == each.interval.upper
    tested = "" if each.p_value is None else p_words(each.p_value)
    return Lines(shown, "(exact)" if is_exact else bounds, _judged(each, is_exact), tested)


def _judged(each: Contrast, is_exact: bool) -> str:
    """Better or worse; nobody makes a baseline better, which only shows how the machine was."""
    if each.verdict is None or each.figure.startswith("baseline"):
        return ""
    return "equal" if is_exact and each.verdict is Verdict.NO_DETECTABLE_DIFFERENCE else each.verdict.value


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.1f}"


def _why(found: Sequence[Contrast]) -> Iterator[str]:
    """Each reason once, with the figures that it forbids."""
    figures: dict[str, list[str]] = {}
    for each in found:
        for obstacle in each.obstacles:
            values = " and ".join(safe_text(value, LONGEST_VALUE) for value in (obstacle.first, obstacle.second))
            figures.setdefault(f"{obstacle.field} differs: {values}", []).append(each.figure)
        if each.reason:
            figures.setdefault(each.reason, []).append(each.figure)
    for reason, forbidden in figures.items():
        yield f"{NOT_COMPARED}: {', '.join(forbidden)}: {reason}"
