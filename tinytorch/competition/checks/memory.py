"""Checks that the memory counted is the memory kept."""

from __future__ import annotations

import math

from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import Plausibility
from tinytorch.competition.rules.tasks import facts_of
from tinytorch.showing import safe_text
from tinytorch.units import format_share, format_size

SIZE_TOLERANCE = 0.01  # other versions of Python and numpy may keep a few bytes more


def is_hiding(kept_bytes: int, artifact_bytes: int, limits: Plausibility) -> bool:
    """Whether a model keeps less than its share of what its artifact holds beyond names and shapes."""
    return kept_bytes < limits.kept_share * (artifact_bytes - limits.artifact_overhead_bytes)


@check
def kept_bytes(case: Case) -> Outcome:
    memories = _memories(case)
    for role, memory in memories.items():
        if _is_counted_wholly(case) and None in (memory.artifact_bytes, memory.code_bytes):
            return failed(f"the {role} model: its artifact and the code of its classes are not counted")
    counted = {role: memory for role, memory in memories.items() if memory.artifact_bytes is not None}
    if not counted:
        return unknown("no artifact's size is recorded")
    for role, memory in counted.items():
        kept, artifact = memory.kept_bytes or 0, memory.artifact_bytes or 0
        if memory.code_bytes is None and is_hiding(kept, artifact, case.limits):
            shown = f"{format_size(kept)} counted as kept, {format_size(artifact)} in its artifact"
            return failed(f"the {role} model: {shown}", kept_bytes=kept, artifact_bytes=artifact)
    return passed("what the models keep fits their artifacts")


@check
def memory_seen(case: Case) -> Outcome:
    unseen = {role: memory.unseen for role, memory in _memories(case).items() if memory.unseen is not None}
    if not unseen:
        return unknown("it is not recorded what the count of memory saw")
    for role, names in unseen.items():
        if names:
            shown = safe_text(", ".join(names), 100)
            return failed(f"the {role} model keeps at least what was counted: not seen were {shown}", types=len(names))
    return passed("the count of memory saw every object")


@check
def known_baseline(case: Case) -> Outcome:
    task, baseline = case.run.task, case.run.baseline
    facts = facts_of(task.name) if task else None
    if task is None or facts is None:
        return unknown(
            "no task is named" if task is None else f"nothing is known of the task {safe_text(task.name, 60)}"
        )
    size = baseline.metrics.memory.size_bytes if baseline.metrics.memory else None
    found = {
        "parameters": (baseline.parameters, facts.parameters),
        "layer kinds": (baseline.layer_kinds, facts.layer_kinds),
        "test samples": (task.test_samples, facts.test_samples),
        "test data": (task.dataset_sha256, facts.dataset_sha256),
    }
    by_hand = case.derived.trust is Trust.T0  # then it need not be known what the baseline is
    others = {name: pair for name, pair in found.items() if pair[0] != pair[1] and not (by_hand and pair[0] is None)}
    if size is not None and not math.isclose(size, facts.kept_bytes, rel_tol=SIZE_TOLERANCE):
        others["bytes"] = (size, facts.kept_bytes)
    if others:
        shown = "; ".join(f"{name} {_shown(stated)}, known {_shown(known)}" for name, (stated, known) in others.items())
        return failed(f"this is not the baseline of {task.name}: {shown}", differences=len(others))
    return passed(f"the baseline is that of {task.name}")


@check
def enough_bits(case: Case) -> Outcome:
    memory, accuracy, task = case.optimized.memory, case.optimized.accuracy, case.run.task
    facts = facts_of(task.name) if task else None
    size = memory.size_bytes if memory else None
    if size is None or facts is None or accuracy is None or accuracy.ci_lower is None:
        return unknown("it needs a task that is known, a counted size and an accuracy with its interval")
    bits, chance = 8 * max(size, 1), 1 / facts.classes
    shown = f"{format_size(max(size, 1))} and {facts.classes} classes, {format_share(accuracy.mean)} right"
    if bits < facts.classes and accuracy.ci_lower > chance:
        return failed(f"{shown}: fewer bits than classes", bits=bits, classes=facts.classes, accuracy=accuracy.mean)
    return passed(shown)


def _shown(value: object) -> str:
    """Long ones by their beginning."""
    words = " ".join(value) if isinstance(value, list) else f"{value:,}" if isinstance(value, int) else str(value)
    return safe_text(words, 60)


def _is_counted_wholly(case: Case) -> bool:
    """Whether it was measured where artifact and code are known, by a version that counts them."""
    protocol = case.run.protocol
    in_workers = protocol is not None and protocol.mode == "worker processes"
    return in_workers and case.knows("3.2")


def _memories(case: Case) -> dict[str, Memory]:
    """The memory of each model whose bytes were counted."""
    found = {role: metrics.memory for role, metrics in case.models.items()}
    return {role: memory for role, memory in found.items() if memory and memory.has_raw_samples}


CHECKS: tuple[Check[Case], ...] = (kept_bytes, memory_seen, known_baseline, enough_bits)
