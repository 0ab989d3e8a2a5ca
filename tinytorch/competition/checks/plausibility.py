"""Checks that measurements look measured: warnings, each with its numbers. They accuse nobody; they ask."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytorch import units
from tinytorch.benchmarking.comparison import is_lottery
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.checks.case import Case, Times
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.scores import reference_accuracy, typical_excess_of_small_code
from tinytorch.units import format_share as share

NO_SAMPLES = "no raw latency samples"
FEWEST_DISTINCT = 10  # with fewer different times two honest series can be alike by chance
SHORTEST_WINDOW, LONGEST_WINDOW = 4, 64  # samples
HASH_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: odd, and without a pattern (Knuth, TAOCP 6.4)


@check
def varying_times(case: Case) -> Outcome:
    if not case.times:
        return unknown(NO_SAMPLES)
    frozen = [role for role, times in case.times.items() if times.size > 1 and np.ptp(times) == 0]
    if frozen:
        times = case.times[frozen[0]]
        shown = f"all {times.size} latency samples of {' and '.join(frozen)} are equal"
        return failed(f"{shown} ({units.format_time(times[0])})", samples=times.size, time_ns=float(times[0]))
    return passed("the latency samples vary")


@check
def repeated_times(case: Case) -> Outcome:
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


@check
def independent_times(case: Case) -> Outcome:
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


@check
def ratios_agree(case: Case) -> Outcome:
    baseline, optimized = case.baseline.latency, case.optimized.latency
    speedup = case.statistics.speedup
    if baseline is None or optimized is None or speedup is None or speedup.log_ratios is None:
        return unknown("no paired latency samples")
    plain = baseline.mean_ns / optimized.mean_ns
    factor = max(plain / speedup.estimate, speedup.estimate / plain)
    shown = f"paired speedup {speedup.estimate:.3g}, ratio of the mean times {plain:.3g}"
    if factor > case.limits.ratio_disagreement:
        message = f"{shown}: they differ by a factor of {factor:.3g}"
        return failed(message, paired=speedup.estimate, plain=plain, limit=case.limits.ratio_disagreement)
    return passed(shown)


@check
def sample_count(case: Case) -> Outcome:
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


@check
def steady_times(case: Case) -> Outcome:
    baseline, optimized = case.baseline.latency, case.optimized.latency
    if not baseline or not optimized or baseline.typical_ns is None or optimized.typical_ns is None:
        return unknown(NO_SAMPLES)
    found, usual = optimized.typical_ns / optimized.mean_ns, baseline.typical_ns / baseline.mean_ns
    beside = typical_excess_of_small_code(case.run, case.rules)
    shown = f"typical / quiet time is {found:.3g} for the optimized model, {usual:.3g} for the baseline"
    if is_lottery(baseline, optimized, case.rules.significance.typical_excess, beside):
        return failed(f"{shown}: compared by typical times", optimized=found, baseline=usual)
    return passed(shown)


@check
def accuracy_gain(case: Case) -> Outcome:
    if not case.division.flags_accuracy_gain:
        return passed(f"the {case.declaration.division} division may gain any accuracy")
    delta = case.statistics.accuracy_delta
    if delta is None or delta.p_value is None:
        return unknown("no per-sample accuracy of both models to set side by side")
    shown = f"accuracy changed by {100 * delta.estimate:+.1f} points, p = {delta.p_value:.2g}"
    if delta.verdict == Verdict.BETTER:
        return failed(f"{shown}: more than chance", points=100 * delta.estimate, p_value=delta.p_value)
    return passed(shown)


@check
def baseline_accuracy(case: Case) -> Outcome:
    expected, accuracy = reference_accuracy(case.run, case.rules), case.baseline.accuracy
    if expected is None:  # rules up to 1.1 name no accuracies
        expected = reference_accuracy(case.run, load_rules())
    if expected is None:
        return unknown("the rules do not say which accuracy the baseline of this task has")
    if accuracy is None:
        return unknown("the baseline's accuracy was not measured")
    shown = f"the baseline has {share(accuracy.mean, 2)}, its task expects {share(expected, 2)}"
    if abs(accuracy.mean - expected) > case.limits.baseline_accuracy_tolerance:
        return failed(shown, accuracy=accuracy.mean, expected=expected)
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
