"""Who is timed when: tiers, the plan that follows from a model's size and speed, and the order. No clock here."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from tinytorch.benchmarking.records.record import Size
from tinytorch.benchmarking.records.session import SESSIONS_AND_PROCESSES

SHORTEST_SAMPLE_NS = 100_000  # calls faster than this are timed in batches
TIMER_SHARE = 0.005  # of a sample that reading the clock may cost; a slow or coarse clock makes the samples longer
LARGEST_COPIES_BYTES = 1_000_000_000  # kept by all live copies of all processes
FEWEST_VISITS = 10  # with 2 the least block of a copy is still 7 % above its quiet time
MOST_VISITS = 32  # the least of 60 blocks is within 0.2 % of the quiet time; these are 128, and a file that can be read
SEEDS = 2**32  # so many that one is drawn from; numpy's older generators take no larger one
SEED_BITS = 63  # of the seed of a visit
MOST_SESSIONS = MOST_PROCESSES = 256  # so that no two processes of any seeds share a seed


@dataclass(frozen=True)
class Tier:
    """How much measuring a run may cost; fixed before anything is seen, never extended because of a result.

    A session has `processes` with `copies` of each model and about `budget_ns` of timed calls; several `sessions` are
    begun at equal distances, the last one `span_s` after the first.
    """

    name: str
    budget_ns: int
    processes: int
    copies: int = 2
    sessions: int = 1
    span_s: float = 0.0


BUDGETS_NS = {"fast": 4_000_000_000, "default": 8_000_000_000, "rigorous": 8_000_000_000}
SPANS_S = {"rigorous": 150.0}
TIERS = {
    name: Tier(name, BUDGETS_NS[name], processes=processes, sessions=sessions, span_s=SPANS_S.get(name, 0.0))
    for name, (sessions, processes) in SESSIONS_AND_PROCESSES.items()
}


def in_one_process(tier: Tier) -> Tier:
    """The tier where no other process can hold the models: one unit, and so no interval."""
    return replace(tier, processes=1, sessions=1, span_s=0.0)


@dataclass(frozen=True)
class BlockShape:
    """Block pairs that a copy gets per visit; samples discarded and then timed per block."""

    block_pairs: int
    discarded: int
    timed: int

    @property
    def batches(self) -> int:
        """Samples of one block, the discarded ones included."""
        return self.discarded + self.timed

    @property
    def samples(self) -> int:
        """Samples of each model in one visit to one copy, the discarded ones included."""
        return self.block_pairs * self.batches


# From the best down to the least. Five calls pass before a model of 13 MB has its weights in the cache again (2.9, 2.1,
# 1.4, 1.1, 1.05 times the steady time). Slow models lose blocks and their length, never units or visits.
BLOCK_SHAPES = tuple(
    BlockShape(*shape)
    for shape in ((4, 5, 8), (4, 3, 5), (2, 3, 5), (2, 2, 3), (1, 2, 3), (1, 1, 2), (1, 1, 1), (1, 0, 1))
)


@dataclass(frozen=True)
class Schedule:
    """A whole measurement, fixed in advance. `calls_per_sample` has one number per model."""

    sessions: int
    processes: int
    copies: int
    visits: int
    block: BlockShape
    calls_per_sample: tuple[int, ...]

    @property
    def inputs_of_block(self) -> int:
        """Inputs of one pair of blocks: as many as the model needs that is timed in the largest batches."""
        return self.block.batches * max(self.calls_per_sample)

    @property
    def models(self) -> int:
        """How many there are; that is also the yardstick's number, which comes after them."""
        return len(self.calls_per_sample)

    @property
    def blocks_of_visit(self) -> int:
        """Pairs of blocks in one visit, of all copies together."""
        return self.copies * self.block.block_pairs

    @property
    def copies_per_unit(self) -> int:
        """Copies whose mean is one unit: those of a process, or of a session where there are several."""
        return self.copies if self.sessions == 1 else self.processes * self.copies


@dataclass(frozen=True)
class Probe:
    """What a first look found, for planning: nanoseconds of one call of each model, and of reading the clock; and the
    smallest step of the clock."""

    call_ns: tuple[Size, ...]
    timer_overhead_ns: Size
    timer_step_ns: Size

    @property
    def shortest_sample_ns(self) -> int:
        """So long that the clock's cost and step together are at most `TIMER_SHARE` of a sample."""
        return max(SHORTEST_SAMPLE_NS, ceil((self.timer_overhead_ns + self.timer_step_ns) / TIMER_SHARE))

    @property
    def calls_per_sample(self) -> tuple[int, ...]:
        """Of each model: as many as last that long."""
        return tuple(max(1, ceil(self.shortest_sample_ns / max(1, ns))) for ns in self.call_ns)


def make_schedule(tier: Tier, probe: Probe, kept_bytes: Sequence[int]) -> Schedule:
    """The plan for models that `probe` saw and that keep `kept_bytes` each.

    Copies are limited by memory. The first block shape that lets the fewest visits fit into the budget is taken, then
    as many visits as fit, up to `MOST_VISITS`.
    """
    copies = max(1, min(tier.copies, LARGEST_COPIES_BYTES // max(1, tier.processes * sum(kept_bytes))))
    shortest = Schedule(tier.sessions, tier.processes, copies, FEWEST_VISITS, BLOCK_SHAPES[-1], probe.calls_per_sample)
    return fitted(shortest, BLOCK_SHAPES, probe, tier.budget_ns)


def fitted(shortest: Schedule, shapes: Sequence[BlockShape], probe: Probe, budget_ns: int) -> Schedule:
    """The plan with the first of the block shapes that lets its visits fit, and as many visits as fit then."""
    plans = (replace(shortest, block=block) for block in shapes)
    plan = next((plan for plan in plans if session_ns(plan, probe) <= budget_ns), shortest)
    affordable = FEWEST_VISITS * budget_ns // max(1, session_ns(plan, probe))
    return replace(plan, visits=min(max(FEWEST_VISITS, affordable), MOST_VISITS))


def session_ns(plan: Schedule, probe: Probe) -> int:
    """Roughly the nanoseconds that one session's calls take."""
    sample_ns = sum(max(1, ns) * calls for ns, calls in zip(probe.call_ns, plan.calls_per_sample, strict=True))
    return plan.visits * plan.processes * plan.copies * plan.block.samples * sample_ns


def process_seed(seed: int, session: int, process: int) -> int:
    """A seed that no other process has, of this seed or of another."""
    return (seed * MOST_SESSIONS + session) * MOST_PROCESSES + process


def rounds(plan: Schedule, generator: random.Random) -> Iterator[list[int]]:
    """Every process once per round, in shuffled order, so that each has its chance of a quiet moment."""
    for _ in range(plan.visits):
        yield generator.sample(range(plan.processes), plan.processes)


def turns(plan: Schedule, generator: random.Random) -> Iterator[tuple[int, tuple[int, ...]]]:
    """One visit: every copy in shuffled order, and for each of its block pairs the models by a fair shuffle.

    In one pair of each copy, which is drawn, the yardstick is among them.
    """
    for copy in generator.sample(range(plan.copies), plan.copies):
        with_yardstick = generator.randrange(plan.block.block_pairs)
        for pair in range(plan.block.block_pairs):
            timed = plan.models + (pair == with_yardstick)
            yield copy, tuple(generator.sample(range(timed), timed))
