"""Statistics of paired measurements, as pure functions; the source stands beside each formula.

The unit of replication is a process (or a session, where there are several), not an iteration: Kalibera & Jones,
"Rigorous benchmarking in reasonable time", ISMM 2013; Mytkowicz et al., "Producing wrong data without doing anything
obviously wrong!", ASPLOS 2009; Curtsinger & Berger, "Stabilizer", ASPLOS 2013. Copies and blocks only steady its mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from statistics import fmean

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, gammaln, ndtr, ndtri, stdtr, stdtrit

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
POWER = 0.80  # the conventional power behind "smallest detectable effect" (Cohen 1988)
FEWEST_UNITS = 4  # below this Student's t needs quantiles of 4.3 and more: no interval says so better
PERCENTILE_CONFIDENCE = 0.99  # with which a reported percentile must be backed (see `percentile_floor`)

Floats = NDArray[np.float64]
TimeOf = Callable[[Floats], float]  # of a copy's block times


class Verdict(StrEnum):
    """What a comparison can say; never two-valued."""

    BETTER = "better"
    WORSE = "worse"
    NO_DETECTABLE_DIFFERENCE = "no detectable difference"


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    lower: float
    upper: float


@dataclass(frozen=True)
class MeanEstimate:
    """A mean over independent units with its t interval; `interval` and `p_value` are None where undefined."""

    mean: float
    standard_error: float | None
    interval: Interval | None
    p_value: float | None
    units: int


def block_times(times_ns: ArrayLike) -> Floats:
    """[placement, block] the median of each block of [placement, block, sample]; its mean is worse under load.

    Bulej et al., "Duet benchmarking", ICPE 2020.
    """
    ordered = np.sort(np.asarray(times_ns, dtype=np.float64), axis=2)  # twice as fast as numpy's median of so few
    middle, is_even = ordered.shape[2] // 2, 1 - ordered.shape[2] % 2
    medians: Floats = ordered[:, :, middle - is_even : middle + 1].mean(axis=2)
    return medians


def quiet_time(times: Floats) -> float:
    """What a copy takes while the machine leaves it alone: the least of its blocks' medians, nanoseconds.

    Contention only ever adds time, and comes and goes in minutes, so that a mean over a session repeats worse than
    its least value (Chen & Revels, "Robust benchmarking in noisy environments", 2016).
    """
    return float(times.min())


def typical_time(times: Floats) -> float:
    """What a copy took as things were: the median of its blocks' medians, nanoseconds."""
    return float(np.median(times))


def single_calls(times_ns: ArrayLike, calls_per_sample: int) -> Floats:
    """The time of every single call, nanoseconds, in order of size; none where a sample is a batch of several calls."""
    if calls_per_sample > 1:
        return np.empty(0)
    return np.sort(np.asarray(times_ns, dtype=np.float64), axis=None)


def unit_times(placements: Floats, copies_per_unit: int) -> list[float]:
    """One quiet time per unit, nanoseconds: the mean over its copies, which are consecutive placements."""
    times = [quiet_time(times) for times in placements]
    return [fmean(times[start : start + copies_per_unit]) for start in range(0, len(times), copies_per_unit)]


def unit_log_ratios(baseline: Floats, optimized: Floats, copies_per_unit: int, time_of: TimeOf) -> list[float]:
    """One number per unit: the mean over its copies of ln(baseline time / optimized time)."""
    pairs = zip(baseline, optimized, strict=True)
    ratios = [math.log(time_of(times_a) / time_of(times_b)) for times_a, times_b in pairs]
    return [fmean(ratios[start : start + copies_per_unit]) for start in range(0, len(ratios), copies_per_unit)]


def mean_of(values: Sequence[float]) -> float:
    """The mean, also of numbers whose sum is too large for a float."""
    try:
        return fmean(values)
    except OverflowError:
        return math.fsum(each / len(values) for each in values)


def mean_estimate(values: Sequence[float]) -> MeanEstimate:
    """Student's t interval of the mean and two-sided p-value against 0 ("Student", Biometrika 1908).

    A bootstrap over a dozen units is anti-conservative, and z = 1.96 is wrong for so few. With fewer than
    `FEWEST_UNITS`, or no spread at all, there is no interval and no p-value: None.
    """
    count, mean = len(values), mean_of(values)
    spread = _spread(values, mean) if count >= FEWEST_UNITS else 0.0
    if spread == 0.0:
        return MeanEstimate(mean, None, None, None, count)
    standard_error = spread / math.sqrt(count)
    half_width = _t_quantile(count - 1, ALPHA) * standard_error
    p_value = t_p_value(mean, standard_error, count - 1)
    return MeanEstimate(mean, standard_error, Interval(mean - half_width, mean + half_width), p_value, count)


def _spread(values: Sequence[float], mean: float) -> float:
    """The standard deviation of a sample; exactly 0 where all are equal, whatever their mean was rounded to.

    Deviations are taken in the largest of them, because squares of large ones are too large.
    """
    if min(values) == max(values):
        return 0.0
    largest = max(abs(each - mean) for each in values)
    squares = math.fsum(((each - mean) / largest) ** 2 for each in values)  # stdev takes thirty times as long
    return largest * math.sqrt(squares / (len(values) - 1))


def t_p_value(mean: float, standard_error: float, degrees: int) -> float:
    """How likely a mean lies so far from 0, on either side, by chance."""
    return 2 * float(stdtr(degrees, -abs(mean) / standard_error))


def widened_interval(
    estimate: MeanEstimate, spread: float, alpha: float = ALPHA, down: float = 0.0, up: float = 0.0
) -> Interval | None:
    """Student's interval where a further, independent error with the standard deviation `spread` is added.

    What may have moved the mean one way throughout, and is no chance, is added to its ends: `down` and `up`.
    """
    if estimate.standard_error is None:
        return None
    half_width = _t_quantile(estimate.units - 1, alpha) * math.hypot(estimate.standard_error, spread)
    return Interval(estimate.mean - half_width - down, estimate.mean + half_width + up)


def moved_to_zero(value: float, down: float, up: float) -> float:
    """The value less what it may be too high by, or with what it may be too low by, but never past 0."""
    return max(0.0, value - down) if value > 0 else min(0.0, value + up)


def smallest_detectable_ratio(standard_error: float, units: int, alpha: float = ALPHA) -> float:
    """The smallest ratio above 1 that a test at `alpha` finds with 80 % power, from the log scale's standard error.

    The usual sum of two t quantiles (Bloom, "Minimum detectable effects", Evaluation Review 1995).
    """
    quantiles = _t_quantile(units - 1, alpha) + float(stdtrit(units - 1, POWER))
    return math.exp(quantiles * standard_error)


def _t_quantile(degrees: float, alpha: float) -> float:
    """What Student's t exceeds on either side with the probability alpha; from the lower tail, which keeps small ones.

    Near 1 a probability has 1e-16 for its step, so that 1 - alpha / 2 loses an alpha of 1e-12 almost wholly.
    """
    return -float(stdtrit(degrees, alpha / 2)) if math.isfinite(degrees) else -float(ndtri(alpha / 2))


def verdict(p_value: float, effect: float, alpha: float = ALPHA) -> Verdict:
    """Better or worse by the sign of `effect` when the test against 0 says so at `alpha`."""
    if p_value >= alpha:
        return Verdict.NO_DETECTABLE_DIFFERENCE
    return Verdict.BETTER if effect > 0 else Verdict.WORSE


def wilson_interval(correct: int, total: int) -> Interval:
    """Wilson's score interval of a proportion (JASA 1927; recommended by Brown, Cai & DasGupta 2001)."""
    z = _t_quantile(math.inf, ALPHA)
    share, penalty = correct / total, z * z / total
    centre = (share + penalty / 2) / (1 + penalty)
    half_width = z / (1 + penalty) * math.sqrt(share * (1 - share) / total + penalty / (4 * total))
    return Interval(max(0.0, centre - half_width), min(1.0, centre + half_width))


def at_most_by_chance(successes: int, trials: int, probability: float) -> float:
    """How likely so many successes or fewer are, of independent trials (the binomial distribution)."""
    return float(bdtr(successes, trials, probability))


def fisher_less(first: tuple[int, int], second: tuple[int, int]) -> float:
    """How likely the first has so few successes or fewer, where both succeed alike: (successes, trials) of each.

    Fisher's exact test, one-sided ("Statistical Methods for Research Workers", 1934): of all successes, as many as
    chance gives fall to the first (the hypergeometric distribution).
    """
    (few, trials), (more, others) = first, second
    if not (0 <= few <= trials and 0 <= more <= others):
        raise ValueError(f"{few} of {trials} and {more} of {others} are no counts")
    successes = few + more
    counts = np.arange(max(0, successes - others), few + 1)
    logs = _log_choose(trials, counts) + _log_choose(others, successes - counts)
    return min(1.0, float(np.exp(logs - _log_choose(trials + others, np.array([successes]))).sum()))


def _log_choose(total: int, chosen: NDArray[np.int64]) -> Floats:
    logs: Floats = gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)
    return logs


def normal_above(deviations: float) -> float:
    """How likely a value lies so many standard deviations above its mean, or more (the normal distribution)."""
    return float(ndtr(-deviations))


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar p-value: a fair-coin test of the samples that only one model gets right.

    McNemar, Psychometrika 1947, in its binomial form; 1.0 where the two never disagree.
    """
    return float(mcnemar_p_values([only_first], [only_second])[0])


def mcnemar_p_values(only_first: ArrayLike, only_second: ArrayLike) -> Floats:
    """`mcnemar_exact` of many pairs of models, each with its two counts."""
    first, second = np.asarray(only_first, dtype=float), np.asarray(only_second, dtype=float)
    chances: Floats = bdtr(np.minimum(first, second), (first + second).astype(np.int64), 0.5)
    return np.minimum(1.0, 2 * chances)


def welch_p_values(
    differences: ArrayLike, estimated: Sequence[tuple[ArrayLike, ArrayLike]], known: ArrayLike = 0.0
) -> Floats:
    """Two-sided p-values of differences whose variance is a sum: `estimated` ones with degrees, and a `known` one.

    Student's t with the degrees of Welch (Biometrika 1947) and Satterthwaite (Biometrics Bulletin 1946); a known
    variance has infinitely many. Without any variance a difference is exact: 0.0, and 1.0 where there is none.
    """
    variance, degrees = _variance_sum(estimated, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.abs(np.asarray(differences, dtype=float)) / np.sqrt(variance)
    return np.where(np.isnan(statistic), 1.0, 2 * stdtr(degrees, -np.nan_to_num(statistic, posinf=np.inf)))


def welch_interval(difference: float, estimated: Sequence[tuple[float, float]], known: float = 0.0) -> Interval:
    """The interval that belongs to the test of `welch_p_values`."""
    variance, degrees = _variance_sum(estimated, known)
    half_width = _t_quantile(float(degrees), ALPHA) * math.sqrt(float(variance))
    return Interval(difference - half_width, difference + half_width)


def _variance_sum(estimated: Sequence[tuple[ArrayLike, ArrayLike]], known: ArrayLike) -> tuple[Floats, Floats]:
    """The sum of all variances and its degrees of freedom."""
    parts = [(np.asarray(variance, dtype=float), np.asarray(degrees, dtype=float)) for variance, degrees in estimated]
    variance = np.asarray(known, dtype=float) + sum(each for each, _ in parts)
    uncertain = np.asarray(sum(each**2 / degrees for each, degrees in parts))
    with np.errstate(divide="ignore", invalid="ignore"):
        return variance, np.where(uncertain > 0, variance**2 / uncertain, np.inf)


def paired_proportion_interval(only_first: int, only_second: int, total: int) -> Interval:
    """Interval of (second - first) accuracy on the same samples: Agresti & Min, Statistics in Medicine 2005.

    Half a sample is added to each of the four cells, so that few disagreements still give an honest width.
    """
    lost, won, count = only_first + 0.5, only_second + 0.5, total + 2
    difference = (won - lost) / count
    half_width = float(ndtri(1 - ALPHA / 2)) * math.sqrt(won + lost - (won - lost) ** 2 / count) / count
    return Interval(max(-1.0, difference - half_width), min(1.0, difference + half_width))


@cache
def percentile_floor(quantile: float) -> int:
    """Samples needed before a percentile is worth reporting: 64 for p90, 662 for p99.

    The smallest n whose chance of at most one sample beyond the true quantile is 1 % or less
    (order statistics: David & Nagaraja, "Order Statistics", section 7.1).
    """
    count = 2
    while float(bdtr(1, count, 1 - quantile)) > 1 - PERCENTILE_CONFIDENCE:
        count += 1
    return count


def percentile(values: ArrayLike, quantile: float) -> float | None:
    """The empirical quantile (the smallest value with at least that share at or below it), None if too few values."""
    ordered = np.sort(np.asarray(values, dtype=float))
    if not ordered.size or (quantile > 0.5 and ordered.size < percentile_floor(quantile)):
        return None
    return float(ordered[math.ceil(quantile * ordered.size) - 1])
