"""Checks that a submission agrees with itself: everything derived is derived again from the raw samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pydantic import BaseModel

from tinytorch import units
from tinytorch.benchmarking.records.metric import Metric
from tinytorch.benchmarking.records.session import SESSIONS_AND_PROCESSES
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Evidence, Outcome, check, failed, passed, unknown
from tinytorch.competition.record.run import Measurement
from tinytorch.competition.rules.events import check_constraints
from tinytorch.competition.scoring.scores import limited_values
from tinytorch.showing import safe_text

FIRST_VERSION = datetime(2026, 1, 1, tzinfo=UTC)
RELATIVE_TOLERANCE = 1e-9
ABSOLUTE_TOLERANCE = 1e-12  # for differences and p-values near zero
MOST_DIFFERENCES = 5
OTHER_RULES = "made under rules that are not known here; what counts is derived anew from the samples"
BY_HAND = "given by hand: there are no raw samples to recompute from"
Difference = tuple[str, object, object]  # place, stored, recomputed


@check
def latency_statistics(case: Case) -> Outcome:
    return _recomputed("latency", {role: metrics.latency for role, metrics in case.models.items()})


@check
def memory_statistics(case: Case) -> Outcome:
    return _recomputed("memory", {role: metrics.memory for role, metrics in case.models.items()})


@check
def accuracy_statistics(case: Case) -> Outcome:
    return _recomputed("accuracy", {role: metrics.accuracy for role, metrics in case.models.items()})


@check
def throughput_statistics(case: Case) -> Outcome:
    return _recomputed("throughput", {role: metrics.throughput for role, metrics in case.models.items()})


@check
def normalized_scores(case: Case) -> Outcome:
    if case.as_made is None:
        return unknown(OTHER_RULES)
    return _compared("derived.scores", case.derived.scores, case.as_made.scores)


@check
def statistics(case: Case) -> Outcome:
    if case.as_made is None:
        return unknown(OTHER_RULES)
    found = case.as_made.statistics
    outcome = _compared("derived.statistics", case.derived.statistics, found)
    comparisons = (found.speedup, found.accuracy_delta)
    reasons = [each.reason if each else "a metric was not measured" for each in comparisons]
    if outcome.passed and any(reasons):
        return unknown("no interval: " + "; ".join(sorted({reason for reason in reasons if reason})))
    return outcome


@check
def constraint_results(case: Case) -> Outcome:
    if case.made_under is None:
        return unknown(OTHER_RULES)
    if case.declaration.event not in case.made_under.events:
        return failed(f"the rules that it was made under have no event {case.declaration.event}")
    fresh = check_constraints(case.declaration.event, limited_values(case.run.optimized), case.made_under)
    stored = case.derived.constraints
    if len(stored) != len(fresh):
        message = f"{len(stored)} constraints listed, the event has {len(fresh)}"
        return failed(message, listed=len(stored), expected=len(fresh))
    pairs = enumerate(zip(stored, fresh, strict=True))
    return _judged([each for index, pair in pairs for each in _differences(*pair, f"derived.constraints.{index}")])


@check
def sample_shape(case: Case) -> Outcome:
    protocol, latencies = case.run.protocol, case.in_protocol
    if protocol is None or "optimized" not in latencies:
        return unknown("no protocol" if protocol is None else "no raw latency samples")
    placements = protocol.sessions * protocol.processes * protocol.copies
    expected = (placements, protocol.visits * protocol.block_pairs, protocol.timed_calls)
    per_unit = protocol.copies if protocol.sessions == 1 else protocol.processes * protocol.copies
    wrong = [
        role
        for role, latency in latencies.items()
        if latency.times_ns is None or latency.times_ns.shape != expected or latency.copies_per_unit != per_unit
    ]
    if wrong:
        shape = f"placements x blocks x samples = {expected}, {per_unit} placements a unit,"
        return failed(f"samples of {' and '.join(wrong)} are not {shape} as the protocol says", expected=str(expected))
    return passed("as many samples as the protocol says")


@check
def timed_answers(case: Case) -> Outcome:
    protocol = case.run.protocol
    if protocol is None or protocol.mode != "worker processes" or "optimized" not in case.in_protocol:
        return unknown("no latency was measured in worker processes")
    found = protocol.sessions, protocol.processes
    known = SESSIONS_AND_PROCESSES.get(protocol.tier, found)
    if found != known:
        shown, wanted = (f"{sessions} sessions of {processes} processes" for sessions, processes in (found, known))
        return failed(f"tier {protocol.tier} has {wanted}, not {shown}")
    if not case.knows("3.2"):
        return unknown("before schema 3.2 no answers of timed calls were compared")
    if not protocol.answers_compared:
        return failed("no answer of a timed call was compared with what the model gives alone", answers=0)
    return passed(f"{protocol.answers_compared:,} answers of timed calls are what the models give alone")


@check
def clock_span(case: Case) -> Outcome:
    protocol, latencies = case.run.protocol, case.in_protocol
    if protocol is None or not latencies:
        return unknown("no protocol" if protocol is None else "no raw latency samples")
    if not protocol.started_at <= protocol.ended_at <= case.declaration.created_at:
        return failed("the run does not start, end and get submitted in this order")
    if protocol.started_at < FIRST_VERSION:
        year = protocol.started_at.year
        return failed(f"it says that it was measured in {year}, and before 2026 there was no version of this program")
    span_ns = (protocol.ended_at - protocol.started_at).total_seconds() * 1e9
    timed_ns = sum(float(case.times[role].sum()) for role in latencies)
    shown = f"{units.format_time(timed_ns)} of samples in a run of {units.format_time(span_ns)}"
    if timed_ns > span_ns:
        return failed(f"more was timed than there was time: {shown}", timed_ns=timed_ns, span_ns=span_ns)
    return passed(shown, timed_ns=timed_ns, span_ns=span_ns)


def contradiction(run: Measurement) -> str:
    """Which figure of a run does not follow from its own samples, in words; empty where all do."""
    for role, model in (("baseline", run.baseline), ("optimized", run.optimized)):
        for name in type(model.metrics).model_fields:
            record: Metric | None = getattr(model.metrics, name)
            if record is not None and (found := list(_differences(record, record.recomputed(), f"run.{role}.{name}"))):
                return _judged(found[:1]).message
    return ""


def _recomputed(metric: str, records: Mapping[str, Metric | None]) -> Outcome:
    known = {role: record for role, record in records.items() if record is not None}
    if not known:
        return unknown(f"{metric} was not measured")
    pairs = [(record, record.recomputed(), f"run.{role}.metrics.{metric}") for role, record in known.items()]
    outcome = _judged([each for stored, fresh, path in pairs for each in _differences(stored, fresh, path)])
    if outcome.passed and not all(record.has_raw_samples for record in known.values()):
        return unknown(BY_HAND)
    return outcome


def _compared(path: str, stored: BaseModel, fresh: BaseModel) -> Outcome:
    return _judged(list(_differences(stored, fresh, path)))


def _judged(differences: list[Difference]) -> Outcome:
    if not differences:
        return passed("recomputed and equal")
    shown = [f"{path} is {_shown(stored)}, recomputed {_shown(fresh)}" for path, stored, fresh in differences]
    more = len(differences) - MOST_DIFFERENCES
    message = "; ".join([*shown[:MOST_DIFFERENCES], *([f"and {more} more"] if more > 0 else [])])
    path, stored, fresh = differences[0]
    evidence: Evidence = {
        "differences": len(differences), "first": path, "stored": _shown(stored), "recomputed": _shown(fresh),
    }  # fmt: skip
    return failed(message, **evidence)


def _differences(stored: object, fresh: object, path: str) -> Iterator[Difference]:
    """Where two records differ by more than rounding."""
    if isinstance(stored, BaseModel) and isinstance(fresh, BaseModel):
        for name in type(fresh).model_fields:
            yield from _differences(getattr(stored, name), getattr(fresh, name), f"{path}.{name}")
    elif isinstance(stored, list) and isinstance(fresh, list) and len(stored) == len(fresh):
        if stored != fresh:
            for index, pair in enumerate(zip(stored, fresh, strict=True)):
                yield from _differences(*pair, f"{path}.{index}")
    elif not _equal(stored, fresh):
        yield path, stored, fresh


def _equal(stored: object, fresh: object) -> bool:
    if isinstance(stored, float) and isinstance(fresh, float):
        return math.isclose(stored, fresh, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
    return stored == fresh


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    return f"{value:.12g}" if isinstance(value, float) else safe_text(str(value), 40)


CHECKS: tuple[Check[Case], ...] = (
    latency_statistics,
    memory_statistics,
    accuracy_statistics,
    throughput_statistics,
    normalized_scores,
    statistics,
    constraint_results,
    sample_shape,
    timed_answers,
    clock_span,
)
