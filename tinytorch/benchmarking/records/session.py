"""How a session was measured, on which machine, and what makes it less to be trusted."""

from __future__ import annotations

from functools import cached_property
from statistics import fmean
from typing import Annotated, Literal

from pydantic import Field

from tinytorch.benchmarking.records.record import (
    CallTime,
    Count,
    Hours,
    Moment,
    NotNegative,
    Positive,
    PositiveFloat,
    Record,
    Sha256,
    Text,
)
from tinytorch.benchmarking.records.samples import SamplesNs, read_samples
from tinytorch.benchmarking.statistics import Floats, block_times, quiet_time, typical_time


class Doubt(Record):
    """A reason to trust a measurement less: what was seen of the machine, and what to do about it."""

    code: Text
    evidence: Text
    advice: Text


SESSIONS_AND_PROCESSES = {"fast": (1, 6), "default": (1, 8), "rigorous": (6, 8)}
"""Of each tier: how many sessions it has, and how many processes each of them."""


YARDSTICKS = {1: (4, 8)}
"""By version: the calls of a sample, and the timed samples of a block."""


class YardstickTimes(Record):
    """How long the yardstick took: a block of each copy in every visit, in samples of so many calls."""

    version: Positive
    calls_per_sample: Positive
    samples_ns: SamplesNs

    @cached_property
    def block_times_ns(self) -> Floats:
        """[placement, block] the median of each block's samples, for a call."""
        return block_times(read_samples(self.samples_ns)) / self.calls_per_sample

    @property
    def typical_excess(self) -> float:
        """Its typical time / the mean of its placements' quiet times."""
        times = self.block_times_ns
        return typical_time(times) / fmean(quiet_time(each) for each in times)


class ReferenceTimes(Record):
    """The least that this machine has shown before: geometric means over copies of quiet times, nanoseconds a call.

    They are from so many clock `hours`, the first and the last of which began at `since` and `until`. The `key` is of
    all that makes times comparable: the machine, what runs on it, and the baseline.
    """

    key: Sha256
    baseline_ns: CallTime
    yardstick_ns: CallTime
    hours: Hours
    since: Moment
    until: Moment


class MachineCard(Record):
    """What `tito olympics doctor` last found: how well so many sessions of known pairs repeated, on the log scale.

    The same model twice differed by chance in `same_alarms` sessions; of a real pair `pair_held` intervals held the
    mean of all. `session_spread` is what the rules would have to take for both, None of a machine that was not known.
    """

    measured_at: Moment
    sessions: Positive
    same_spread: NotNegative
    same_alarms: Count
    pair_spread: NotNegative
    pair_held: Count
    session_spread: NotNegative | None


class Protocol(Record):
    """How a run was measured: enough to repeat it.

    `answers_compared` counts timed calls whose answers were compared with those that the model gives alone. The three
    before it are what one measuring thread could do at its best: the cost of a reading of the clock, reading from the
    nearest cache that holds a model of this size, and multiply-add arithmetic (two operations each). `reference` and
    `card` are None where nothing was known of this machine before.
    """

    tier: Text
    seed: int
    is_seed_chosen: bool | None = None
    mode: Literal["worker processes", "this process"]
    sessions: Positive = 1
    processes: Positive
    copies: Positive
    visits: Positive
    block_pairs: Positive
    discarded_calls: Count
    timed_calls: Positive
    clock: Text
    clock_resolution_ns: Count
    threads: Positive | None
    started_at: Moment
    ended_at: Moment
    timer_overhead_ns: Count | None = None
    memory_bandwidth_bytes_per_s: PositiveFloat | None = None
    flops_per_s: PositiveFloat | None = None
    answers_compared: Count | None = None
    yardstick: YardstickTimes | None = None
    reference: ReferenceTimes | None = None
    card: MachineCard | None = None
    doubts: Annotated[list[Doubt], Field(max_length=20)] | None = None


class SystemInfo(Record):
    """The machine and what runs on it, without anything that names its owner. None: not known, or not there."""

    cpu_model: Text | None
    physical_cores: Positive | None
    logical_cores: Positive | None
    memory_bytes: Positive
    operating_system: Text
    python: Text
    numpy: Text
    scipy: Text | None = None
    numba: Text | None = None
    tinytorch: Text | None = None
    blas: Text | None
    blas_threads: Positive | None
    governor: Text | None = None
