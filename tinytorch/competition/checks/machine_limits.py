"""Checks against what the machine of the run could do at its best, as that run itself measured it.

No factor is impossible in itself: a loop in Python honestly loses a hundredfold to a matrix product. What cannot be is
a time below the clock's own steps, below reading the weights once, or below multiplying with each of them once.
"""

from __future__ import annotations

import numpy as np

from tinytorch import units
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.checks.plausibility import NO_SAMPLES
from tinytorch.showing import safe_text

OPERATIONS_PER_WEIGHT = 2  # one multiplication and one addition with every weight of a dense layer
WIDEST_WEIGHT_BYTES = 8  # a float64, or a float32 with the index of its place in a sparse matrix


@check
def clock_floor(case: Case) -> Outcome:
    protocol = case.run.protocol
    if protocol is None or not case.times:
        return unknown(NO_SAMPLES)
    floor_ns = case.limits.clock_ticks * max(1, protocol.clock_resolution_ns)
    return _not_below(case.medians, dict.fromkeys(case.times, floor_ns), "the clock's steps")


@check
def timer_floor(case: Case) -> Outcome:
    protocol = case.run.protocol
    if protocol is None or protocol.timer_overhead_ns is None:
        return unknown("the run did not record its timer's overhead")
    if not case.times:
        return unknown(NO_SAMPLES)
    floor_ns = case.limits.timer_overheads * protocol.timer_overhead_ns
    return _not_below(case.medians, dict.fromkeys(case.times, floor_ns), "the timer's overhead")


@check
def memory_traffic(case: Case) -> Outcome:
    protocol = case.run.protocol
    rate = protocol.memory_bandwidth_bytes_per_s if protocol else None
    if rate is None:
        return unknown("the run did not record its memory bandwidth")
    if reason := _unknown_work(case):
        return unknown(reason)
    seconds = {role: size / rate / case.limits.hardware_margin for role, size in _kept_bytes(case).items()}
    return _not_below(_inferences(case), {role: 1e9 * s for role, s in seconds.items()}, "reading the model once")


@check
def arithmetic(case: Case) -> Outcome:
    protocol = case.run.protocol
    rate = protocol.flops_per_s if protocol else None
    if rate is None:
        return unknown("the run did not record its arithmetic rate")
    if reason := _unknown_work(case):
        return unknown(reason)
    weights = {role: size / WIDEST_WEIGHT_BYTES for role, size in _kept_bytes(case).items()}
    work = {role: OPERATIONS_PER_WEIGHT * count / rate / case.limits.hardware_margin for role, count in weights.items()}
    floors = {role: 1e9 * seconds for role, seconds in work.items()}
    taken = {**_inferences(case), **_batched_inferences(case)}
    floors |= {f"{role} (batched)": floor for role, floor in floors.items()}
    return _not_below(taken, floors, "the model's arithmetic")


def _unknown_work(case: Case) -> str:
    """Why the least work of an inference cannot be told; empty when every layer reads all its weights each time."""
    models = {"baseline": case.run.baseline, "optimized": case.run.optimized}
    for role, model in models.items():
        if model.layer_kinds is None:
            return f"the layer kinds of the {role} model are not known"
        other = sorted(set(model.layer_kinds) - set(case.limits.dense_layers))
        if other:
            shown = safe_text(", ".join(other), 80)
            return f"the {role} model has layers whose least work is not known: {shown}"
    return ""


def _kept_bytes(case: Case) -> dict[str, int]:
    memories = {role: metrics.memory for role, metrics in case.models.items() if metrics.memory}
    return {role: memory.kept_bytes for role, memory in memories.items() if memory.kept_bytes}


def _inferences(case: Case) -> dict[str, float]:
    """Median nanoseconds of one inference of one sample."""
    return {role: time / (case.latencies[role].calls_per_sample or 1) for role, time in case.medians.items()}


def _batched_inferences(case: Case) -> dict[str, float]:
    """Median nanoseconds per sample in a full batch."""
    measured = {role: metrics.throughput for role, metrics in case.models.items() if metrics.throughput}
    return {
        f"{role} (batched)": float(np.median(throughput.times_ns)) / throughput.batch_size
        for role, throughput in measured.items()
    }


def _not_below(taken_ns: dict[str, float], floors_ns: dict[str, float], floor: str) -> Outcome:
    """Whether every time lies on or above its floor."""
    known = {role: time for role, time in taken_ns.items() if role in floors_ns}
    if not known:
        return unknown(NO_SAMPLES)
    short = {role: time for role, time in known.items() if time < floors_ns[role]}
    if not short:
        return passed(f"no time is shorter than {floor}")
    shown = [f"{role} {units.format_time(time)} < {units.format_time(floors_ns[role])}" for role, time in short.items()]
    role = next(iter(short))
    message = f"shorter than {floor}: {', '.join(shown)}"
    return failed(message, model=role, time_ns=short[role], floor_ns=floors_ns[role])


CHECKS: tuple[Check[Case], ...] = (clock_floor, timer_floor, memory_traffic, arithmetic)
