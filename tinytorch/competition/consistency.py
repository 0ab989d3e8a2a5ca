"""Checks that a submission agrees with itself, with its rules and with its event."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from tinytorch.benchmarking.samples import Accuracy, Latency, Memory, Metrics, Record, Throughput
from tinytorch.competition.events import Rules, check_constraints
from tinytorch.competition.findings import Outcome, failed, passed, unknown
from tinytorch.competition.quantities import UNITS
from tinytorch.competition.scores import Scores, Statistics, compute_statistics, derive_scores, metric_values
from tinytorch.competition.submission import Submission, Trust, has_raw_samples, is_repository, trust_of
from tinytorch.text import is_safe, safe_text

RELATIVE_TOLERANCE = 1e-9
ABSOLUTE_TOLERANCE = 1e-12  # for differences and p-values near zero
MOST_DIFFERENCES = 5
BY_HAND = "given by hand: there are no raw samples to recompute from"
MEASURE_AGAIN = "package the measured run again with tito olympics submit; edit no numbers"


@dataclass(frozen=True)
class Case:
    """A submission and the rules it is judged by."""

    submission: Submission
    rules: Rules

    @property
    def baseline(self) -> Metrics:
        """The baseline's metrics."""
        return self.submission.baseline.metrics

    @property
    def optimized(self) -> Metrics:
        """The optimized model's metrics."""
        return self.submission.optimized.metrics

    @property
    def models(self) -> dict[str, Metrics]:
        """Both models' metrics by their role."""
        return {"baseline": self.baseline, "optimized": self.optimized}

    @cached_property
    def statistics(self) -> Statistics:
        """The statistics, recomputed."""
        return compute_statistics(self.baseline, self.optimized)

    @cached_property
    def scores(self) -> Scores:
        """The scores, recomputed."""
        return derive_scores(self.statistics, self.baseline, self.optimized, self.rules)


def safe_texts(case: Case) -> Outcome:
    """No text can disturb a screen."""
    unsafe = [place for place, text in _texts(case.submission.model_dump(mode="json")) if not is_safe(text)]
    if unsafe:
        places = ", ".join(unsafe[:MOST_DIFFERENCES])
        return failed(f"control or invisible characters in {places}", "type these texts with printable characters")
    return passed("every text is printable")


def repository(case: Case) -> Outcome:
    """The repository, when given, is a web address."""
    address = case.submission.github_repo
    if address is None:
        return unknown("no repository was given")
    if not is_repository(address):
        shown = safe_text(address, 80)
        return failed(f"github_repo is not a web address: {shown!r}", "use https://github.com/NAME/REPOSITORY")
    return passed("the repository is a web address")


def digest(case: Case) -> Outcome:
    """The file was not changed by accident."""
    if case.submission.digest != case.submission.expected_digest():
        return failed("the digest does not belong to this content: something was changed later", MEASURE_AGAIN)
    return passed("the digest belongs to this content")


def rules_known(case: Case) -> Outcome:
    """The submission was made under the rules it is judged by."""
    stated, rules = case.submission.rules, case.rules
    if (stated.version, stated.sha256) == (rules.version, rules.sha256):
        return passed(f"made under rules {rules.version}")
    shown = f"{safe_text(stated.version, 40)} ({stated.sha256[:8]})"
    return failed(f"made under rules {shown}, judged by {rules.version} ({rules.sha256[:8]})", "submit it again")


def latency_statistics(case: Case) -> Outcome:
    """Latencies follow from their samples."""
    return _recomputed("latency", {role: metrics.latency for role, metrics in case.models.items()})


def memory_statistics(case: Case) -> Outcome:
    """Memory follows from counted bytes."""
    return _recomputed("memory", {role: metrics.memory for role, metrics in case.models.items()})


def accuracy_statistics(case: Case) -> Outcome:
    """Accuracies follow from one bit per test sample."""
    return _recomputed("accuracy", {role: metrics.accuracy for role, metrics in case.models.items()})


def throughput_statistics(case: Case) -> Outcome:
    """Throughputs follow from their samples."""
    return _recomputed("throughput", {role: metrics.throughput for role, metrics in case.models.items()})


def normalized_scores(case: Case) -> Outcome:
    """Scores follow from the metrics."""
    return _compared("normalized_scores", case.submission.normalized_scores, case.scores)


def statistics(case: Case) -> Outcome:
    """Intervals and p-values follow from the raw samples."""
    outcome = _compared("statistics", case.submission.statistics, case.statistics)
    comparisons = (case.statistics.speedup, case.statistics.accuracy_delta)
    reasons = [each.reason if each else "a metric was not measured" for each in comparisons]
    if outcome.passed and any(reasons):
        return unknown("no interval: " + "; ".join(sorted({reason for reason in reasons if reason})))
    return outcome


def constraint_results(case: Case) -> Outcome:
    """The constraints listed are the event's, with the metrics' values."""
    fresh = check_constraints(case.submission.event, metric_values(case.optimized), case.rules)
    stored = case.submission.constraints
    if len(stored) != len(fresh):
        return failed(f"{len(stored)} constraints listed, the event has {len(fresh)}", MEASURE_AGAIN)
    pairs = enumerate(zip(stored, fresh, strict=True))
    return _judged([text for index, pair in pairs for text in _differences(*pair, f"constraints.{index}")])


def constraints(case: Case) -> Outcome:
    """The event's constraints are satisfied."""
    event = case.submission.event
    results = check_constraints(event, metric_values(case.optimized), case.rules)
    missed = [result for result in results if result.satisfied is False]
    if missed:
        texts = [f"{r.metric} is {r.value:.6g}, must be {r.operator} {r.limit:g} {UNITS[r.metric]}" for r in missed]
        return failed(
            f"constraint missed: {'; '.join(texts)}",
            "tito olympics score shows the events that the entry qualifies for",
        )
    absent = [result.metric for result in results if result.satisfied is None]
    if absent:
        return unknown(f"{' and '.join(absent)} of the optimized model was not measured")
    return passed(f"all {len(results)} constraints satisfied" if results else "the event has no constraints")


def completeness(case: Case) -> Outcome:
    """Every metric that the event asks for was measured."""
    rules = case.rules.events[case.submission.event]
    values = metric_values(case.optimized)
    missing: list[str] = sorted({item.metric for item in rules.constraints if values[item.metric] is None})
    if {**case.scores.model_dump(), **values}[rules.ranked_by] is None:
        missing.append(rules.ranked_by)
    if missing:
        return failed(f"the event needs {', '.join(missing)}, which is missing", "measure it on both models")
    return passed("everything that the event needs is there")


def trust(case: Case) -> Outcome:
    """The submission promises no more trust than its evidence carries."""
    stated, earned = case.submission.trust, trust_of(case.baseline, case.optimized)
    if stated is not earned:
        return failed(f"trust is stated as {stated} ({stated.word}), the evidence is {earned} ({earned.word})")
    if earned is Trust.T0 and (case.submission.protocol or case.submission.system_info):
        return failed("numbers given by hand come with a protocol or a machine", "leave both null")
    return passed(f"{earned} ({earned.word})")


def test_set(case: Case) -> Outcome:
    """Both models were judged on the task's whole test set."""
    task = case.submission.task
    totals = {role: metrics.accuracy.total for role, metrics in case.models.items() if metrics.accuracy}
    known = {role: total for role, total in totals.items() if total is not None}
    if task is None or not known:
        return unknown("no task is named" if task is None else "no per-sample accuracy")
    wrong = [f"{role} was judged on {total}" for role, total in known.items() if total != task.test_samples]
    if wrong:
        return failed(f"the task has {task.test_samples} test samples, but {' and '.join(wrong)}", MEASURE_AGAIN)
    return passed(f"both models judged on {task.test_samples} test samples")


def layer_kinds(case: Case) -> Outcome:
    """In the closed division the optimized model keeps the baseline's sequence of layer kinds."""
    if case.submission.division == "open":
        return passed("the open division allows any architecture")
    first, second = case.submission.baseline.layer_kinds, case.submission.optimized.layer_kinds
    if first is None or second is None:
        return unknown("the layer kinds of a model are not known")
    if first != second:
        shown = [safe_text(" ".join(kinds), 80) for kinds in (first, second)]
        return failed(f"closed division: layer kinds changed from {shown[0]} to {shown[1]}", "enter the open division")
    return passed(f"both models have the same {len(first)} layer kinds")


def sample_shape(case: Case) -> Outcome:
    """There are as many samples as the protocol says."""
    protocol, optimized = case.submission.protocol, case.optimized.latency
    if protocol is None or optimized is None or optimized.samples_ns is None:
        return unknown("no protocol" if protocol is None else "no raw latency samples")
    expected = (protocol.processes * protocol.copies, protocol.visits * protocol.block_pairs, protocol.timed_calls)
    wrong = [role for role, latency in _of_one_session(case).items() if _shapes(latency) != {expected}]
    if wrong:
        shown = "placements x blocks x samples"
        return failed(f"samples of {' and '.join(wrong)} are not {shown} = {expected} as the protocol says")
    return passed("as many samples as the protocol says")


def techniques(case: Case) -> Outcome:
    """The athlete says what was done."""
    count = len(case.submission.techniques)
    if not count:
        return failed("no technique is named", "name them: --technique 'INT8 quantization'")
    return passed(f"techniques named: {count}")


def _of_one_session(case: Case) -> dict[str, Latency]:
    """The latencies that the protocol speaks of: the optimized model's session."""
    latencies = {role: metrics.latency for role, metrics in case.models.items() if metrics.latency}
    session = latencies["optimized"].session
    return {role: latency for role, latency in latencies.items() if role == "optimized" or latency.session == session}


def _shapes(latency: Latency) -> set[tuple[int, int, int]]:
    placements = latency.samples_ns or []
    return {(len(placements), len(blocks), len(block)) for blocks in placements for block in blocks}


def _recomputed(metric: str, records: Mapping[str, Record | None]) -> Outcome:
    known = {role: record for role, record in records.items() if record is not None}
    if not known:
        return unknown(f"{metric} was not measured")
    pairs = [(record, _fresh(record), f"{role}.{metric}") for role, record in known.items()]
    outcome = _judged([text for stored, fresh, path in pairs for text in _differences(stored, fresh, path)])
    if outcome.passed and not all(map(has_raw_samples, known.values())):
        return unknown(BY_HAND)
    return outcome


def _fresh(record: Record) -> Record:
    """The record derived again from its raw samples; from a bare number nothing but that number follows."""
    match record:
        case Latency(samples_ns=list() as taken):
            return Latency.from_samples(taken, record.calls_per_sample or 1, record.session)
        case Memory(kept_bytes=int() as kept):
            return Memory.from_bytes(kept, record.artifact_bytes, record.peak_working_bytes)
        case Accuracy(bitmap=str()):
            return Accuracy.from_correctness(record.right() or [])
        case Throughput():
            return Throughput.from_samples(record.samples_ns, record.batch_size)
        case Latency() | Memory() | Accuracy():
            return type(record)(mean=record.mean)
        case _:
            raise TypeError(f"{type(record).__name__} is not the record of a metric")


def _compared(path: str, stored: BaseModel, fresh: BaseModel) -> Outcome:
    return _judged(list(_differences(stored, fresh, path)))


def _judged(differences: list[str]) -> Outcome:
    if differences:
        shown, more = differences[:MOST_DIFFERENCES], len(differences) - MOST_DIFFERENCES
        return failed("; ".join([*shown, f"and {more} more"] if more > 0 else shown), MEASURE_AGAIN)
    return passed("recomputed and equal")


def _differences(stored: object, fresh: object, path: str) -> Iterator[str]:
    """Where two records differ by more than rounding."""
    if isinstance(stored, BaseModel) and isinstance(fresh, BaseModel):
        for name in type(fresh).model_fields:
            yield from _differences(getattr(stored, name), getattr(fresh, name), f"{path}.{name}")
    elif isinstance(stored, list) and isinstance(fresh, list) and len(stored) == len(fresh):
        if stored != fresh:
            for index, pair in enumerate(zip(stored, fresh, strict=True)):
                yield from _differences(*pair, f"{path}.{index}")
    elif not _equal(stored, fresh):
        yield f"{path} is {_shown(stored)}, recomputed {_shown(fresh)}"


def _equal(stored: object, fresh: object) -> bool:
    if isinstance(stored, float) and isinstance(fresh, float):
        return math.isclose(stored, fresh, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
    return stored == fresh


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    return f"{value:.12g}" if isinstance(value, float) else safe_text(str(value), 40)


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a dumped record with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and not isinstance(value[0], int | float):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{index}")
