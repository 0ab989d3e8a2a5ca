"""Checks that measurements look measured: warnings, each with its numbers. They accuse nobody; they ask."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytorch import units
from tinytorch.benchmarking.comparison import is_lottery
from tinytorch.competition.case import Case, Times
from tinytorch.competition.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.units import format_share as share

NO_SAMPLES = "no raw latency samples"
MEASURE_AGAIN = "measure again with tito olympics benchmark, and submit that run as it is"
FEWEST_DISTINCT = 10  # with fewer different times two honest series can be alike by chance
SHORTEST_WINDOW, LONGEST_WINDOW = 4, 64  # samples
HASH_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: odd, and without a pattern (Knuth, TAOCP 6.4)


@check(
    why="A real clock never gives the same time again and again; a loop of constants does.",
    mend=MEASURE_AGAIN,
    severity="warning",
)
def varying_times(case: Case) -> Outcome:
    """Timed samples are not all equal."""
    if not case.times:
        return unknown(NO_SAMPLES)
    frozen = [role for role, times in case.times.items() if times.size > 1 and np.ptp(times) == 0]
    if frozen:
        times = case.times[frozen[0]]
        shown = f"all {times.size} latency samples of {' and '.join(frozen)} are equal"
        return failed(f"{shown} ({units.format_time(times[0])})", samples=times.size, time_ns=float(times[0]))
    return passed("the latency samples vary")


@check(
    why="Noise does not repeat itself; a passage that comes twice was copied.", mend=MEASURE_AGAIN, severity="warning"
)
def repeated_times(case: Case) -> Outcome:
    """No run of consecutive samples comes twice in one model's times."""
    if not case.times:
        return unknown(NO_SAMPLES)
    for role, times in case.times.items():
        length = _telling_window(times, case.limits.repeated_window_chance)
        if length is None:
            return unknown(f"the {role} samples have too few different values to tell a repetition from chance")
        windows = _window_hashes(times, length)
        repeated = int((np.diff(np.sort(windows)) == 0).sum())
        if repeated:
            message = f"{repeated} runs of {length} consecutive {role} samples come more than once"
            return failed(message, repeated=repeated, window_samples=length, samples=times.size)
    return passed("no run of samples repeats")


@check(
    why="Two models' noise is not the same; times computed from the other model's are.",
    mend=MEASURE_AGAIN,
    severity="warning",
)
def independent_times(case: Case) -> Outcome:
    """The optimized model's samples are not the baseline's times a constant, plus a constant, in any order."""
    if len(case.times) < 2 or case.times["baseline"].size != case.times["optimized"].size:
        return unknown("no raw latency samples of both models to set side by side")
    baseline, optimized = case.times["baseline"], case.times["optimized"]
    ordered = np.sort(baseline)
    if np.count_nonzero(np.diff(ordered)) + 1 < FEWEST_DISTINCT:
        return unknown(f"fewer than {FEWEST_DISTINCT} different baseline samples")
    for order, first, second in (("", baseline, optimized), (", reordered", ordered, np.sort(optimized))):
        factor, offset = _line(first, second)
        distance = float(np.abs(second - factor * first - offset).max())
        if distance <= case.limits.scaled_copy_tolerance_ns + 0.5 * abs(factor):
            shown = f"the baseline's x {factor:.6g} + {offset:.6g} ns{order}"
            message = f"all {first.size} optimized samples are {shown}, within {distance:.2g} ns"
            return failed(message, samples=first.size, factor=factor, offset_ns=offset, distance_ns=distance)
    return passed("the two models' samples are independent")


@check(
    why="Both numbers describe the same two models; far apart, a few samples decide one of them.",
    mend="close other programs and " + MEASURE_AGAIN,
    severity="warning",
)
def ratios_agree(case: Case) -> Outcome:
    """The paired speedup and the ratio of the mean times tell about the same."""
    baseline, optimized = case.baseline.latency, case.optimized.latency
    speedup = case.statistics.speedup
    if baseline is None or optimized is None or speedup is None or speedup.log_ratios is None:
        return unknown("no paired latency samples")
    plain = baseline.mean / optimized.mean
    factor = max(plain / speedup.estimate, speedup.estimate / plain)
    shown = f"paired speedup {speedup.estimate:.3g}, ratio of the mean times {plain:.3g}"
    if factor > case.limits.ratio_disagreement:
        message = f"{shown}: they differ by a factor of {factor:.3g}"
        return failed(message, paired=speedup.estimate, plain=plain, limit=case.limits.ratio_disagreement)
    return passed(shown)


@check(
    why="The unit of replication is a process, or a session; few of them can lie well by luck.",
    mend="measure with at least the fast tier: tito olympics benchmark --tier fast",
    severity="warning",
)
def sample_count(case: Case) -> Outcome:
    """There are enough units for a speedup and enough test samples for an accuracy."""
    counts = {f"{role} units": latency.unit_count for role, latency in case.latencies.items()}
    accuracies = {role: metrics.accuracy for role, metrics in case.models.items() if metrics.accuracy}
    tested = {f"{role} test samples": accuracy.total for role, accuracy in accuracies.items() if accuracy.total}
    if not counts and not tested:
        return unknown("no raw samples to count")
    few = {name: count for name, count in counts.items() if count < case.limits.fewest_units}
    few |= {name: count for name, count in tested.items() if count < case.limits.fewest_test_samples}
    if few:
        limits = f"at least {case.limits.fewest_units} units and {case.limits.fewest_test_samples} test samples"
        shown = ", ".join(f"{count} {name}" for name, count in few.items())
        evidence = {name.replace(" ", "_"): count for name, count in few.items()}
        return failed(f"too few: {shown}; {limits} are needed", **evidence)
    return passed("enough units and test samples")


@check(
    why="A model that is rarely at its best would win by one lucky block, so its typical times are compared instead.",
    mend="make the model take the same time whatever its input; tito olympics benchmark shows both times",
    severity="warning",
)
def steady_times(case: Case) -> Outcome:
    """The optimized model's typical time is about as far above its quiet time as the baseline's."""
    baseline, optimized = case.baseline.latency, case.optimized.latency
    if not baseline or not optimized or baseline.typical is None or optimized.typical is None:
        return unknown(NO_SAMPLES)
    found, usual = optimized.typical / optimized.mean, baseline.typical / baseline.mean
    shown = f"typical / quiet time is {found:.3g} for the optimized model, {usual:.3g} for the baseline"
    if is_lottery(baseline, optimized, case.rules.significance.typical_excess):
        return failed(f"{shown}: compared by typical times", optimized=found, baseline=usual)
    return passed(shown)


@check(
    why="Optimizing keeps a model's answers at best; a clear gain often means that test samples were trained on.",
    mend="make sure that no test sample was trained on, and name the technique that did it",
    severity="warning",
)
def accuracy_gain(case: Case) -> Outcome:
    """In the closed division accuracy does not rise above what the test set can tell from the baseline's."""
    if case.submission.division == "open":
        return passed("the open division may gain any accuracy")
    baseline, optimized = case.baseline.accuracy, case.optimized.accuracy
    if baseline is None or optimized is None or baseline.ci_upper is None:
        return unknown("no interval of the baseline's accuracy")
    before, end = share(baseline.mean, 2), share(baseline.ci_upper, 2)
    shown = f"{share(optimized.mean, 2)} after {before}, whose interval ends at {end}"
    if optimized.mean > baseline.ci_upper:
        message = f"accuracy rose to {shown}"
        return failed(message, optimized=optimized.mean, baseline=baseline.mean, baseline_upper=baseline.ci_upper)
    return passed(f"accuracy is {shown}")


@check(
    why="A baseline that was trained badly, or not at all, makes every entry look good.",
    mend="use the task's own baseline: tito olympics benchmark trains it, or takes it from the cache",
    severity="warning",
)
def baseline_accuracy(case: Case) -> Outcome:
    """The baseline is about as accurate as its task expects."""
    task, accuracy = case.submission.task, case.baseline.accuracy
    if task is None or task.expected_accuracy is None:
        return unknown("the run did not record which accuracy its task expects of the baseline")
    if accuracy is None:
        return unknown("the baseline's accuracy was not measured")
    shown = f"the baseline has {share(accuracy.mean, 2)}, its task expects {share(task.expected_accuracy, 2)}"
    if abs(accuracy.mean - task.expected_accuracy) > case.limits.baseline_accuracy_tolerance:
        return failed(shown, accuracy=accuracy.mean, expected=task.expected_accuracy)
    return passed(shown)


def _telling_window(times: Times, chance: float) -> int | None:
    """The shortest window of samples of which two are alike by chance less often than `chance`, doubled for drift.

    A birthday bound: two samples agree with the probability that their own frequencies give, two windows with its
    power, and there are about n^2 / 2 pairs of windows. None where no such window is short enough.
    """
    changes = np.flatnonzero(np.diff(np.sort(times), prepend=-1.0, append=np.inf))
    agreement = float(((np.diff(changes) / times.size) ** 2).sum())
    if agreement == 1:
        return None
    length = max(SHORTEST_WINDOW, 2 * math.ceil(math.log(2 * chance / times.size**2) / math.log(agreement)))
    return length if 2 * length <= times.size and length <= LONGEST_WINDOW else None


def _window_hashes(times: Times, length: int) -> NDArray[np.uint64]:
    """A polynomial hash of every window of `length` consecutive samples (Karp & Rabin 1987), modulo 2^64."""
    codes = times.astype(np.uint64)
    count = times.size - length + 1
    hashes = np.zeros(count, dtype=np.uint64)
    for start in range(length):
        hashes = hashes * HASH_BASE + codes[start : start + count]
    return hashes


def _line(x: Times, y: Times) -> tuple[float, float]:
    """Slope and offset of the least-squares line through (x, y); x varies."""
    deviations = x - x.mean()
    slope = float(deviations @ (y - y.mean()) / (deviations @ deviations))
    return slope, float(y.mean() - slope * x.mean())


CHECKS: tuple[Check[Case], ...] = (
    varying_times,
    repeated_times,
    independent_times,
    ratios_agree,
    sample_count,
    steady_times,
    accuracy_gain,
    baseline_accuracy,
)
