"""How far a busy machine may have moved a speedup, for the whole of a session.

The baseline is one and the same model in every session, so that its time over the least that this machine has shown
tells how disturbed it was: `x`. What slows the yardstick as well, which lies in the nearest caches, slows every model
alike: `y`. An entry's own excess lies between the two, so that the speedup may be too high by `x - y`, or too low by
`y - x`. Other models of its size cannot be corrected for it: the excess begins at what is left of a shared cache, and
nobody knows where that is. What was measured of all this: docs/measurement.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import fmean, median
from typing import NamedTuple

from tinytorch.benchmarking.comparison import Disturbance
from tinytorch.benchmarking.records.record import Moment, Record, Sha256, Text
from tinytorch.benchmarking.records.session import Protocol, ReferenceTimes, SystemInfo
from tinytorch.benchmarking.statistics import Floats, quiet_time
from tinytorch.competition.record.run import Measurement, Run
from tinytorch.competition.rules.events import Disturbing, Rules
from tinytorch.files import sha256

BLOCKS = 40  # of a copy that count, the first ones: of a model what ten visits give, of the yardstick all there are
NOTICEABLE = 0.02  # what may have moved a speedup by less is not said, and a machine is quiet with less
LEAST_DISCARDED, LEAST_TIMED = 3, 5  # samples of a block: with fewer, a large model's weights are still on their way
MACHINE = (
    "cpu_model", "physical_cores", "logical_cores", "memory_bytes", "operating_system", "python", "numpy", "blas",
    "blas_threads", "governor",
)  # fmt: skip
"""What must be the same of two machines for times to be comparable."""


class Best(NamedTuple):
    """The least that is known of a machine: ln of nanoseconds a call."""

    baseline: float
    yardstick: float


class QuietTimes(Record):
    """What tells how disturbed the sessions of a run were: ln of nanoseconds a call, of each session.

    Of the baseline it is the mean over copies of ln(quiet time), of the yardstick the median, because one of its copies
    is never quiet. `key` is that of `ReferenceTimes`, `known` what the run says of the machine, if it does, and `hour`
    the clock hour that the run began in.
    """

    key: Sha256
    task: Text | None
    hour: Moment
    baseline: list[float]
    yardstick: list[float]
    known: ReferenceTimes | None

    @property
    def best(self) -> Best | None:
        """The least that the run says was known."""
        known = self.known
        return Best(math.log(known.baseline_ns), math.log(known.yardstick_ns)) if known else None

    @property
    def hours(self) -> int:
        """From how many clock hours the machine is known now, with this run's."""
        return 1 if self.known is None else self.known.hours + (self.hour > self.known.until)

    def moved(self, rules: Disturbing, best: Best | None) -> Disturbance:
        """How far the run may have been moved, beside what is known. Of several sessions it is the mean.

        Until the machine is known it is at least the floor of the task.
        """
        pairs = self.excesses(best)
        down, up = (fmean(max(0.0, pair[one] - pair[1 - one]) for pair in pairs) for one in (0, 1))
        return Disturbance(down=max(down, floor(self.task, self.hours, rules)), up=up)

    def excesses(self, best: Best | None) -> list[tuple[float, float]]:
        """Of each session: how far the baseline and the yardstick lay above the least; nothing where none is known."""
        if best is None:
            return [(0.0, 0.0)]
        pairs = zip(self.baseline, self.yardstick, strict=True)
        return [(max(0.0, one - best.baseline), max(0.0, two - best.yardstick)) for one, two in pairs]


def quiet_times(run: Measurement) -> QuietTimes | None:
    """What a run tells; None where it does not: no worker processes, no yardstick, or too few and too short blocks."""
    protocol, latency, info = run.protocol, run.baseline.metrics.latency, run.system_info
    if protocol is None or info is None or latency is None or protocol.yardstick is None:
        return None
    digest, times, calls = run.baseline.artifact_sha256, latency.block_times_ns, latency.calls_per_sample or 1
    beside = protocol.yardstick.block_times_ns
    placements = protocol.processes * protocol.copies
    if digest is None or times is None or not _is_enough(protocol):
        return None
    if not len(times) == len(beside) == protocol.sessions * placements:
        return None  # of a file that contradicts itself, which a check says
    return QuietTimes(
        key=machine_key(info, protocol.clock, protocol.yardstick.version, digest),
        task=run.task.name if run.task else None,
        baseline=[fmean(each) for each in quiet_logs(times / calls, placements)],
        yardstick=[median(each) for each in quiet_logs(beside, placements)],
        known=protocol.reference, hour=clock_hour(protocol.started_at),
    )  # fmt: skip


def disturbance_of(run: Measurement, rules: Rules) -> Disturbance | None:
    """How far the speedup of a run may have been moved by the machine; None by rules without it."""
    if rules.disturbance is None:
        return None
    found = quiet_times(run)
    if found is None:
        return Disturbance(down=floor(run.task.name if run.task else None, 0, rules.disturbance), up=0.0)
    return found.moved(rules.disturbance, found.best)


def sharing_what_is_known(first: Run, second: Run) -> tuple[Run, Run]:
    """Two runs of one machine, each with the best that either knows of it; others are left as they are."""
    one, two = quiet_times(first), quiet_times(second)
    if one is None or two is None or one.key != two.key or one.known is two.known is None:
        return first, second
    known = max(filter(None, (one.known, two.known)), key=lambda each: each.hours)
    best = [each.best for each in (one, two) if each.best]
    shared = known.model_copy(update={
        "baseline_ns": math.exp(min(each.baseline for each in best)),
        "yardstick_ns": math.exp(min(each.yardstick for each in best)),
    })  # fmt: skip
    return _with_reference(first, shared), _with_reference(second, shared)


def _with_reference(run: Run, known: ReferenceTimes) -> Run:
    return run.model_copy(update={"protocol": run.protocol.model_copy(update={"reference": known})})


def clock_hour(moment: datetime) -> datetime:
    """The beginning of the hour that a moment lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def floor(task: str | None, hours: int, rules: Disturbing) -> float:
    """What is taken at least for the disturbance, on the log scale, of a machine that so many clock hours are known of.

    With the run's own hour alone nothing was known before; with hours enough it is 0.
    """
    taken = rules.floors.get(task, rules.other_tasks) if task else rules.other_tasks
    if hours >= rules.reference_hours:
        return 0.0
    return math.log1p(taken.no_reference if hours <= 1 else taken.young_reference)


def machine_key(info: SystemInfo, clock: str, yardstick_version: int, baseline_sha256: str) -> str:
    """The digest of all that makes two times of a baseline comparable: what runs it, and what measured it."""
    machine = {name: getattr(info, name) for name in (*MACHINE, "tinytorch")}
    parts = {**machine, "clock": clock, "yardstick": yardstick_version, "baseline": baseline_sha256}
    return sha256(json.dumps(parts, sort_keys=True).encode())


def _is_enough(protocol: Protocol) -> bool:
    """Whether the session had workers, and as many blocks, which are long enough, as other sessions' times are from."""
    has_blocks = protocol.visits * protocol.block_pairs >= BLOCKS
    are_long = protocol.discarded_calls >= LEAST_DISCARDED and protocol.timed_calls >= LEAST_TIMED
    return protocol.mode == "worker processes" and has_blocks and are_long


def quiet_logs(times: Floats, placements: int) -> Iterator[list[float]]:
    """Of each session: ln of its placements' quiet times, from the first blocks of times [placement, block]."""
    quiet = [math.log(quiet_time(each[:BLOCKS])) for each in times]
    for start in range(0, len(quiet), placements):
        yield quiet[start : start + placements]
