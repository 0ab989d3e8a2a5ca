"""A first look at every model, alone in a process of its own: what it keeps, what it answers, how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from numpy.typing import NDArray

from tinytorch.benchmarking import measure, system
from tinytorch.benchmarking.agreement import SINGLE_TOLERANCE, alike
from tinytorch.benchmarking.placements import Alone, AnyPlacements, Description, Inspection
from tinytorch.benchmarking.records.work import Limits
from tinytorch.benchmarking.schedule import Probe
from tinytorch.errors import ModelError
from tinytorch.progress import Progress, silent

MOST_NAMED = 5
BATCH_BUDGET_NS, LEAST_BATCH = 1_000_000_000, 16  # inputs go together that the slowest model answers in this time


@dataclass(frozen=True)
class ModelSurvey:
    """What a process of its own saw of one model before any latency was measured; `after` it had answered."""

    description: Description
    outputs: NDArray[Any]
    singles: NDArray[Any]
    pass_ns: list[int]
    batch: int
    after: Inspection

    @property
    def kept_bytes(self) -> int:
        """The larger count of before and after its answers."""
        return max(self.description.kept_bytes, *self.after.kept_bytes)

    @property
    def differing(self) -> int | None:
        """The first input whose output alone, as it will be timed, is not that of the whole batch; None if all are."""
        pairs = zip(self.singles, self.outputs, strict=False)
        return next((index for index, pair in enumerate(pairs) if not alike(*pair, SINGLE_TOLERANCE)), None)


@dataclass(frozen=True)
class Survey:
    """What was seen of all models and of the machine, for planning and checking."""

    started_at: datetime
    machine: system.Reading
    models: list[ModelSurvey]
    probe: Probe
    limits: Limits

    @property
    def kept_bytes(self) -> list[int]:
        """Bytes that each model keeps."""
        return [model.kept_bytes for model in self.models]

    @property
    def inspections(self) -> list[Inspection]:
        """What the processes looked like."""
        return [model.after for model in self.models]


def survey_models(alone: Alone, progress: Progress = silent) -> Survey:
    """Look at every model, one after the other. ModelError for one that cannot be measured honestly."""
    started_at, machine = datetime.now(UTC), system.read_machine()
    progress("survey", 0.0)
    for placements in alone:
        refuse_patches(placements.inspect())
    probe = _joined([placements.probe() for placements in alone])
    batch = max(LEAST_BATCH, BATCH_BUDGET_NS // max(1, *probe.call_ns))
    models = [_look_at(*pair, batch) for pair in zip(alone, probe.call_ns, strict=True)]
    limits = _best_limits(alone, [model.kept_bytes for model in models])
    refuse_leftovers(alone)
    return Survey(started_at, machine, models, probe, limits)


def refuse_patches(inspection: Inspection) -> None:
    """ModelError names what a model has changed of the framework."""
    if inspection.patched:
        named = ", ".join(inspection.patched[:MOST_NAMED])
        mend = "leave what both models run on as it is; what is faster belongs into the model"
        raise ModelError(f"a model changed the framework that both models run on: {named}", mend=mend)


def refuse_leftovers(alone: Alone) -> None:
    """ModelError names what a model keeps outside its process, where nobody counts it."""
    for placements in alone:
        if found := placements.left_behind():
            named = ", ".join(found[:MOST_NAMED])
            mend = "keep all that the model needs in itself, and let it end what it starts"
            raise ModelError(f"after its answers a model leaves {named}: what it keeps there is not counted", mend=mend)


def _look_at(placements: AnyPlacements, call_ns: int, most: int) -> ModelSurvey:
    """Single samples come last: what a model then keeps, it keeps when one comes, as when it is timed."""
    description, outputs = placements.describe(0), placements.predict(0, most)
    pass_ns = placements.time_passes(0, most)
    singles = placements.predict_singly(0, call_ns)
    after = placements.inspect()
    refuse_patches(after)
    return ModelSurvey(description, outputs, singles, pass_ns, most, after)


def _joined(probes: Sequence[Probe]) -> Probe:
    """One of all models, with the worst that was seen of the clock."""
    calls = tuple(call_ns for probe in probes for call_ns in probe.call_ns)
    return Probe(calls, max(each.timer_overhead_ns for each in probes), max(each.timer_step_ns for each in probes))


def _best_limits(alone: Alone, sizes: list[int]) -> Limits:
    """The best that was seen of the machine, with reads as large as each model: no time may lie far below it."""
    pairs = zip(alone, sizes, strict=True)
    return Limits.best([each.limits(size, measure.LIMIT_TRIES) for each, size in pairs])
