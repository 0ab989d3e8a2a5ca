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
from tinytorch.harness.referee.chain import STATES, follow_by, inputs_asked, scored
from tinytorch.harness.referee.channel import ENTRY, NULL, Channel, Form, Hire
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.progress import Progress, silent

OUTSIDE = Tier("outside", 3_000_000_000, processes=6, copies=1)
REQUEST_NS = 300_000
ENOUGH_INPUTS, ENOUGH_NS = 24, 3_000_000  # of a longer request: waking up costs a large model up to 50 us
SLOW_NS = 1_200_000  # of a single input: then a request has one
POOL = 16  # times as many inputs as a request has: all of them in one product take 4 to 9 times as long
MOST_INPUTS = 256  # of a request: whoever seems fast beyond belief is not believed
MOST_VISITS = 12
ROUND_TRIPS = 8  # in a visit
SHAPES = tuple(
    BlockShape(*shape) for shape in ((4, 1, 5), (2, 1, 5), (2, 1, 3), (1, 1, 3), (1, 1, 1), (1, 0, 1))
)  # of requests

NANOSECONDS_PER_SECOND = 1e9

MakeSamples = Callable[[int, np.random.Generator], TensorDataset]  # so many new ones, with their answers
OneForm = tuple[tuple[int, ...], str]  # the shape and type of an array


@dataclass(frozen=True)
class Match:
    """Two models that are timed beside one another, the baseline first, and what both are asked.

    `inputs` is the form of one input, `answers` are those of their answers, and `tokens` says that these are tokens.
    `call_ns` is what a call of each took inside: how much they are asked is planned by it, not by what they show now.
    """

    sources: tuple[ModelSource, ModelSource]
    inputs: OneForm
    answers: tuple[OneForm, OneForm]
    tokens: bool
    make: MakeSamples
    call_ns: tuple[float, float]

    @property
    def counts(self) -> tuple[int, int]:
        """How many inputs a request to each model has."""
        first, second = map(inputs_of_request, self.call_ns)
        return first, second

    def group(self, hire: Hire, stack: contextlib.ExitStack) -> list[Channel]:
        """The baseline, the entry and the null model, whose answers are like the entry's, loading side by side."""
        first, second = self.counts
        wanted = zip((first, second, second), (*self.answers, self.answers[ENTRY]), strict=True)
        channels = [
            stack.enter_context(Channel(hire, model, Form(POOL * count, *self.inputs), Form(count, *form), self.tokens))
            for model, (count, form) in enumerate(wanted)
        ]
        for channel, source in zip(channels, (*self.sources, None), strict=True):
            channel.load(source)
        return channels


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
        blocks = Blocks(match, _plan(match, tier), groups, generator)
        before = [_spent(group) for group in groups]
        visits = [process for each in rounds(blocks.plan, random.SystemRandom()) for process in each]
        for done, process in enumerate(visits):
            progress("outside", done / len(visits))
            blocks.visit(process)
        taken = [_spent(group).since(first) for group, first in zip(groups, before, strict=True)]
        return blocks.record(unasked_share(taken))


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


def _plan(match: Match, tier: Tier) -> Schedule:
    """How many requests a block has, and how many visits there are."""
    shortest = Schedule(1, tier.processes, 1, FEWEST_VISITS, SHAPES[-1], match.counts)
    first, second = map(round, match.call_ns)
    plan = fitted(shortest, SHAPES, Probe((first, second), 0, 0), tier.budget_ns)
    return replace(plan, visits=min(plan.visits, MOST_VISITS))


def inputs_of_request(call_ns: float) -> int:
    """Of a model that takes so long for one."""
    if call_ns >= SLOW_NS:
        return 1
    enough = min(ENOUGH_INPUTS, math.ceil(ENOUGH_NS / call_ns))
    return min(MOST_INPUTS, max(math.ceil(REQUEST_NS / call_ns), enough))


class Blocks:
    """Those of one session as they come."""

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
            order = self._generator.permutation(len(group)).tolist()
            asked = {model: self._block(group[model], self._counts[model], samples) for model in order}
            for model in order:  # when all have answered, so that nothing lies between their blocks
                self._tallies[model].times[number].append(asked[model].times)
                if model != NULL:
                    self._score(self._tallies[model], asked[model], POOL * self._counts[model], samples.labels)
        self._round_trips[number].append([group[NULL].nothing() for _ in range(ROUND_TRIPS)])

    def _block(self, channel: Channel, count: int, samples: TensorDataset) -> Asked:
        """All requests, without those that are discarded; each has a pool of its own, and begins where chance says."""
        begun, times, answers, size = [], [], [], POOL * count
        for number in range(self.plan.block.batches):
            start, state = int(self._generator.integers(size)), secrets.randbelow(STATES)
            begun.append((start, state))
            times.append(channel.chained(samples.inputs[number * size : (number + 1) * size], count, start, state))
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
            right = np.equal(
                scored(answers, self._match.tokens), labels[request * size : (request + 1) * size][numbers]
            )
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
