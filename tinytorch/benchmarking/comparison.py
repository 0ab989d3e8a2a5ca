"""Two records of one metric, compared: a ratio or a difference with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Accuracy, Metrics
from tinytorch.benchmarking.records.record import Record

MOST_TYPICAL_EXCESS = 1.25
MOST_MOVED = 100.0  # on the log scale: more than any two times can differ by


@dataclass(frozen=True)
class Criteria:
    """When a difference counts, and by which times; rules may say other.

    `typical_excess` is how far the optimized model's typical / quiet time may lie above the baseline's, as a factor.
    `session_spread` is how much a log ratio is another in the next session, as a standard deviation; with 0 what is
    said holds for this session alone.
    """

    alpha: float = statistics.ALPHA
    typical_excess: float = MOST_TYPICAL_EXCESS
    session_spread: float = 0.0


USUAL = Criteria()


class Disturbance(Record):
    """How far the machine may have moved a log ratio throughout: it may be too high by `down`, or too low by `up`."""

    down: Annotated[float, Field(ge=0, le=MOST_MOVED)] = 0.0
    up: Annotated[float, Field(ge=0, le=MOST_MOVED)] = 0.0


UNDISTURBED = Disturbance()


@dataclass(frozen=True)
class Surroundings:
    """What a session tells of its machine: how far it may have moved a speedup, None where nothing is known of that.

    `typical_excess` is the yardstick's typical / quiet time: so much more all small code usually took.
    """

    disturbance: Disturbance | None = None
    typical_excess: float = 1.0


NOTHING_KNOWN = Surroundings()


class Comparison(Record):
    """A ratio or difference with its uncertainty; interval and p-value are None with `reason` saying why.

    Both take the `disturbance` for what it may be: the interval reaches beyond it, and tested is what is left without.
    """

    estimate: float
    ci_lower: float | None = None
    ci_upper: float | None = None
    p_value: Annotated[float, Field(ge=0, le=1)] | None = None
    verdict: Annotated[statistics.Verdict, Field(strict=False)] | None = None
    smallest_detectable: float | None = None
    basis: Literal["quiet", "typical"] | None = None
    log_ratios: Annotated[list[float], Field(max_length=10_000)] | None = None
    disturbance: Disturbance | None = None
    reason: str | None = None


class Statistics(Record):
    """The uncertain ones among the scores, with interval and p-value; None where not measured on both models."""

    speedup: Comparison | None = None
    accuracy_delta: Comparison | None = None


def compare_metrics(
    baseline: Metrics, optimized: Metrics, criteria: Criteria = USUAL, surroundings: Surroundings = NOTHING_KNOWN
) -> Statistics:
    """Speedup and accuracy delta with their uncertainty."""
    speedup = accuracy_delta = None
    if baseline.latency and optimized.latency:
        speedup = compare_latency(baseline.latency, optimized.latency, criteria, surroundings)
    if baseline.accuracy and optimized.accuracy:
        accuracy_delta = compare_accuracy(baseline.accuracy, optimized.accuracy, criteria)
    return Statistics(speedup=speedup, accuracy_delta=accuracy_delta)


def compare_latency(
    baseline: Latency, optimized: Latency, criteria: Criteria = USUAL, surroundings: Surroundings = NOTHING_KNOWN
) -> Comparison:
    """Speedup = baseline latency / optimized latency.

    From paired samples it is exp of the mean log ratio of the units' quiet times, or of their typical times where
    `is_lottery`; from bare numbers, or from samples that were not taken in pairs, the plain ratio of the means without
    interval or p-value. A disturbance is one of quiet times: typical ones are not corrected.
    """
    first, second = baseline.block_times_ns, optimized.block_times_ns
    if first is None or second is None:
        return Comparison(estimate=baseline.mean_ns / optimized.mean_ns, reason="given by hand: no raw samples")
    if not _are_paired(baseline, optimized):
        return Comparison(estimate=baseline.mean_ns / optimized.mean_ns, reason="measured one after the other")
    by_typical = is_lottery(baseline, optimized, criteria.typical_excess, surroundings.typical_excess)
    time_of = statistics.typical_time if by_typical else statistics.quiet_time
    batching = math.log((optimized.calls_per_sample or 1) / (baseline.calls_per_sample or 1))
    ratios = statistics.unit_log_ratios(first, second, baseline.copies_per_unit or 1, time_of)
    shifted = [ratio + batching for ratio in ratios]
    if by_typical:
        return _from_log_ratios(shifted, criteria, "typical", None)
    return _from_log_ratios(shifted, criteria, "quiet", surroundings.disturbance)


class Distribution(Record):
    """How block ratios (baseline / optimized time of one block pair) are spread: how many lie in each of equal bins.

    The bins are equal on the log scale, from `lower` to `upper`, which leave out one in a hundred on either side:
    contention makes a few ratios of any size. Those are counted in `below` and `above`.
    """

    lower: float
    upper: float
    counts: list[int]
    below: int
    above: int


def block_distribution(baseline: Latency, optimized: Latency, bins: int = 24) -> Distribution | None:
    """The spread of the ratios of block pairs, by the median call of each block; None where no pairs were timed."""
    first, second = baseline.block_times_ns, optimized.block_times_ns
    if first is None or second is None or not _are_paired(baseline, optimized):
        return None
    batching = math.log((optimized.calls_per_sample or 1) / (baseline.calls_per_sample or 1))
    ratios = np.log(first / second).ravel() + batching
    lower, upper = np.quantile(ratios, [0.01, 0.99])
    counts, _ = np.histogram(ratios, bins, (lower, upper))
    return Distribution(
        lower=math.exp(lower), upper=math.exp(upper), counts=counts.tolist(),
        below=int((ratios < lower).sum()), above=int((ratios > upper).sum()),
    )  # fmt: skip


def is_lottery(
    baseline: Latency,
    optimized: Latency,
    most_typical_excess: float = MOST_TYPICAL_EXCESS,
    of_yardstick: float = 1.0,
) -> bool:
    """Whether the optimized model's quiet time is rarer than the baseline's and the yardstick's, by more than may be.

    Typical over quiet time says how far a model usually is from its best. Where that is much more for the optimized
    model, its time depends on chance or on its inputs, and being fast once in forty blocks must not win. A neighbour on
    the same core slows small code more than a large baseline that waits for memory: that is seen of the yardstick.
    """
    if baseline.typical_ns is None or optimized.typical_ns is None:
        return False
    usual = max(baseline.typical_ns / baseline.mean_ns, of_yardstick)
    return optimized.typical_ns / optimized.mean_ns > most_typical_excess * usual


def _from_log_ratios(
    log_ratios: list[float], criteria: Criteria, basis: Literal["quiet", "typical"], disturbance: Disturbance | None
) -> Comparison:
    estimate, moved = statistics.mean_estimate(log_ratios), disturbance or UNDISTURBED
    ratio, spread = math.exp(estimate.mean), criteria.session_spread
    interval = statistics.widened_interval(estimate, spread, down=moved.down, up=moved.up)
    if interval is None or estimate.standard_error is None:
        units = f"{estimate.units} unit{'' if estimate.units == 1 else 's'}"
        reason = f"{units} measured, or no spread between them: no interval"
        return Comparison(estimate=ratio, basis=basis, log_ratios=log_ratios, reason=reason)
    error = math.hypot(estimate.standard_error, spread)
    left = statistics.moved_to_zero(estimate.mean, moved.down, moved.up)
    p_value = statistics.t_p_value(left, error, estimate.units - 1)
    detectable = statistics.smallest_detectable_ratio(error, estimate.units, criteria.alpha)
    return Comparison(
        estimate=ratio,
        ci_lower=math.exp(interval.lower),
        ci_upper=math.exp(interval.upper),
        p_value=p_value,
        verdict=statistics.verdict(p_value, left, criteria.alpha),
        smallest_detectable=detectable * math.exp(moved.down),
        basis=basis,
        log_ratios=log_ratios,
        disturbance=disturbance,
    )


def compare_accuracy(baseline: Accuracy, optimized: Accuracy, criteria: Criteria = USUAL) -> Comparison:
    """Accuracy delta = optimized - baseline, a fraction; paired by test sample where both bitmaps are known.

    McNemar's exact test decides; the interval is only an approximation of it.
    """
    delta = optimized.mean - baseline.mean
    first, second = baseline.right(), optimized.right()
    if first is None or second is None or len(first) != len(second):
        return Comparison(estimate=delta, reason="no per-sample results of the same test set")
    change = np.subtract(second, first, dtype=np.int8)
    lost, won = int((change < 0).sum()), int((change > 0).sum())
    interval = statistics.paired_proportion_interval(lost, won, len(first))
    p_value = statistics.mcnemar_exact(lost, won)
    return Comparison(
        estimate=delta, ci_lower=interval.lower, ci_upper=interval.upper, p_value=p_value,
        verdict=statistics.verdict(p_value, delta, criteria.alpha),
    )  # fmt: skip


def _are_paired(first: Latency, second: Latency) -> bool:
    """Whether both were timed in one session, with the same units, placements and blocks."""
    if first.session is None or first.session != second.session or first.copies_per_unit != second.copies_per_unit:
        return False
    shapes = [None if each.block_times_ns is None else each.block_times_ns.shape for each in (first, second)]
    return shapes[0] == shapes[1]
