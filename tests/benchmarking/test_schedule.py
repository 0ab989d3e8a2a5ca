"""The plan and the order, without a clock."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tinytorch.benchmarking.schedule import BLOCK_SHAPES, SHORTEST_SAMPLE_NS, TIERS, make_plan, visits

MILLISECOND = 1_000_000
CALLS = [5_000, 300_000, 3 * MILLISECOND, 30 * MILLISECOND, 300 * MILLISECOND]


@pytest.mark.parametrize("tier", TIERS.values(), ids=str)
@pytest.mark.parametrize("call_ns", CALLS)
def test_a_plan_keeps_the_budget_unless_it_is_the_least_there_is(tier, call_ns: int) -> None:
    plan = make_plan(tier, (call_ns, call_ns), (1000, 1000))
    samples = (
        plan.processes * plan.copies * plan.visits * plan.block.block_pairs * (plan.block.discarded + plan.block.timed)
    )
    cost_ns = samples * sum(calls * call_ns for calls in plan.calls_per_sample)

    assert cost_ns <= tier.budget_ns or (plan.block, plan.visits) == (BLOCK_SHAPES[-1], 1)


def test_fast_calls_are_timed_in_batches() -> None:
    plan = make_plan(TIERS["default"], (5_000, 200_000), (10, 10))

    assert plan.calls_per_sample == (SHORTEST_SAMPLE_NS // 5_000, 1)


def test_a_huge_model_gets_processes_instead_of_copies() -> None:
    plan = make_plan(TIERS["default"], (MILLISECOND, MILLISECOND), (400_000_000, 400_000_000))

    assert (plan.copies, plan.processes) == (1, 16)


def test_the_number_of_placements_does_not_depend_on_speed() -> None:
    counts = {make_plan(TIERS["default"], (ns, ns), (10, 10)).copies for ns in CALLS}

    assert counts == {TIERS["default"].copies}


def test_every_placement_is_visited_once_a_round_in_changing_order() -> None:
    plan = make_plan(TIERS["fast"], (5_000, 5_000), (10, 10))
    order = [visit.placement for visit in visits(plan, 2, random.Random(0))]
    rounds = [tuple(order[start : start + plan.copies]) for start in range(0, len(order), plan.copies)]

    assert all(sorted(one) == list(range(plan.copies)) for one in rounds)
    assert len(set(rounds)) > len(rounds) // 2


def test_each_model_goes_first_in_about_half_of_the_pairs() -> None:
    plan = make_plan(TIERS["default"], (5_000, 5_000), (10, 10))
    firsts = Counter(turns[0] for visit in visits(plan, 2, random.Random(0)) for turns in visit.turns)

    assert firsts[0] / firsts.total() == pytest.approx(0.5, abs=0.03)


def test_the_same_seed_gives_the_same_order() -> None:
    plan = make_plan(TIERS["fast"], (5_000, 5_000), (10, 10))

    assert list(visits(plan, 2, random.Random(4))) == list(visits(plan, 2, random.Random(4)))
