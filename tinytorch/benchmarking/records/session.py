"""How a session was measured, on which machine, and what makes it less to be trusted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tinytorch.benchmarking.records.record import Count, Moment, Positive, PositiveFloat, Record, Text


class Doubt(Record):
    """A reason to trust a measurement less: what was seen of the machine, and what to do about it."""

    code: Text
    evidence: Text
    advice: Text


SESSIONS_AND_PROCESSES = {"fast": (1, 6), "default": (1, 8), "rigorous": (6, 8)}
"""Of each tier: how many sessions it has, and how many processes each of them."""


class Protocol(Record):
    """How a run was measured: enough to repeat it.

    `answers_compared` counts timed calls whose answers were compared with those that the model gives alone. The three
    before it are what one measuring thread could do at its best: the cost of a reading of the clock, reading from
    the nearest cache that holds a model of this size, and multiply-add arithmetic (two operations each).
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
    blas: Text | None
    blas_threads: Positive | None
    governor: Text | None = None
