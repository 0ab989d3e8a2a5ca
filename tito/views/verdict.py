"""What a run shows, in one line, and what that is worth in an event. The first thing on every screen of a result."""

from __future__ import annotations

from rich.text import Text

from tinytorch.benchmarking.comparison import Comparison, Statistics
from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.eligibility import Eligibility, eligibility, limit_words, value_words
from tinytorch.competition.scoring.expectation import standing
from tinytorch.competition.scoring.scores import compute_scores
from tinytorch.showing import safe_text
from tinytorch.units import BYTES_PER_MEGABYTE, ratio_words, significant, size_change_words, three_digits
from tito.views.scores import score_words, shown

TOLD_AS_RATIO = 2.0  # smallest differences that are at least so large
LEAST_ROUNDED = 0.1  # points: less would look like none
NOT_SHOWN = "no detectable difference"
COLOURS = {True: "green", False: "red", None: "yellow"}
ELIGIBLE = {True: "eligible", False: "not eligible", None: "could not check whether it is eligible"}


def headline(run: Run, found: Statistics) -> str:
    """`34x faster, 56x smaller, accuracy not shown to differ`."""
    first, second = run.baseline.metrics.memory, run.optimized.metrics.memory
    return ", ".join((speed_words(found.speedup), memory_words(first, second), accuracy_words(found.accuracy_delta)))


def verdict_lines(run: Run, found: Statistics) -> Text:
    """The verdict in bold, and below it what was compared."""
    beside = f"{run.task.name}: {source_words(run)} beside the baseline"
    return Text(headline(run, found), "bold").append(f"\n{beside}", "not bold dim")


def source_words(run: Run) -> str:
    """Whose model it is: `the strategy all_around`, or an entry's file."""
    return f"the strategy {run.source.name}" if run.source.kind == "strategy" else run.source.name


def speed_words(comparison: Comparison | None) -> str:
    """How much faster or slower, or that this is not shown and what would have been seen."""
    if comparison is None:
        return "speed not measured"
    words = "the same speed" if comparison.estimate == 1 else ratio_words(comparison.estimate, "faster", "slower")
    if comparison.verdict is None:
        return f"{words} (not tested)"
    return words if comparison.verdict != NOT_SHOWN else f"speed not shown to differ{_seen(comparison)}"


def _seen(comparison: Comparison) -> str:
    """How large a difference would have been seen; nothing where none would."""
    least = comparison.smallest_detectable
    if least is None:
        return ""
    size = f"{three_digits(least)}x" if least >= TOLD_AS_RATIO else f"{significant(100 * (least - 1), 2)} %"
    return f" ({size} would have been seen)"


def memory_words(baseline: Memory | None, optimized: Memory | None) -> str:
    """How much smaller or larger."""
    if baseline is None or optimized is None:
        return "memory not measured"
    return size_change_words(*(memory.mean * BYTES_PER_MEGABYTE for memory in (baseline, optimized)))


def accuracy_words(comparison: Comparison | None) -> str:
    """How many points higher or lower, or that this is not shown."""
    if comparison is None:
        return "accuracy not measured"
    points = 100 * comparison.estimate
    size = f"{abs(points):.1f}" if abs(points) >= LEAST_ROUNDED else significant(abs(points), 1)
    words = f"accuracy {size} points {'higher' if points > 0 else 'lower'}"
    if comparison.verdict is None:
        return f"{words} (not tested)" if points else "the same accuracy"
    return "accuracy not shown to differ" if comparison.verdict == NOT_SHOWN else words


def worth(run: Run, event: str, rules: Rules, found: Statistics) -> Text:
    """What the run is worth in an event: its score, what of that is shown, and whether it is eligible."""
    scores = compute_scores(run, rules, found)
    each = next(each for each in eligibility(run, scores, rules) if each.event == event)
    ranked_by, counts = each.asked.ranked_by, shown(each, standing(run, event, rules, found))
    said = f"{safe_text(each.asked.title, 60)}: {score_words(each.value, ranked_by)}"
    if counts is not None and counts != each.value:
        said += f", of which {score_words(counts, ranked_by)} is shown and counts"
    return Text(f"{said}; {_eligible_words(each)}", COLOURS[each.is_eligible])


def _eligible_words(each: Eligibility) -> str:
    """Eligible or not, and what is missed."""
    missed = [
        f"{limit.metric} {value_words(limit)}, asked {limit_words(limit)}"
        for limit in each.constraints
        if limit.satisfied is not True
    ]
    why = "; ".join([*missed, *([each.unseen] if each.unseen else [])])
    return f"{ELIGIBLE[each.is_eligible]}{f' ({why})' if why else ''}"
