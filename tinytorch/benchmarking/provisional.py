"""What a session shows while it goes on, for people who wait. Nothing is decided by it: sizes are fixed in advance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinytorch.benchmarking import statistics, system
from tinytorch.benchmarking.measure import Samples
from tinytorch.benchmarking.records.session import Doubt
from tinytorch.benchmarking.schedule import Schedule

PAIR = 2  # models
THREADS = 1  # as many as workers are started with; whether that held is verified when the session is over


@dataclass(frozen=True)
class SoFar:
    """After `rounds_done` of `rounds`: first time / second time with its 95 % interval in this session, and doubts.

    The interval is that of the processes alone. What is recorded in the end is wider: it counts what another session
    would show, and what the machine may have done throughout.
    """

    rounds_done: int
    rounds: int
    speedup: float
    interval: statistics.Interval | None
    doubts: tuple[Doubt, ...] = ()


Watch = Callable[[SoFar], None]
"""Told what a session shows after each of its rounds."""


def unwatched(so_far: SoFar) -> None:
    """The watch that does nothing."""


@dataclass(frozen=True)
class Watching:
    """Tells a watch what the samples of a session show, and what the machine did since `before`."""

    plan: Schedule
    before: system.Reading
    watch: Watch
    read_machine: Callable[[], system.Reading] = system.read_machine

    def after_round(self, rounds_done: int, samples: Sequence[Samples]) -> None:
        """Look at all processes, each of which has been visited as often."""
        if self.watch is unwatched or self.plan.models != PAIR:
            return
        first, second = (_blocks(samples, model) for model in range(PAIR))
        batching = math.log(self.plan.calls_per_sample[1] / self.plan.calls_per_sample[0])
        ratios = statistics.unit_log_ratios(first, second, self.plan.copies, statistics.quiet_time)
        found = statistics.mean_estimate([ratio + batching for ratio in ratios])
        ends = found.interval
        if ends is not None:
            ends = statistics.Interval(math.exp(ends.lower), math.exp(ends.upper))
        doubts = tuple(self._doubts((first, second)))
        self.watch(SoFar(rounds_done, self.plan.visits, math.exp(found.mean), ends, doubts))

    def _doubts(self, blocks: Sequence[statistics.Floats]) -> Iterator[Doubt]:
        """Those that can be seen while the workers live, whose own processor time is not known yet."""
        excess = max(statistics.typical_time(times) / statistics.quiet_time(times) for each in blocks for times in each)
        evidence = system.Observations(self.before, self.read_machine(), THREADS, 0, excess)
        seen_later = {sign.code for sign in system.SIGNS if sign.is_seen_later}
        yield from (doubt for doubt in system.find_doubts(evidence) if doubt.code not in seen_later)


def _blocks(samples: Sequence[Samples], model: int) -> statistics.Floats:
    """[placement, block] the median of each block's samples."""
    return statistics.block_times(np.array([copy for process in samples for copy in process[model]], float))
