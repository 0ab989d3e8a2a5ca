"""The plan and the order, without a clock."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.benchmarking.schedule import (
    BLOCK_SHAPES,
    LARGEST_COPIES_BYTES,
    LEAST_PLACEMENTS,
    SHORTEST_SAMPLE_NS,
    TIERS,
    TIMER_SHARE,
    WANTED_PLACEMENTS,
    Plan,
    Probe,
    make_plan,
    visits,
)

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
CALLS = [5_000, 300_000, 3 * MILLISECOND, 30 * MILLISECOND, 300 * MILLISECOND]


def probe(*call_ns: int, build_ns: int = MILLISECOND, timer_ns: int = 50) -> Probe:
    return Probe(call_ns, build_ns, timer_overhead_ns=timer_ns, timer_step_ns=1)


def plan_for(call_ns: int, tier: str = "default", kept_bytes: int = 1000, build_ns: int = MILLISECOND) -> Plan:
    return make_plan(TIERS[tier], probe(call_ns, call_ns, build_ns=build_ns), (kept_bytes, kept_bytes))


def cost_ns(plan: Plan, call_ns: int) -> int:
    samples = plan.placements * plan.visits * plan.block.samples
    return samples * call_ns * sum(plan.calls_per_sample)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("call_ns", CALLS)
def test_a_plan_keeps_the_budget_unless_it_is_the_least_there_is(tier: str, call_ns: int) -> None:
    plan = plan_for(call_ns, tier)
    is_least = plan.placements < LEAST_PLACEMENTS + plan.processes and plan.visits == 1

    assert cost_ns(plan, call_ns) <= TIERS[tier].budget_ns or is_least


@given(
    st.sampled_from(list(TIERS.values())),
    st.tuples(*[st.integers(1, 10 * SECOND)] * 2),
    st.integers(1, 20 * SECOND),
    st.integers(0, 10**11),
)
def test_no_plan_has_fewer_placements_than_the_least(tier, call_ns, build_ns, kept_bytes) -> None:
    plan = make_plan(tier, probe(*call_ns, build_ns=build_ns), (kept_bytes, kept_bytes))

    assert LEAST_PLACEMENTS <= plan.placements <= tier.placements


@pytest.mark.parametrize("tier", TIERS)
def test_a_small_model_gets_all_the_placements_of_its_tier(tier: str) -> None:
    assert plan_for(5_000, tier).placements == TIERS[tier].placements


def test_fast_calls_are_timed_in_batches() -> None:
    plan = make_plan(TIERS["default"], probe(5_000, 200_000), (10, 10))

    assert plan.calls_per_sample == (SHORTEST_SAMPLE_NS // 5_000, 1)


@pytest.mark.parametrize("timer_ns", [50, 1_000, 15_000_000])
def test_reading_the_clock_is_a_negligible_share_of_every_sample(timer_ns: int) -> None:
    plan = make_plan(TIERS["default"], probe(5_000, timer_ns=timer_ns), (10,))

    assert timer_ns <= TIMER_SHARE * plan.calls_per_sample[0] * 5_000


def test_slow_models_get_shorter_blocks_before_fewer_placements() -> None:
    plan = plan_for(20 * MILLISECOND)

    assert plan.block != BLOCK_SHAPES[0]
    assert plan.placements >= WANTED_PLACEMENTS


def test_the_copies_of_a_huge_model_fit_into_memory() -> None:
    plan = plan_for(MILLISECOND, kept_bytes=200_000_000)

    assert (plan.copies, plan.copies * 400_000_000 <= LARGEST_COPIES_BYTES) == (1, True)


def test_a_model_that_is_slow_to_build_is_built_less_often() -> None:
    plan = plan_for(5_000, build_ns=100 * MILLISECOND)

    assert plan.placements * 100 * MILLISECOND <= TIERS["default"].budget_ns


def test_every_placement_is_visited_once_a_round_in_changing_order() -> None:
    plan = Plan(1, 1, copies=8, visits=40, block=BLOCK_SHAPES[0], calls_per_sample=(1, 1))
    order = [visit.placement for visit in visits(plan, 2, random.Random(0))]
    rounds = [tuple(order[start : start + plan.copies]) for start in range(0, len(order), plan.copies)]

    assert all(sorted(one) == list(range(plan.copies)) for one in rounds)
    assert len(set(rounds)) > len(rounds) // 2


def test_each_model_goes_first_in_about_half_of_the_pairs() -> None:
    plan = Plan(1, 1, copies=8, visits=200, block=BLOCK_SHAPES[0], calls_per_sample=(1, 1))
    firsts = Counter(turns[0] for visit in visits(plan, 2, random.Random(0)) for turns in visit.turns)

    assert firsts[0] / firsts.total() == pytest.approx(0.5, abs=0.03)


def test_the_same_seed_gives_the_same_order() -> None:
    plan = plan_for(5_000, "fast")

    assert list(visits(plan, 2, random.Random(4))) == list(visits(plan, 2, random.Random(4)))
