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
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.placements import ModelSource
from tinytorch.benchmarking.records.outside import OutsideTimes, Requests
from tinytorch.benchmarking.records.samples import write_samples
from tinytorch.benchmarking.schedule import FEWEST_VISITS, BlockShape, Probe, Schedule, Tier, fitted, rounds
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.metrics import correctness
from tinytorch.harness.referee.chain import STATES, follow_by, inputs_asked
from tinytorch.harness.referee.channel import ENTRY, FIRST, NULL, Bytes, Channel, Form, Hire
from tinytorch.harness.referee.runner import as_bytes
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.progress import Progress, silent

OUTSIDE = Tier("outside", 3_000_000_000, processes=6, copies=1)
REQUEST_NS = 300_000
ENOUGH_INPUTS, ENOUGH_NS = 24, 3_000_000  # of a longer request: waking up costs a large model up to 50 us
LONG_NS = 1_000_000  # of a request that shows what an input takes
SLOW_NS = 1_200_000  # of a single input: then a request has one
POOL = 16  # times as many inputs as a request has: computing all of them in one product takes 4 times as long
MOST_POOL_BYTES = 2**26
MOST_VISITS = 12
ROUND_TRIPS = 8  # in a visit
PROBES = 5
SHAPES = tuple(
    BlockShape(*shape) for shape in ((4, 1, 5), (2, 1, 5), (2, 1, 3), (1, 1, 3), (1, 1, 1), (1, 0, 1))
)  # of requests
MOST_REQUESTS = max(shape.batches for shape in SHAPES)

NANOSECONDS_PER_SECOND = 1e9

MakeSamples = Callable[[int, np.random.Generator], TensorDataset]  # so many new ones, with their answers
OneForm = tuple[tuple[int, ...], str]  # the shape and type of an array


@dataclass(frozen=True)
class Match:
    """Two models that are timed beside one another, the baseline first, and what both are asked.

    `inputs` is the form of one input, `answers` are those of their answers, and `tokens` says that these are tokens.
    """

    sources: tuple[ModelSource, ModelSource]
    inputs: OneForm
    answers: tuple[OneForm, OneForm]
    tokens: bool
    make: MakeSamples

    @property
    def most_inputs(self) -> int:
        """That a request can have, with all pools of a block in memory."""
        shape, dtype = self.inputs
        pool_bytes = POOL * MOST_REQUESTS * int(np.prod(shape)) * np.dtype(dtype).itemsize
        return max(1, MOST_POOL_BYTES // pool_bytes)

    def group(self, hire: Hire, stack: contextlib.ExitStack) -> list[Channel]:
        """The baseline, the entry and the null model, whose answers are like the entry's, loading side by side."""
        most = self.most_inputs
        inputs = Form(FIRST + POOL * MOST_REQUESTS * most, *self.inputs)
        channels = [
            stack.enter_context(Channel(hire, model, inputs, Form(most, *form), self.tokens))
            for model, form in enumerate((*self.answers, self.answers[ENTRY]))
        ]
        for channel, source in zip(channels, (*self.sources, None), strict=True):
            channel.load(source)
        return channels


@dataclass(frozen=True)
class Hidden:
    """A block's inputs as they lie in memory: pools of `size`, one for each request, each behind a mask of its own."""

    size: int
    masks: Bytes
    content: Bytes = field(repr=False)

    @classmethod
    def of(cls, inputs: NDArray[Any], size: int, requests: int, generator: np.random.Generator) -> Hidden:
        """The first inputs (N, ...), behind masks that are drawn."""
        plain = as_bytes(inputs[: size * requests]).reshape(requests, size, -1)
        masks = generator.integers(0, 256, (requests, plain.shape[2]), np.uint8)
        return cls(size, masks, (plain ^ masks[:, np.newaxis]).reshape(size * requests, -1))


@dataclass(frozen=True)
class Asked:
    """A block's timed requests before they are scored: where each began, its state, time and answers."""

    begun: list[tuple[int, int]]
    times: list[int]
    answers: list[NDArray[Any]] = field(repr=False)


@dataclass
class Tally:
    """What the requests to one model gave: times [process][block][request], and how its answers were."""

    times: list[list[list[int]]]
    answers: int = 0
    correct: int = 0
    distinct: int = 0


def time_outside(match: Match, hire: Hire, tier: Tier = OUTSIDE, progress: Progress = silent) -> OutsideTimes:
    """One session. WorkerFailedError where a runner fails, or does not do what it is asked."""
    generator = np.random.default_rng()
    with contextlib.ExitStack() as stack:
        groups = [match.group(hire, stack) for _ in range(tier.processes)]
        channels = [channel for group in groups for channel in group]
        for channel in channels:
            channel.serve()
        stack.enter_context(on_one_core(channels))
        session = Session(match, _plan(match, groups[0], tier, generator), groups, generator)
        before = [_spent(group) for group in groups]
        visits = [process for each in rounds(session.plan, random.SystemRandom()) for process in each]
        for done, process in enumerate(visits):
            progress("outside", done / len(visits))
            session.visit(process)
        taken = [_spent(group).since(first) for group, first in zip(groups, before, strict=True)]
        return session.record(unasked_share(taken))


class Spent(NamedTuple):
    """What a group has taken, nanoseconds: the entry's processor time, and how long it and the others were asked."""

    entry_ns: float
    asked_ns: int
    others_ns: int

    def since(self, before: Spent) -> Spent:
        """What was taken between the two."""
        entry_ns, asked_ns, others_ns = (one - two for one, two in zip(self, before, strict=True))
        return Spent(entry_ns, round(asked_ns), round(others_ns))


def _spent(group: Sequence[Channel]) -> Spent:
    others = sum(channel.asked_ns for channel in group) - group[ENTRY].asked_ns
    return Spent(group[ENTRY].worker.spent_s() * NANOSECONDS_PER_SECOND, group[ENTRY].asked_ns, others)


def unasked_share(groups: Sequence[Spent]) -> float:
    """The processor time that the entry's processes took beyond their requests, of the time that others were asked.

    All are on one core, so that it slows the others by so much.
    """
    beyond = sum(max(0.0, each.entry_ns - each.asked_ns) for each in groups)
    return beyond / max(1, sum(each.others_ns for each in groups))


@contextlib.contextmanager
def on_one_core(channels: Sequence[Channel]) -> Iterator[None]:
    """The referee and all runners on one core, and nothing collected meanwhile."""
    before, collects = os.sched_getaffinity(0), gc.isenabled()
    core = max(before)
    for channel in (*channels, *channels):  # twice: a thread that was just born had not been seen
        channel.worker.pin(core)
    os.sched_setaffinity(0, {core})
    gc.collect()
    gc.disable()
    try:
        yield
        if not all(channel.worker.is_pinned(core) for channel in channels):
            raise WorkerFailedError("broke the protocol", "something of it left the processor core that all share")
    finally:
        os.sched_setaffinity(0, before)
        if collects:
            gc.enable()


def _plan(match: Match, group: Sequence[Channel], tier: Tier, generator: np.random.Generator) -> Schedule:
    """How many inputs a request to each model has, how many requests a block, and how many visits there are."""
    calls = [_call_ns(match, channel, generator) for channel in group[:NULL]]
    counts = tuple(_inputs(call, match.most_inputs) for call in calls)
    shortest = Schedule(1, tier.processes, 1, FEWEST_VISITS, SHAPES[-1], counts)
    plan = fitted(shortest, SHAPES, Probe(tuple(calls), 0, 0), tier.budget_ns)
    return replace(plan, visits=min(plan.visits, MOST_VISITS))


def _inputs(call_ns: int, most: int) -> int:
    """Of a request to a model that takes so long for one."""
    if call_ns >= SLOW_NS:
        return 1
    return min(most, max(math.ceil(REQUEST_NS / call_ns), min(ENOUGH_INPUTS, math.ceil(ENOUGH_NS / call_ns))))


def _call_ns(match: Match, channel: Channel, generator: np.random.Generator) -> int:
    """Roughly what one input takes, by requests that are long enough."""
    count = 1
    while True:
        inputs = match.make(POOL * count, generator).inputs
        channel.pool[FIRST : FIRST + len(inputs)] = inputs
        took = min(channel.chained(count, FIRST, len(inputs), 0, state) for state in range(PROBES))
        if took >= (SLOW_NS if count == 1 else LONG_NS) or count == match.most_inputs:
            return max(1, took // count)
        count = min(match.most_inputs, count * 4)


class Session:
    """The blocks of one session as they come."""

    def __init__(
        self, match: Match, plan: Schedule, groups: Sequence[Sequence[Channel]], generator: np.random.Generator
    ) -> None:
        self.plan, self._match, self._groups, self._generator = plan, match, groups, generator
        first, second = plan.calls_per_sample
        self._counts = (first, second, second)
        self._tallies = [Tally([[] for _ in groups]) for _ in self._counts]
        self._round_trips: list[list[list[int]]] = [[] for _ in groups]

    def visit(self, number: int) -> None:
        """Every model of a group gets its blocks, in turns."""
        group, requests = self._groups[number], self.plan.block.batches
        for _ in range(self.plan.block.block_pairs):
            samples = self._match.make(POOL * max(self._counts) * requests, self._generator)
            first, second = (
                Hidden.of(samples.inputs, POOL * count, requests, self._generator) for count in self._counts[:NULL]
            )
            hidden, order = (first, second, second), self._generator.permutation(len(group)).tolist()
            asked = {model: self._block(group[model], self._counts[model], hidden[model]) for model in order}
            for model in order:  # when all have answered, so that nothing lies between their blocks
                self._tallies[model].times[number].append(asked[model].times)
                if model != NULL:
                    self._score(self._tallies[model], asked[model], hidden[model].size, samples.labels)
        self._round_trips[number].append([group[NULL].nothing() for _ in range(ROUND_TRIPS)])

    def _block(self, channel: Channel, count: int, hidden: Hidden) -> Asked:
        """All requests, without those that are discarded; what each begins with, chance says."""
        begun, times, answers = [], [], []
        channel.masked[FIRST : FIRST + len(hidden.content)] = hidden.content
        for number, mask in enumerate(hidden.masks):
            start, state = int(self._generator.integers(hidden.size)), secrets.randbelow(STATES)
            begun.append((start, state))
            times.append(channel.chained(count, FIRST + number * hidden.size, hidden.size, start, state, mask))
            answers.append(channel.answers[:count].copy())
        timed = slice(self.plan.block.discarded, None)
        return Asked(begun[timed], times[timed], answers[timed])

    def _score(self, tally: Tally, block: Asked, size: int, labels: NDArray[Any]) -> None:
        """Every timed answer: the chain is followed again from what came back."""
        follow = follow_by(self._match.tokens)
        for request, ((start, state), answers) in enumerate(
            zip(block.begun, block.answers, strict=True), self.plan.block.discarded
        ):
            numbers = inputs_asked(answers, start, state, size, follow)
            right = right_of(answers, labels[request * size : (request + 1) * size][numbers])
            tally.answers += right.size
            tally.correct += int(right.sum())
            tally.distinct += len(set(numbers)) * right[0].size

    def record(self, unasked: float) -> OutsideTimes:
        """All of it, with what the entry's processes took while they were not asked."""
        baseline, optimized = (
            Requests(
                inputs=count, pool=POOL * count, samples_ns=write_samples(tally.times), answers=tally.answers,
                correct=tally.correct, distinct=tally.distinct,
            )
            for count, tally in zip(self._counts[:NULL], self._tallies[:NULL], strict=True)
        )  # fmt: skip
        return OutsideTimes(
            session=secrets.token_hex(8), baseline=baseline, optimized=optimized,
            null=write_samples(self._tallies[NULL].times), null_inputs=self._counts[NULL],
            round_trips_ns=write_samples(self._round_trips), unasked_share=unasked,
        )  # fmt: skip


def right_of(answers: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which answers are right; what is no number is the least of all scores."""
    if np.issubdtype(answers.dtype, np.inexact) and not np.isfinite(answers).all():
        answers = np.where(np.isfinite(answers), answers, np.finfo(answers.dtype).min)
    return correctness(answers, labels)
