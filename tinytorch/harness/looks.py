"""Looks at this machine: short sessions of a task's baseline without any entry, to see how disturbed it is now."""

from __future__ import annotations

import io
import math
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking import measure, system, yardstick
from tinytorch.benchmarking.placements import ModelSource
from tinytorch.benchmarking.records.session import ReferenceTimes
from tinytorch.benchmarking.remote import Sendable, Workers
from tinytorch.benchmarking.schedule import BLOCK_SHAPES, FEWEST_VISITS, SEEDS, Schedule, session_ns
from tinytorch.benchmarking.statistics import block_times
from tinytorch.benchmarking.timing import time_session
from tinytorch.competition.scoring.disturbance import (
    QuietTimes,
    clock_hour,
    machine_key,
    quiet_logs,
)
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.spatial import Flatten
from tinytorch.errors import UsageError
from tinytorch.harness.build import model_source
from tinytorch.harness.faults import scratch
from tinytorch.harness.frozen import BASELINE, INPUTS, Frozen
from tinytorch.harness.prepare import UNOBSERVED, WITHHOLD, Observer
from tinytorch.progress import silent
from tinytorch.units import format_time
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.task import Task

PROCESSES, COPIES = 6, 2
LONGEST_LOOK_NS = 60_000_000_000
HIDDEN, CLASSES = 64, 10


@dataclass(frozen=True)
class Look:
    """One short session: `logs` are ln of nanoseconds a call, the quiet times of each model's placements.

    `quiet` is what it tells of the machine, as a run does.
    """

    quiet: QuietTimes
    logs: list[list[float]]

    def excess(self, known: ReferenceTimes) -> float:
        """How much longer the baseline took than what is known, as a share."""
        quiet = self.quiet.model_copy(update={"known": known})
        ((baseline, _),) = quiet.excesses(quiet.best)
        return math.expm1(baseline)


@dataclass(frozen=True)
class Looker:
    """Looks at the models of a venue, of which the first is the baseline of a task."""

    task: str
    venue: Workers
    plan: Schedule
    baseline_sha256: str

    def look(self) -> Look:
        """One look now, in new processes."""
        started_at = datetime.now(UTC)
        taken = time_session(self.venue, self.plan, secrets.randbelow(SEEDS), 0, silent)
        threads = {seen.blas_threads for seen in taken.inspections}
        info = system.describe(threads.pop() if len(threads) == 1 else None)
        *models, beside = (self._logs(taken.samples, model) for model in range(self.plan.models + 1))
        key = machine_key(info, measure.CLOCK_NAME, yardstick.VERSION, self.baseline_sha256)
        quiet = QuietTimes(
            key=key, task=self.task, hour=clock_hour(started_at), known=None, baseline=[fmean(models[0])],
            yardstick=[median(beside)],
        )  # fmt: skip
        return Look(quiet, models)

    def _logs(self, processes: list[measure.Samples], model: int) -> list[float]:
        """Of one model in all placements."""
        is_yardstick = model == self.plan.models
        calls = yardstick.CALLS_PER_SAMPLE if is_yardstick else self.plan.calls_per_sample[model]
        times = block_times([copy for process in processes for copy in process[model]]) / calls
        (logs,) = quiet_logs(times, len(times))
        return logs


def small_model(features: int) -> Sequential:
    """A network that hardly any neighbour slows, for inputs of so many numbers."""
    generator = np.random.default_rng(0)
    first, last = Linear(features, HIDDEN, rng=generator), Linear(HIDDEN, CLASSES, rng=generator)
    return Sequential(Flatten(), first, ReLU(), last)


@contextmanager
def looker(
    task: Task, cache_directory: Path | None = None, told: Observer = UNOBSERVED, *, with_pairs: bool = False
) -> Iterator[Looker]:
    """Looks at the task's baseline; `with_pairs` also at a copy of it and at a small model.

    UsageError for a baseline that is too slow to be looked at in seconds.
    """
    cached = cached_baseline(task, told.progress, told.say, cache_directory)
    _, test = task.load_data()
    contents = {BASELINE: cached.read(), INPUTS: _npy(test.inputs)}
    with scratch() as folder:
        frozen = Frozen.of(folder / "look", contents)
        sources = [model_source(frozen, BASELINE)]
        if with_pairs:
            arguments = {"features": int(np.prod(test.inputs.shape[1:]))}
            sources += [*sources, ModelSource(f"{__name__}:{small_model.__name__}", arguments)]
        sendable = Sendable(tuple(sources), str(frozen.path(INPUTS)), True, task.freshen, WITHHOLD)
        venue = Workers(sendable, folder)
        yield Looker(task.name, venue, _plan(task.name, venue), cached.sha256)


def _plan(task: str, venue: Workers) -> Schedule:
    """Ten visits with full blocks, as many as any session has at least."""
    with venue.open(1, [secrets.randbelow(SEEDS)]) as (process,):
        probe = process.probe()
    plan = Schedule(1, PROCESSES, COPIES, FEWEST_VISITS, BLOCK_SHAPES[0], probe.calls_per_sample)
    if session_ns(plan, probe) > LONGEST_LOOK_NS:
        message = f"the baseline of {task} takes {format_time(probe.call_ns[0])} a call: a look would take too long"
        raise UsageError(
            message, mend="take a task with a faster baseline (--task fashion_mlp), or leave --wait-quiet out"
        )
    return plan


def _npy(inputs: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, inputs, allow_pickle=False)
    return file.getvalue()
