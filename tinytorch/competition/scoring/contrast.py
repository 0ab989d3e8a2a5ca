"""Two runs beside each other: what may be compared is, and of the rest is said which field forbids it.

A size and counted work need the same task, and the same count. A speedup needs the same recipe and baseline besides,
and the same processor and backend: one strategy was 44.6x faster on one of our machines and 33.4x on another. A time
needs the same machine in all, and a baseline that took as long in both: otherwise it was another one at that hour.
Times and speedups of two sessions have the spread from session to session (of the rules) beside their own errors, and
a difference of speedups is shortened by what the machine may have moved either of them by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinytorch.benchmarking.comparison import UNDISTURBED, Comparison, Criteria, Disturbance, compare_accuracy
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Metrics, compression_ratio
from tinytorch.benchmarking.records.work import Work
from tinytorch.benchmarking.statistics import (
    Interval,
    Verdict,
    mean_estimate,
    moved_to_zero,
    unit_times,
    verdict,
    welch_interval,
    welch_p_values,
)
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.disturbance import MACHINE
from tinytorch.competition.scoring.scores import compared, session_spread

TASK = ("task.name", "task.dataset_sha256", "task.test_samples")
RECIPE = (
    "baseline.artifact_sha256", "protocol.tier", "protocol.mode", "protocol.sessions", "protocol.processes",
    "protocol.copies", "protocol.block_pairs", "protocol.discarded_calls", "protocol.timed_calls", "protocol.clock",
    "protocol.threads",
)  # fmt: skip
"""Visits are not among them: as many are made as there is time for."""
SAME_MACHINE = tuple(f"system_info.{name}" for name in MACHINE)
PROCESSOR = ("system_info.cpu_model", "system_info.logical_cores", "baseline.backend")
ONE_MODEL = (
    "optimized.backend",
)  # of one and the same entry another backend is another installation, and no technique

WORK = {"FLOPs": "flops", "bytes moved": "moved_bytes"}

Pair = tuple[float | None, float | None]


@dataclass(frozen=True)
class Obstacle:
    """A field that differs, and so forbids a comparison."""

    field: str
    first: str
    second: str


Obstacles = tuple[Obstacle, ...]


@dataclass(frozen=True)
class Contrast:
    """One figure of both runs, `values` in their order.

    `change` is second / first (of accuracy second - first) with its 95 % interval; `verdict` says whether the second is
    better. All are None where `obstacles` forbid it, or `reason` says what is missing.
    """

    figure: str
    values: Pair
    change: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    verdict: Verdict | None = None
    obstacles: Obstacles = ()
    reason: str = ""


def contrast(first: Run, second: Run, rules: Rules) -> list[Contrast]:
    """Speedup, memory, accuracy and the optimized models' times of two runs, and the baselines' as their control."""
    task, recipe, machine, processor = (
        tuple(_obstacles(first, second, fields)) for fields in (TASK, RECIPE, SAME_MACHINE, PROCESSOR)
    )
    is_one = first.source.sha256 == second.source.sha256
    installation = tuple(_obstacles(first, second, ONE_MODEL)) if is_one else ()
    known = session_spread(first.protocol.sessions, rules) ** 2 + session_spread(second.protocol.sessions, rules) ** 2
    times = [
        _times(role, first, second, known, rules, (*task, *recipe, *machine)) for role in ("baseline", "optimized")
    ]
    return [
        _speedup(first, second, known, rules, (*task, *recipe, *processor, *installation)),
        _memory(first.optimized.metrics, second.optimized.metrics, task),
        _accuracy(first.optimized.metrics, second.optimized.metrics, rules, task),
        *_work(first.optimized.whole_work, second.optimized.whole_work, task),
        *_controlled(*times),
    ]


def _obstacles(first: Run, second: Run, fields: Sequence[str]) -> Iterator[Obstacle]:
    for field in fields:
        values = []
        for run in (first, second):
            record, name = field.split(".")
            values.append(str(getattr(getattr(run, record), name)))
        if values[0] != values[1]:
            yield Obstacle(field, *values)


def _speedup(first: Run, second: Run, known: float, rules: Rules, obstacles: Obstacles) -> Contrast:
    one, two = (compared(run, rules).speedup for run in (first, second))
    values = (one.estimate if one else None, two.estimate if two else None)
    logs = [each.log_ratios if each else None for each in (one, two)]
    before, after = ((each.disturbance if each else None) or UNDISTURBED for each in (one, two))
    moved = Disturbance(down=after.down + before.up, up=after.up + before.down)
    return _tested("speedup", values, logs, known, rules, obstacles, is_better=1, moved=moved)


def _times(role: str, first: Run, second: Run, known: float, rules: Rules, obstacles: Obstacles) -> Contrast:
    one, two = (getattr(run, role).metrics.latency for run in (first, second))
    values = (one.mean if one else None, two.mean if two else None)
    return _tested(
        f"{role} time", values, [_log_times(one), _log_times(two)], known, rules, obstacles, is_better=-1
    )  # fmt: skip


def _log_times(latency: Latency | None) -> list[float] | None:
    """ln of each unit's quiet time of a single call, nanoseconds."""
    if latency is None or latency.block_times_ns is None:
        return None
    times = unit_times(latency.block_times_ns, latency.copies_per_unit or 1)
    return [math.log(each / (latency.calls_per_sample or 1)) for each in times]


def _tested(
    figure: str, values: Pair, logs: Sequence[list[float] | None], known: float, rules: Rules,
    obstacles: Obstacles, is_better: int, moved: Disturbance = UNDISTURBED,
) -> Contrast:  # fmt: skip
    """Welch's test on the log scale; `is_better` is 1 where more is better, -1 where less is.

    Tested is what is left of the change without what the machine may have `moved` it by.
    """
    if obstacles:
        return Contrast(figure, values, obstacles=obstacles)
    estimates = [mean_estimate(each) for each in logs if each]
    errors = [(each.standard_error**2, each.units - 1) for each in estimates if each.standard_error is not None]
    if len(errors) < 2:
        return Contrast(figure, values, reason="too few processes were timed, or there is no spread between them")
    change = estimates[1].mean - estimates[0].mean
    left = moved_to_zero(change, moved.down, moved.up)
    interval, p_value = welch_interval(change, errors, known), float(welch_p_values(left, errors, known))
    return Contrast(
        figure, values, change=math.exp(change), p_value=p_value,
        interval=Interval(math.exp(interval.lower - moved.down), math.exp(interval.upper + moved.up)),
        verdict=verdict(p_value, is_better * left, rules.significance.alpha),
    )  # fmt: skip


def _memory(first: Metrics, second: Metrics, obstacles: Obstacles) -> Contrast:
    """Exactly, in bytes."""
    before, after = first.memory, second.memory
    sizes = (before.mean if before else None, after.mean if after else None)
    is_counted = before and after and before.has_raw_samples and after.has_raw_samples
    if obstacles or not before or not after or not is_counted:
        return Contrast("memory", sizes, obstacles=obstacles, reason="" if obstacles else "not counted in both")
    if (before.code_bytes is None) != (after.code_bytes is None):
        return Contrast("memory", sizes, reason="one was counted without its artifact and code, before schema 3.2")
    return _exact("memory", sizes, compression_ratio(after, before))


def _exact(figure: str, values: Pair, ratio: float) -> Contrast:
    """Of what is counted, less is better."""
    found = Verdict.NO_DETECTABLE_DIFFERENCE if ratio == 1 else Verdict.BETTER if ratio < 1 else Verdict.WORSE
    return Contrast(figure, values, change=ratio, interval=Interval(ratio, ratio), verdict=found)


def _work(before: Work | None, after: Work | None, obstacles: Obstacles) -> Iterator[Contrast]:
    """What an inference does, counted; nothing where it was counted in neither run."""
    for figure, name in WORK.items() if before or after else ():
        first, second = (None if work is None else float(getattr(work, name)) for work in (before, after))
        if obstacles or not first or second is None:
            reason = "" if obstacles else "cannot be counted in both"
            yield Contrast(figure, (first, second), obstacles=obstacles, reason=reason)
        else:
            yield _exact(figure, (first, second), second / first)


def _accuracy(first: Metrics, second: Metrics, rules: Rules, obstacles: Obstacles) -> Contrast:
    """McNemar's test over the samples that both answered."""
    shares = (first.accuracy.mean if first.accuracy else None, second.accuracy.mean if second.accuracy else None)
    if obstacles or not first.accuracy or not second.accuracy:
        return Contrast("accuracy", shares, obstacles=obstacles, reason="" if obstacles else "not measured in both")
    found = compare_accuracy(first.accuracy, second.accuracy, Criteria(alpha=rules.significance.alpha))
    return Contrast(
        "accuracy", shares, change=found.estimate, interval=_interval(found), p_value=found.p_value,
        verdict=found.verdict, reason=found.reason or "",
    )  # fmt: skip


def _interval(found: Comparison) -> Interval | None:
    return None if found.ci_lower is None or found.ci_upper is None else Interval(found.ci_lower, found.ci_upper)


def _controlled(baseline: Contrast, optimized: Contrast) -> tuple[Contrast, Contrast]:
    """Times are compared only where one and the same baseline took as long in both sessions."""
    if baseline.verdict in (None, Verdict.NO_DETECTABLE_DIFFERENCE):
        return baseline, optimized
    reason = "the same baseline took another time: the machine was faster or slower then; compare the speedups"
    return baseline, Contrast(optimized.figure, optimized.values, reason=reason)
