"""Normalized scores: ratios of two models' metrics, free of the machine they were measured on."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from typing import Protocol, runtime_checkable

from tinytorch.benchmarking.comparison import (
    UNDISTURBED,
    Comparison,
    Criteria,
    Statistics,
    Surroundings,
    compare_metrics,
)
from tinytorch.benchmarking.records import session
from tinytorch.benchmarking.records.metrics import METRIC_RECORDS, Memory, Metrics, ModelRecord, compression_ratio
from tinytorch.benchmarking.records.record import Record
from tinytorch.benchmarking.records.session import SystemInfo
from tinytorch.benchmarking.statistics import ALPHA, Interval, mean_estimate, widened_interval
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.record.submission import Scores
from tinytorch.competition.rules.events import Ranked, Rules, load_rules
from tinytorch.competition.rules.quantities import check_metric_name, checked_quantity
from tinytorch.competition.scoring.disturbance import disturbance_of
from tinytorch.errors import UsageError
from tinytorch.units import METRICS

Results = Mapping[str, object]
POINTS = 100  # of accuracy in the whole


@runtime_checkable
class MeasuredResults(Protocol):
    """What a Benchmark's results carry beside their metrics."""

    @property
    def model_record(self) -> ModelRecord: ...
    @property
    def protocol(self) -> session.Protocol | None: ...
    @property
    def system_info(self) -> SystemInfo | None: ...
    @property
    def partner(self) -> MeasuredResults | None: ...
    @property
    def origin(self) -> object: ...


def calculate_normalized_scores(baseline_results: Results, optimized_results: Results) -> dict[str, float | None]:
    """Scores from two mappings of metric -> number (ms, MB, fraction) or -> record, as a Benchmark gives them."""
    baseline, optimized = paired_models(baseline_results, optimized_results)
    measured = unknown_run(baseline, optimized)
    scores: dict[str, float | None] = compute_scores(measured).model_dump()
    return scores


def unknown_run(baseline: ModelRecord, optimized: ModelRecord) -> Measurement:
    """Two models of which nothing else is known."""
    return Measurement(
        id=None, task=None, source=None, system_info=None, protocol=None, baseline=baseline, optimized=optimized
    )


def paired_models(baseline_results: Results, optimized_results: Results) -> tuple[ModelRecord, ModelRecord]:
    """Both models' records; the baseline as it was measured interleaved with the optimized one, where it was.

    That is so for the first model of one benchmark, as its artifact shows: no other baseline than the one that was
    given is ever taken, however alike the two are.
    """
    baseline = _model_record(baseline_results, "baseline")
    optimized = _model_record(optimized_results, "optimized")
    if not isinstance(baseline_results, MeasuredResults) or not isinstance(optimized_results, MeasuredResults):
        return baseline, optimized
    partner = optimized_results.partner
    if partner is None or partner.origin is not baseline_results.origin:
        return baseline, optimized
    digest = baseline.artifact_sha256  # None of a model that was measured in this process, and may be any
    is_same = digest is not None and digest == partner.model_record.artifact_sha256
    return partner.model_record if is_same else baseline, optimized


def compute_scores(run: Measurement, rules: Rules | None = None, statistics: Statistics | None = None) -> Scores:
    """The scores of a measurement by the rules; its `statistics` where they are known."""
    judged_by = rules or load_rules()
    baseline, optimized = run.baseline.metrics, run.optimized.metrics
    found = statistics or compared(run, judged_by)
    speedup = found.speedup.estimate if found.speedup else None
    compression = compression_ratio_of(baseline.memory, optimized.memory)
    accuracy = accuracy_factor(run, optimized.accuracy.mean, judged_by) if optimized.accuracy else None
    every = _product(speedup, compression, accuracy)
    return Scores(
        speedup=speedup,
        compression_ratio=compression,
        accuracy_delta=found.accuracy_delta.estimate if found.accuracy_delta else None,
        accuracy_factor=accuracy,
        all_around=None if every is None else every ** (1 / 3),
        extreme_push=_product(compression, speedup),
    )


def compared(run: Measurement, rules: Rules | None = None) -> Statistics:
    """Speedup and accuracy delta with their uncertainty, by the rules: that of a machine which may be busy, too."""
    judged_by = rules or load_rules()
    significance, around = judged_by.significance, surroundings(run, judged_by)
    is_former = around.disturbance is None
    spread = 0.0 if is_former else session_spread(run.protocol.sessions if run.protocol else 1, judged_by)
    criteria = Criteria(significance.alpha, significance.typical_excess, spread)
    return compare_metrics(run.baseline.metrics, run.optimized.metrics, criteria, around)


def surroundings(run: Measurement, rules: Rules) -> Surroundings:
    """What a run tells of its machine, as far as the rules look at that."""
    return Surroundings(disturbance_of(run, rules), typical_excess_of_small_code(run, rules))


def typical_excess_of_small_code(run: Measurement, rules: Rules) -> float:
    """The yardstick's typical / quiet time; 1 where none was timed, and by rules that do not look at it."""
    yardstick = run.protocol.yardstick if run.protocol else None
    return 1.0 if yardstick is None or rules.disturbance is None else yardstick.typical_excess


def speedup_across_sessions(
    speedup: Comparison | None, sessions: int, rules: Rules | None = None, alpha: float = ALPHA
) -> Interval | None:
    """Where the speedup of a machine that is left alone lies, with 1 - `alpha` confidence; None without an interval."""
    estimate = mean_estimate(speedup.log_ratios) if speedup and speedup.log_ratios else None
    if speedup is None or estimate is None:
        return None
    moved = speedup.disturbance or UNDISTURBED
    found = widened_interval(estimate, session_spread(sessions, rules), alpha, moved.down, moved.up)
    return Interval(exp(found.lower), exp(found.upper)) if found else None


def session_spread(sessions: int, rules: Rules | None = None) -> float:
    """The error of a speedup beside its own: how much it is another in the next session (log scale).

    One session has the spread that the rules take; a run of several sessions has seen it.
    """
    return 0.0 if sessions > 1 else (rules or load_rules()).significance.session_spread


def metric_values(metrics: Metrics) -> dict[str, float | None]:
    """Metric -> mean (ms, MB, fraction), None where it was not measured."""
    measured = metrics.measured()
    return {name: measured[name].mean if name in measured else None for name in METRICS}


def limited_values(model: ModelRecord) -> dict[str, float | None]:
    """What constraints are checked against (see `Constraint`); None where it was not measured, or cannot be counted."""
    throughput, work = model.metrics.throughput, model.whole_work
    return {
        **metric_values(model.metrics),
        "throughput": throughput.mean if throughput else None,
        "flops": float(work.flops) if work else None,
        "moved_bytes": float(work.moved_bytes) if work else None,
    }


def ranked_value(ranked: Ranked, run: Measurement, scores: Scores) -> float | None:
    """What an event ranks by; None where it is not known."""
    if ranked == "accuracy":
        return run.optimized.metrics.accuracy.mean if run.optimized.metrics.accuracy else None
    found: float | None = less_work(run) if ranked == "less_work" else scores.model_dump()[ranked]
    return found


def less_work(run: Measurement) -> float | None:
    """FLOPs of an inference of the baseline / of the optimized model; None where one cannot be counted, or has none."""
    first, second = run.baseline.whole_work, run.optimized.whole_work
    return first.flops / second.flops if first and second and first.flops and second.flops else None


def compression_ratio_of(baseline: Memory | None, optimized: Memory | None) -> float | None:
    """Baseline memory / optimized memory; None without both."""
    return compression_ratio(baseline, optimized) if baseline and optimized else None


def accuracy_factor(run: Measurement, accuracy: float, rules: Rules) -> float | None:
    """What an accuracy is worth beside speed and size: a factor of two for each `points_per_doubling`.

    Points are counted from the reference accuracy, a constant of the task, and where no task is known from the
    baseline's. Up to rules 1.1 it was the ratio of errors, to which the smoothing was added. None without a baseline.
    """
    baseline, scoring = run.baseline.metrics.accuracy, rules.scoring
    if baseline is None:
        return None
    if scoring.points_per_doubling is not None:
        known = reference_accuracy(run, rules)
        points = POINTS * (accuracy - (baseline.mean if known is None else known))
        return float(2 ** (points / scoring.points_per_doubling))
    smoothing = scoring.error_ratio_smoothing or 0.0
    return (1 - baseline.mean + smoothing) / (1 - accuracy + smoothing)


def reference_accuracy(run: Measurement, rules: Rules) -> float | None:
    """The accuracy that the rules expect of the baseline of a task; None for a task that they do not know."""
    return rules.reference_accuracy.get(run.task.name) if run.task else None


def _product(*factors: float | None) -> float | None:
    product = 1.0
    for factor in factors:
        if factor is None:
            return None
        product *= factor
    return product


def _model_record(results: Results, owner: str) -> ModelRecord:
    if isinstance(results, MeasuredResults):
        return results.model_record
    if not isinstance(results, Mapping):
        raise UsageError(f"{owner} results must be a mapping of metric to number or record")
    given = {check_metric_name(name, tuple(METRIC_RECORDS), owner): value for name, value in results.items()}
    metrics = {name: _record(name, value, owner) for name, value in given.items() if value is not None}
    return ModelRecord(name=owner, metrics=Metrics.model_validate(metrics))


def _record(metric: str, value: object, owner: str) -> Record:
    """A metric's record: as given, or around a number given by hand."""
    kind = METRIC_RECORDS[metric]
    if isinstance(value, kind):
        return value
    if isinstance(value, Record) or metric == "throughput":
        found = type(value).__name__
        raise UsageError(f"{owner} {metric} must be a {kind.__name__} record, got {found}")
    return kind.given(checked_quantity(metric, value, owner))
