"""Checks that the memory counted is the memory kept."""

from __future__ import annotations

from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.rules.events import Rules, load_rules
from tinytorch.text import safe_text
from tinytorch.units import format_size


def is_hiding(kept_bytes: int, artifact_bytes: int, rules: Rules | None = None) -> bool:
    """Whether a model keeps less than half of what its artifact holds beyond names and shapes."""
    limits = (rules or load_rules()).plausibility
    return kept_bytes < limits.kept_share * (artifact_bytes - limits.artifact_overhead_bytes)


@check
def kept_bytes(case: Case) -> Outcome:
    counted = {role: memory for role, memory in _memories(case).items() if memory.artifact_bytes is not None}
    if not counted:
        return unknown("no artifact's size is recorded")
    for role, memory in counted.items():
        kept, artifact = memory.kept_bytes or 0, memory.artifact_bytes or 0
        if is_hiding(kept, artifact, case.rules):
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


def _memories(case: Case) -> dict[str, Memory]:
    """The memory of each model whose bytes were counted."""
    found = {role: metrics.memory for role, metrics in case.models.items()}
    return {role: memory for role, memory in found.items() if memory and memory.has_raw_samples}


CHECKS: tuple[Check[Case], ...] = (kept_bytes, memory_seen)
