"""Who is timed when: tiers, the plan that follows from a model's size and speed, and the order. No clock here."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

SHORTEST_SAMPLE_NS = 100_000  # calls faster than this are timed in batches
TIMER_SHARE = 0.005  # of a sample that reading the clock may cost; a slow or coarse clock makes the samples longer
LARGEST_COPIES_BYTES = 512_000_000  # kept by all live copies of one process
WANTED_PLACEMENTS = 32  # for slow models shorter blocks are taken until so many fit the budget
LEAST_PLACEMENTS = 12  # fewer are never measured, even where they cost more than the budget


@dataclass(frozen=True)
class Tier:
    """How much measuring a run may cost; fixed before anything is seen, never extended because of a result.

    `copies` of each model are alive at once in a process; there are at most `placements` in all.
    """

    name: str
    budget_ns: int
    processes: int
    copies: int
    placements: int


TIERS = {
    tier.name: tier
    for tier in (
        Tier("fast", 3_000_000_000, processes=2, copies=8, placements=192),
        Tier("default", 8_000_000_000, processes=4, copies=8, placements=384),
        Tier("rigorous", 40_000_000_000, processes=8, copies=8, placements=1536),
    )
}


@dataclass(frozen=True)
class BlockShape:
    """Block pairs per visit; samples discarded and then timed per block."""

    block_pairs: int
    discarded: int
    timed: int

    @property
    def samples(self) -> int:
        """Samples of each model in one visit, the discarded ones included."""
        return self.block_pairs * (self.discarded + self.timed)


# From the best down to the least. Five calls pass before a model of 13 MB has its weights in the cache again (2.9, 2.1,
# 1.4, 1.1, 1.05 times the steady time), and the middle one of three pairs outlives a burst of noise. More placements
# are worth more than more pairs: for such a model they differ by 9 %, pairs of one placement by 3 %.
BLOCK_SHAPES = (BlockShape(3, 5, 5), BlockShape(3, 3, 3), BlockShape(1, 3, 3), BlockShape(1, 1, 3), BlockShape(1, 1, 1))


@dataclass(frozen=True)
class Plan:
    """A whole measurement, fixed in advance. `calls_per_sample` has one number per model.

    Each process builds its copies `generations` times anew, because where they lie is what varies.
    """

    processes: int
    generations: int
    copies: int
    visits: int
    block: BlockShape
    calls_per_sample: tuple[int, ...]

    @property
    def placements(self) -> int:
        """Pairs of live copies measured in all: the units of replication."""
        return self.processes * self.generations * self.copies


@dataclass(frozen=True)
class Probe:
    """What a first look found, for planning: nanoseconds of one call of each model, of building one copy of all, and
    of reading the clock; and the smallest step of the clock."""

    call_ns: tuple[int, ...]
    build_ns: int
    timer_overhead_ns: int
    timer_step_ns: int

    @property
    def shortest_sample_ns(self) -> int:
        """So long that the clock's cost and step together are at most `TIMER_SHARE` of a sample."""
        return max(SHORTEST_SAMPLE_NS, ceil((self.timer_overhead_ns + self.timer_step_ns) / TIMER_SHARE))


@dataclass(frozen=True)
class Visit:
    """One visit to one placement: for every block pair the models' numbers in the order of their turns."""

    placement: int
    turns: tuple[tuple[int, ...], ...]


def make_plan(tier: Tier, probe: Probe, kept_bytes: Sequence[int]) -> Plan:
    """The plan for models that `probe` saw and that keep `kept_bytes` each.

    The first block shape that lets enough placements fit into the budget is taken, then as many placements as fit, then
    as many visits. Building them may cost as much again as the budget, not more.
    """
    calls = tuple(max(1, ceil(probe.shortest_sample_ns / max(1, ns))) for ns in probe.call_ns)
    sample_ns = sum(max(1, ns) * count for ns, count in zip(probe.call_ns, calls, strict=True))
    block = _block_shape(tier, sample_ns)
    visit_ns = block.samples * sample_ns
    copies, generations = _divide(tier, tier.budget_ns // max(1, probe.build_ns, visit_ns), sum(kept_bytes))
    visits = max(1, tier.budget_ns // (tier.processes * generations * copies * visit_ns))
    return Plan(tier.processes, generations, copies, visits, block, calls)


def _block_shape(tier: Tier, sample_ns: int) -> BlockShape:
    wanted_ns = tier.budget_ns // min(WANTED_PLACEMENTS, tier.placements)
    return next((shape for shape in BLOCK_SHAPES if shape.samples * sample_ns <= wanted_ns), BLOCK_SHAPES[-1])


def _divide(tier: Tier, affordable: int, kept_bytes: int) -> tuple[int, int]:
    """Live copies and generations of each process that make about as many placements as can be afforded."""
    least = min(LEAST_PLACEMENTS, tier.placements)
    wanted = max(least, min(affordable, tier.placements))
    per_process = max(ceil(least / tier.processes), wanted // tier.processes)
    copies = max(1, min(tier.copies, LARGEST_COPIES_BYTES // max(1, kept_bytes), per_process))
    return copies, max(1, per_process // copies)


def visits(plan: Plan, models: int, generator: random.Random) -> Iterator[Visit]:
    """Every placement once per round in shuffled order; within a block pair the turns are a fair shuffle."""
    placements = list(range(plan.copies))
    for _ in range(plan.visits):
        generator.shuffle(placements)
        for placement in placements:
            turns = tuple(tuple(generator.sample(range(models), models)) for _ in range(plan.block.block_pairs))
            yield Visit(placement, turns)
