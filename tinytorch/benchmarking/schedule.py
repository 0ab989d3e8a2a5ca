"""Who is timed when: tiers, the plan that follows from a model's size and speed, and the order. No clock here."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

SHORTEST_SAMPLE_NS = 100_000  # calls faster than this are timed in batches: a clock reading then costs < 1 %
LARGEST_COPIES_BYTES = 512_000_000  # kept by all live copies of one process
MOST_PROCESSES = 16  # a model too big for several copies gets this many processes of one copy


@dataclass(frozen=True)
class Tier:
    """How much measuring a run may cost; fixed before anything is seen, never extended because of a result."""

    name: str
    budget_ns: int
    processes: int
    copies: int


TIERS = {
    tier.name: tier
    for tier in (
        Tier("fast", 3_000_000_000, processes=2, copies=8),
        Tier("default", 8_000_000_000, processes=2, copies=16),
        Tier("rigorous", 40_000_000_000, processes=4, copies=16),
    )
}


@dataclass(frozen=True)
class BlockShape:
    """Block pairs per visit; samples discarded and then timed per block."""

    block_pairs: int
    discarded: int
    timed: int


# From the recipe's block down to the least that still has a median: the first that fits the budget is taken, because
# for slow models more placements are worth more than longer blocks.
BLOCK_SHAPES = (BlockShape(4, 5, 8), BlockShape(4, 2, 5), BlockShape(2, 2, 4), BlockShape(2, 1, 3), BlockShape(1, 1, 3))


@dataclass(frozen=True)
class Plan:
    """A whole measurement, fixed in advance. `calls_per_sample` has one number per model."""

    processes: int
    copies: int
    visits: int
    block: BlockShape
    calls_per_sample: tuple[int, ...]


@dataclass(frozen=True)
class Visit:
    """One visit to one placement: for every block pair the models' numbers in the order of their turns."""

    placement: int
    turns: tuple[tuple[int, ...], ...]


def make_plan(tier: Tier, call_ns: Sequence[int], kept_bytes: Sequence[int]) -> Plan:
    """The plan for models that take about `call_ns` a call and keep `kept_bytes` each.

    Copies are limited by memory, and processes make up for them; the block shape and the number of visits
    then fill the tier's budget.
    """
    copies = max(1, min(tier.copies, LARGEST_COPIES_BYTES // max(1, sum(kept_bytes))))
    wanted = ceil(tier.processes * tier.copies / copies)
    processes = wanted if copies == tier.copies else max(tier.processes, min(MOST_PROCESSES, wanted))
    calls = tuple(max(1, ceil(SHORTEST_SAMPLE_NS / max(1, ns))) for ns in call_ns)
    sample_ns = sum(max(1, ns) * count for ns, count in zip(call_ns, calls, strict=True))
    budget_per_placement_ns = tier.budget_ns // (processes * copies)
    costs_ns = {shape: shape.block_pairs * (shape.discarded + shape.timed) * sample_ns for shape in BLOCK_SHAPES}
    block = next((shape for shape, cost in costs_ns.items() if cost <= budget_per_placement_ns), BLOCK_SHAPES[-1])
    visits = max(1, budget_per_placement_ns // costs_ns[block])
    return Plan(processes, copies, visits, block, calls)


def visits(plan: Plan, models: int, generator: random.Random) -> Iterator[Visit]:
    """Every placement once per round in shuffled order; within a block pair the turns are a fair shuffle."""
    placements = list(range(plan.copies))
    for _ in range(plan.visits):
        generator.shuffle(placements)
        for placement in placements:
            turns = tuple(tuple(generator.sample(range(models), models)) for _ in range(plan.block.block_pairs))
            yield Visit(placement, turns)
