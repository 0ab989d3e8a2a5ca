"""What a script expects of a run, and whether the run shows it, shows the opposite, or shows neither.

Judged is the score that the event ranks by, with the interval in which it would lie over many sessions: bounds of the
parts multiplied, which is wider than their joint interval, and so never claims too much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tinytorch.benchmarking.comparison import Statistics
from tinytorch.benchmarking.records.work import Work
from tinytorch.benchmarking.statistics import ALPHA, Interval, Verdict
from tinytorch.competition.names import Expectation
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.rules.events import Ranked, Rules, load_rules
from tinytorch.competition.scoring.scores import (
    accuracy_factor,
    compared,
    compression_ratio_of,
    less_work,
    speedup_across_sessions,
)
from tinytorch.units import format_count, format_size, three_digits

COUNTED = (("flops", format_count, "FLOPs"), ("moved_bytes", format_size, "moved"))
EXACT = {"compression_ratio", "less_work"}
NO_WORSE_RATIO = 0.95  # of a timed score: what is smaller by less is no worse; sizes are exact and get no allowance
NO_WORSE_POINTS = 1.0  # of accuracy: two or three answers of a test set of some hundred


class Answer(StrEnum):
    """What became of an expectation."""

    SHOWN = "shown"
    OPPOSITE = "the opposite is shown"
    OPEN = "neither is shown"


@dataclass(frozen=True)
class Standing:
    """Where the optimized model stands beside the baseline: a ratio (`alike` at 1) or points of accuracy (at 0)."""

    score: str
    interval: Interval | None  # of 95 %
    alike: float
    allowance: float
    judged_by: Interval | None = None  # beside the baseline, of 1 - alpha by the rules; else that of 95 % is

    def outcome(self, expected: Expectation) -> Answer:
        """Whether what was expected is shown."""
        judged_by = self.judged_by or self.interval
        if judged_by is None:
            return Answer.OPEN
        if expected is Expectation.BETTER and judged_by.lower > self.alike:
            return Answer.SHOWN
        if expected is Expectation.NO_WORSE and judged_by.lower >= self.alike - self.allowance:
            return Answer.SHOWN
        return Answer.OPPOSITE if judged_by.upper < self.alike else Answer.OPEN

    @property
    def verdict(self) -> Verdict | None:
        """Better or worse where the whole interval says so; None without one."""
        judged_by = self.judged_by or self.interval
        return None if judged_by is None else verdict_of(judged_by, self.alike)

    @property
    def bounds(self) -> str:
        """The interval as people write it; empty without one, and in a word where it has no width."""
        if self.interval is None:
            return ""
        return "(exact)" if self.interval.lower == self.interval.upper else self._written(self.interval)

    def __str__(self) -> str:
        """The score and its interval."""
        if self.interval is None:
            return f"{self.score} has no interval"
        return f"{self.score} within {self._written(self.interval)}"

    def _written(self, interval: Interval) -> str:
        if not self.alike:
            return f"[{interval.lower:+.1f}, {interval.upper:+.1f}]"
        return f"[{three_digits(interval.lower)}, {three_digits(interval.upper)}]"


def answer(run: Measurement, event: str, expected: Expectation, rules: Rules) -> tuple[Answer, str]:
    """Whether a run shows what is expected of its optimized model, and by what."""
    if expected is Expectation.NO_MORE_WORK:
        return no_more_work(run.baseline.whole_work, run.optimized.whole_work)
    found = standing(run, event, rules)
    return found.outcome(expected), str(found)


def no_more_work(first: Work | None, second: Work | None) -> tuple[Answer, str]:
    """Whether the second does no more than the first, which is counted and not timed; and by what."""
    if first is None or second is None:
        return Answer.OPEN, "the work of both cannot be counted: what a class of one's own computes goes unseen"
    words = " and ".join(
        f"{_told(getattr(second, name), getattr(first, name), write)} {unit}" for name, write, unit in COUNTED
    )
    is_no_more = second.flops <= first.flops and second.moved_bytes <= first.moved_bytes
    return Answer.SHOWN if is_no_more else Answer.OPPOSITE, words


def _told(after: int, before: int, write: Callable[[float], str]) -> str:
    """Two counts, whole where they look alike otherwise."""
    if before != after and write(before) == write(after):
        return f"{after:,} (before {before:,})"
    return f"{write(after)} (before {write(before)})"


def verdict_of(interval: Interval, alike: float) -> Verdict:
    """Better or worse where the whole interval says so."""
    if interval.lower > alike:
        return Verdict.BETTER
    return Verdict.WORSE if interval.upper < alike else Verdict.NO_DETECTABLE_DIFFERENCE


def standing(
    run: Measurement, event: str, rules: Rules | None = None, statistics: Statistics | None = None
) -> Standing:
    """How the optimized model of a run stands by what an event ranks by; its `statistics` where they are known."""
    judged_by = rules or load_rules()
    ranked = judged_by.events[event].ranked_by
    found = statistics or compared(run, judged_by)
    if ranked == "accuracy":
        delta = _accuracy_delta(found)
        points = None if delta is None else Interval(100 * delta.lower, 100 * delta.upper)
        return Standing("accuracy (points)", points, alike=0.0, allowance=NO_WORSE_POINTS)
    allowance = 0.0 if ranked in EXACT else 1.0 - NO_WORSE_RATIO
    shown, used = (_ranked(run, found, ranked, judged_by, alpha) for alpha in (ALPHA, judged_by.significance.alpha))
    if ranked == "all_around" and used:
        used = _beside_baseline(run, used, judged_by)
    return Standing(ranked, shown, alike=1.0, allowance=allowance, judged_by=used)


def _beside_baseline(run: Measurement, score: Interval, rules: Rules) -> Interval:
    """An All-Around score over the baseline's own, which is not 1 where its accuracy is not the task's reference."""
    baseline = run.baseline.metrics.accuracy
    own = accuracy_factor(run, baseline.mean, rules) if baseline else None
    if own is None:
        return score
    return Interval(score.lower / own ** (1 / 3), score.upper / own ** (1 / 3))


def _ranked(run: Measurement, found: Statistics, ranked: Ranked, rules: Rules, alpha: float) -> Interval | None:
    sessions = run.protocol.sessions if run.protocol else 1
    speedup, compression = speedup_across_sessions(found.speedup, sessions, rules, alpha), _compression(run)
    parts = {
        "speedup": (speedup,),
        "compression_ratio": (compression,),
        "extreme_push": (compression, speedup),
        "less_work": (_less_work(run),),
        "all_around": (compression, speedup, _accuracy_factor(run, found, rules)),
    }[ranked]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    power = 1 / 3 if ranked == "all_around" else 1.0
    return Interval(math.prod(part.lower for part in known) ** power, math.prod(part.upper for part in known) ** power)


def _compression(run: Measurement) -> Interval | None:
    """The exact ratio, where all was seen that the models keep."""
    first, second = run.baseline.metrics.memory, run.optimized.metrics.memory
    if first is None or second is None or not first.has_raw_samples or not second.has_raw_samples:
        return None
    ratio = compression_ratio_of(first, second)
    return None if ratio is None or first.unseen or second.unseen else Interval(ratio, ratio)


def _less_work(run: Measurement) -> Interval | None:
    """The exact ratio of what was counted."""
    ratio = less_work(run)
    return None if ratio is None else Interval(ratio, ratio)


def _accuracy_delta(statistics: Statistics) -> Interval | None:
    """The interval of the difference; the test decides, so without a difference it holds 0."""
    found = statistics.accuracy_delta
    if found is None or found.ci_lower is None or found.ci_upper is None:
        return None
    if found.verdict == "no detectable difference":
        return Interval(min(found.ci_lower, 0.0), max(found.ci_upper, 0.0))
    return Interval(found.ci_lower, found.ci_upper)


def _accuracy_factor(run: Measurement, statistics: Statistics, rules: Rules) -> Interval | None:
    delta, baseline = _accuracy_delta(statistics), run.baseline.metrics.accuracy
    if delta is None or baseline is None:
        return None
    bounds = (min(1.0, max(0.0, baseline.mean + each)) for each in (delta.lower, delta.upper))
    lower, upper = (accuracy_factor(run, bound, rules) for bound in bounds)
    return None if lower is None or upper is None else Interval(lower, upper)
