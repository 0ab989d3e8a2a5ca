"""Timing from outside: who is asked when, by the schedule of `benchmark`, with the clock in the referee.

Of each group of processes one holds the baseline, one the entry, one a model that does nothing. All run on one core,
with the referee, where a round trip takes a fifth of what it takes between two cores, and hardly varies.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.placements import ModelSource
from tinytorch.benchmarking.records.outside import OutsideTimes, Requests
from tinytorch.benchmarking.records.samples import write_samples
from tinytorch.benchmarking.schedule import BlockShape, Probe, Schedule, Tier, fitted, rounds
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.metrics import correctness
from tinytorch.harness.referee.chain import STATES, follow_by, inputs_asked
from tinytorch.harness.referee.channel import Channel, Form, Hire
from tinytorch.progress import Progress, silent

GROUPS = 6
OUTSIDE = Tier("outside", 3_000_000_000, GROUPS, copies=1)
REQUEST_NS = 300_000
LEAST_POOL, POOL = 16, 64  # times as many inputs as a request has: at least, and where they fit into a cache
CACHE_BYTES = 2**20
MOST_POOL_BYTES = 2**26
MOST_INPUTS = 2_048  # of a request
WARM_INPUTS = 5  # before a model of 13 MB has its weights in the cache again
SLOW_NS = 1_200_000  # of a single input: requests of one each
LONGEST_WARM_NS = 4 * REQUEST_NS
ROUND_TRIPS = 8  # in a visit
PROBES = 5
SHAPES = tuple(
    BlockShape(*shape) for shape in ((4, 1, 8), (4, 1, 5), (2, 1, 5), (2, 1, 3), (1, 1, 3), (1, 1, 1), (1, 0, 1))
)

MakeSamples = Callable[[int, np.random.Generator], TensorDataset]  # so many new ones, with their answers


@dataclass(frozen=True)
class Match:
    """Two models that are timed beside one another, the baseline first, and what both are asked.

    `answers` are the shapes and types of their answers to one input, `tokens` says that those are tokens.
    """

    sources: tuple[ModelSource, ModelSource]
    inputs: tuple[tuple[int, ...], str]
    answers: tuple[tuple[tuple[int, ...], str], tuple[tuple[int, ...], str]]
    tokens: bool
    make: MakeSamples

    def channels(self, hire: Hire, stack: contextlib.ExitStack, room: int) -> list[Channel]:
        """Of one group: the baseline's, the entry's and the null model's, which loads like the entry."""
        shape, dtype = self.inputs
        forms = [Form(max(WARM_INPUTS, room // LEAST_POOL), *form) for form in (*self.answers, self.answers[1])]
        channels = [stack.enter_context(Channel(hire, Form(room, shape, dtype), form, self.tokens)) for form in forms]
        for channel, source in zip(channels, (*self.sources, None), strict=True):
            channel.load(source)
        return channels

    @property
    def input_bytes(self) -> int:
        """Of one input."""
        shape, dtype = self.inputs
        return int(np.prod(shape)) * np.dtype(dtype).itemsize

    @property
    def room(self) -> int:
        """Inputs that a pool can have."""
        return max(LEAST_POOL, min(MOST_INPUTS * LEAST_POOL, MOST_POOL_BYTES // self.input_bytes))

    def pool_of(self, count: int) -> int:
        """How many inputs a pool has for requests of `count`."""
        return max(LEAST_POOL * count, min(POOL * count, CACHE_BYTES // self.input_bytes))


@dataclass
class Tally:
    """What the requests to one model gave."""

    times: list[list[list[int]]]
    answers: int = 0
    correct: int = 0
    distinct: int = 0


@dataclass(frozen=True)
class Asked:
    """One block's timed requests to a model, before they are scored: their starts and states, times and answers."""

    starts: list[tuple[int, int]]
    times: list[int]
    answers: list[NDArray[Any]] = field(repr=False)


def time_outside(match: Match, hire: Hire, tier: Tier = OUTSIDE, progress: Progress = silent) -> OutsideTimes:
    """One session. WorkerFailedError where a runner fails, or answers what it should not."""
    generator, drawn = np.random.default_rng(), random.SystemRandom()
    with contextlib.ExitStack() as stack:
        groups = [match.channels(hire, stack, match.room) for _ in range(tier.processes)]
        for channel in (each for group in groups for each in group):
            channel.serve()
        stack.enter_context(on_one_core([each for group in groups for each in group]))
        calls = [_call_ns(match, channel, generator) for channel in groups[0][:2]]
        plan = _plan(match, calls, tier)
        session = _Session(match, plan, _warm(calls), groups, generator)
        visits = [process for each in rounds(plan, drawn) for process in each]
        for done, process in enumerate(visits):
            progress("outside", done / len(visits))
            session.visit(process)
        return session.record()


@contextlib.contextmanager
def on_one_core(channels: Sequence[Channel]) -> Iterator[None]:
    """The referee and all runners on one core, and nothing collected meanwhile."""
    before, collects = os.sched_getaffinity(0), gc.isenabled()
    core = max(before)
    for channel in channels:
        channel.worker.pin(core)
    os.sched_setaffinity(0, {core})
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        if collects:
            gc.enable()


def _plan(match: Match, calls: Sequence[int], tier: Tier) -> Schedule:
    """How many inputs a request to each model has, and the shape of blocks, by what a call takes."""
    most = match.room // LEAST_POOL
    counts = tuple(min(most, max(1, math.ceil(REQUEST_NS / call))) for call in calls)
    shortest = Schedule(1, tier.processes, 1, 10, SHAPES[-1], counts)
    return fitted(shortest, SHAPES, Probe((calls[0], calls[1]), 0, 0), tier.budget_ns)


def _warm(calls: Sequence[int]) -> tuple[int, int]:
    """Inputs before a model has its weights in the cache again; of slow ones fewer do."""
    first, second = (min(WARM_INPUTS, 1 + LONGEST_WARM_NS // call) for call in calls)
    return first, second


def _call_ns(match: Match, channel: Channel, generator: np.random.Generator) -> int:
    """Roughly what one input takes, by requests that are long enough."""
    count, most = 1, match.room // LEAST_POOL
    while True:
        size = match.pool_of(count)
        channel.pool[:size] = match.make(size, generator).inputs
        took = min(channel.chained(count, size, 0, state) for state in range(PROBES))
        if took >= (SLOW_NS if count == 1 else REQUEST_NS) or count >= most:
            return max(1, took // count)
        count = min(most, count * 4)


class _Session:
    """The blocks of one session as they come."""

    def __init__(
        self, match: Match, plan: Schedule, warm: tuple[int, int], groups: Sequence[Sequence[Channel]],
        generator: np.random.Generator,
    ) -> None:  # fmt: skip
        self._match, self._plan, self._groups, self._generator = match, plan, groups, generator
        first, second = plan.calls_per_sample
        self._counts = (first, second, second)
        self._pools = tuple(map(match.pool_of, self._counts))
        self._warm = tuple(max(count // 2, warm) for count, warm in zip(self._counts, (*warm, warm[1]), strict=True))
        self._tallies = [Tally([[] for _ in groups]) for _ in self._counts]
        self._round_trips: list[list[list[int]]] = [[] for _ in groups]

    def visit(self, number: int) -> None:
        """Every model of a group gets its blocks, in turns."""
        group = self._groups[number]
        for _ in range(self._plan.block.block_pairs):
            samples = self._match.make(max(self._pools), self._generator)
            asked = {each: self._block(group[each], each, samples) for each in self._generator.permutation(len(group))}
            for each, block in asked.items():  # when all have answered, so that nothing lies between their blocks
                self._score(each, number, block, samples)
        self._round_trips[number].append([group[2].nothing() for _ in range(ROUND_TRIPS)])

    def _block(self, channel: Channel, model: int, samples: TensorDataset) -> Asked:
        """The discarded requests, then the timed ones; which inputs they begin with is drawn."""
        count, size, shape = self._counts[model], self._pools[model], self._plan.block
        channel.pool[:size] = samples.inputs[:size]
        starts = [int(each) for each in self._starts(shape.batches, count, size)]
        states = [secrets.randbelow(STATES) for _ in starts]
        for each in range(shape.discarded):
            channel.chained(self._warm[model], size, starts[each], states[each])
        times, answers, timed = [], [], list(zip(starts, states, strict=True))[shape.discarded :]
        for start, state in timed:
            times.append(channel.chained(count, size, start, state))
            answers.append(channel.answers[:count].copy())
        return Asked(timed, times, answers)

    def _starts(self, requests: int, count: int, size: int) -> NDArray[Any]:
        """Requests of a single input ask for another one each."""
        return self._generator.choice(size, requests, replace=count > 1 or size < requests)

    def _score(self, model: int, group: int, block: Asked, samples: TensorDataset) -> None:
        tally, follow = self._tallies[model], follow_by(self._match.tokens)
        tally.times[group].append(block.times)
        if model == 2:
            return
        labels = samples.labels
        for (start, state), answers in zip(block.starts, block.answers, strict=True):
            numbers = inputs_asked(answers, start, state, self._pools[model], follow)
            right = _right(answers, labels[numbers])
            tally.answers += right.size
            tally.correct += int(right.sum())
            tally.distinct += len(set(numbers)) * right[0].size

    def record(self) -> OutsideTimes:
        """All of it."""
        baseline, optimized = (
            Requests(
                inputs=count, pool=pool, samples_ns=write_samples(tally.times), answers=tally.answers,
                correct=tally.correct, distinct=tally.distinct,
            )
            for count, pool, tally in zip(self._counts[:2], self._pools, self._tallies, strict=False)
        )  # fmt: skip
        return OutsideTimes(
            session=secrets.token_hex(8), baseline=baseline, optimized=optimized,
            null=write_samples(self._tallies[2].times), null_inputs=self._counts[2],
            round_trips_ns=write_samples(self._round_trips),
        )  # fmt: skip


def _right(answers: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which are right; what is no number is wrong."""
    if np.issubdtype(answers.dtype, np.inexact):
        answers = np.nan_to_num(answers, nan=-np.inf, posinf=np.finfo(answers.dtype).max, neginf=-np.inf)
        answers = np.where(np.isfinite(answers), answers, np.finfo(answers.dtype).min)
    return correctness(answers, labels)
