"""Two records of one metric, compared: a ratio or a difference with its uncertainty."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.records import Accuracy, Latency, Metrics, Record, SamplesNs


class Comparison(Record):
    """A ratio or difference with its uncertainty; interval and p-value are None with `reason` saying why."""

    estimate: float
    ci_lower: float | None = None
    ci_upper: float | None = None
    p_value: float | None = None
    verdict: statistics.Verdict | None = None
    smallest_detectable: float | None = None
    log_ratios: Annotated[list[float], Field(max_length=10_000)] | None = None
    reason: str | None = None


class Statistics(Record):
    """The uncertain ones among the scores, with interval and p-value; None where not measured on both models."""

    speedup: Comparison | None = None
    accuracy_delta: Comparison | None = None


def compare_metrics(baseline: Metrics, optimized: Metrics) -> Statistics:
    """Speedup and accuracy delta with their uncertainty."""
    latencies, accuracies = (baseline.latency, optimized.latency), (baseline.accuracy, optimized.accuracy)
    return Statistics(
        speedup=compare_latency(latencies[0], latencies[1]) if latencies[0] and latencies[1] else None,
        accuracy_delta=compare_accuracy(accuracies[0], accuracies[1]) if accuracies[0] and accuracies[1] else None,
    )


def compare_latency(baseline: Latency, optimized: Latency) -> Comparison:
    """Speedup = baseline latency / optimized latency.

    From paired samples it is exp of the mean placement log ratio; from bare numbers, or from samples that were not
    taken in pairs, the plain ratio of the means without interval or p-value.
    """
    first, second = baseline.samples_ns, optimized.samples_ns
    if first is None or second is None:
        return Comparison(estimate=baseline.mean / optimized.mean, reason="given by hand: no raw samples")
    if baseline.session is None or baseline.session != optimized.session or not _same_shape(first, second):
        return Comparison(estimate=baseline.mean / optimized.mean, reason="measured one after the other")
    batching = math.log((optimized.calls_per_sample or 1) / (baseline.calls_per_sample or 1))
    log_ratios = [ratio + batching for ratio in statistics.placement_log_ratios(first, second)]
    return _from_log_ratios(log_ratios)


def _from_log_ratios(log_ratios: list[float]) -> Comparison:
    estimate = statistics.mean_estimate(log_ratios)
    if estimate.interval is None or estimate.standard_error is None:
        reason = "one placement only, or no spread between placements: no interval"
        return Comparison(estimate=math.exp(estimate.mean), log_ratios=log_ratios, reason=reason)
    return Comparison(
        estimate=math.exp(estimate.mean),
        ci_lower=math.exp(estimate.interval.lower),
        ci_upper=math.exp(estimate.interval.upper),
        p_value=estimate.p_value,
        verdict=statistics.verdict(estimate.interval, 0.0),
        smallest_detectable=statistics.smallest_detectable_ratio(estimate.standard_error, estimate.units),
        log_ratios=log_ratios,
    )


def compare_accuracy(baseline: Accuracy, optimized: Accuracy) -> Comparison:
    """Accuracy delta = optimized - baseline, a fraction; paired by test sample where both bitmaps are known."""
    delta = optimized.mean - baseline.mean
    first, second = baseline.right(), optimized.right()
    if first is None or second is None or len(first) != len(second):
        return Comparison(estimate=delta, reason="no per-sample results of the same test set")
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    won = sum(b and not a for a, b in zip(first, second, strict=True))
    interval = statistics.paired_proportion_interval(lost, won, len(first))
    p_value = statistics.mcnemar_exact(lost, won)
    return Comparison(
        estimate=delta, ci_lower=interval.lower, ci_upper=interval.upper, p_value=p_value,
        verdict=_accuracy_verdict(p_value, delta),
    )  # fmt: skip


def _accuracy_verdict(p_value: float, delta: float) -> statistics.Verdict:
    """McNemar's exact test decides; the interval is only an approximation of it."""
    if p_value >= statistics.ALPHA:
        return statistics.Verdict.NO_DETECTABLE_DIFFERENCE
    return statistics.Verdict.BETTER if delta > 0 else statistics.Verdict.WORSE


def _same_shape(first: SamplesNs, second: SamplesNs) -> bool:
    """Whether two sample sets have the same placements and blocks."""
    return [len(blocks) for blocks in first] == [len(blocks) for blocks in second]
