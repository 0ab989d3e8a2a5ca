"""The plan and the order, without a clock."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.benchmarking import schedule
from tinytorch.benchmarking.schedule import (
    BLOCK_SHAPES,
    FEWEST_VISITS,
    LARGEST_COPIES_BYTES,
    SHORTEST_SAMPLE_NS,
    TIERS,
    TIMER_SHARE,
    Probe,
    Schedule,
    in_one_process,
    make_schedule,
    process_seed,
    rounds,
    session_ns,
    turns,
)

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
CALLS = [5_000, 300_000, 3 * MILLISECOND, 30 * MILLISECOND, 300 * MILLISECOND]
PLAN = Schedule(sessions=1, processes=8, copies=2, visits=40, block=BLOCK_SHAPES[0], calls_per_sample=(1, 1))


def probe(*call_ns: int, timer_ns: int = 50) -> Probe:
    return Probe(call_ns, timer_overhead_ns=timer_ns, timer_step_ns=1)


def plan_for(call_ns: int, tier: str = "default", kept_bytes: int = 1000) -> Schedule:
    return make_schedule(TIERS[tier], probe(call_ns, call_ns), (kept_bytes, kept_bytes))


@pytest.mark.parametrize(("tier", "processes", "sessions"), [("fast", 6, 1), ("default", 8, 1), ("rigorous", 8, 6)])
def test_the_tiers_are_the_design_s(tier: str, processes: int, sessions: int) -> None:
    assert (TIERS[tier].processes, TIERS[tier].sessions) == (processes, sessions)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("call_ns", CALLS)
def test_a_plan_keeps_the_budget_unless_it_is_the_least_there_is(tier: str, call_ns: int) -> None:
    plan = plan_for(call_ns, tier)
    is_least = plan.block == BLOCK_SHAPES[-1] and plan.visits == FEWEST_VISITS

    assert session_ns(plan, probe(call_ns, call_ns)) <= TIERS[tier].budget_ns or is_least


@given(st.sampled_from(list(TIERS.values())), st.tuples(*[st.integers(1, 10 * SECOND)] * 2), st.integers(0, 10**11))
def test_every_plan_has_all_units_and_visits_of_its_tier(tier, call_ns, kept_bytes) -> None:
    plan = make_schedule(tier, probe(*call_ns), (kept_bytes, kept_bytes))

    assert (plan.processes, plan.sessions, plan.visits >= FEWEST_VISITS) == (tier.processes, tier.sessions, True)


def test_a_fast_model_is_visited_more_often() -> None:
    assert plan_for(5_000).visits > plan_for(300_000).visits > FEWEST_VISITS


def test_fast_calls_are_timed_in_batches() -> None:
    plan = make_schedule(TIERS["default"], probe(5_000, 200_000), (10, 10))

    assert plan.calls_per_sample == (SHORTEST_SAMPLE_NS // 5_000, 1)


@pytest.mark.parametrize("timer_ns", [50, 1_000, 15_000_000])
def test_reading_the_clock_is_a_negligible_share_of_every_sample(timer_ns: int) -> None:
    plan = make_schedule(TIERS["default"], probe(5_000, timer_ns=timer_ns), (10,))

    assert timer_ns <= TIMER_SHARE * plan.calls_per_sample[0] * 5_000


def test_slow_models_get_shorter_blocks_and_keep_their_copies() -> None:
    plan = plan_for(20 * MILLISECOND)

    assert plan.block != BLOCK_SHAPES[0]
    assert plan.copies == TIERS["default"].copies


@pytest.mark.parametrize(("kept_bytes", "copies"), [(12_902_440, 2), (40_000_000, 1), (400_000_000, 1)])
def test_copies_shrink_when_memory_would_pass_a_gigabyte(kept_bytes: int, copies: int) -> None:
    plan = plan_for(MILLISECOND, kept_bytes=kept_bytes)

    assert plan.copies == copies
    assert plan.copies == 1 or plan.processes * plan.copies * 2 * kept_bytes <= LARGEST_COPIES_BYTES


@pytest.mark.parametrize(("sessions", "unit"), [(1, 2), (6, 16)])
def test_the_unit_is_the_process_or_where_there_are_several_the_session(sessions: int, unit: int) -> None:
    assert replace(PLAN, sessions=sessions).copies_per_unit == unit


def test_one_process_is_one_unit() -> None:
    tier = in_one_process(TIERS["rigorous"])

    assert (tier.processes, tier.sessions) == (1, 1)


def test_every_process_is_visited_once_a_round_in_changing_order() -> None:
    order = list(rounds(PLAN, random.Random(0)))

    assert all(sorted(one) == list(range(PLAN.processes)) for one in order)
    assert len(order) == PLAN.visits
    assert len(set(map(tuple, order))) > PLAN.visits // 2


def test_every_copy_gets_all_its_block_pairs_at_a_visit() -> None:
    pairs = Counter(copy for copy, _ in turns(PLAN, random.Random(0)))

    assert pairs == dict.fromkeys(range(PLAN.copies), PLAN.block.block_pairs)


def test_both_models_get_the_same_number_of_blocks() -> None:
    models = Counter(model for _, order in turns(PLAN, random.Random(0)) for model in order)

    assert models[0] == models[1]


def test_each_copy_has_the_yardstick_in_one_pair_of_a_visit_which_is_drawn() -> None:
    generator = random.Random(0)
    visits = [[copy for copy, order in turns(PLAN, generator) if PLAN.models in order] for _ in range(50)]
    pairs = {number for _ in range(50) for number, (_, order) in enumerate(turns(PLAN, generator)) if 2 in order}

    assert all(sorted(copies) == list(range(PLAN.copies)) for copies in visits)
    assert pairs == set(range(PLAN.blocks_of_visit))


def test_each_model_goes_first_in_about_half_of_the_pairs() -> None:
    generator = random.Random(0)
    orders = (order for _ in range(200) for _, order in turns(PLAN, generator))
    firsts = Counter(next(model for model in order if model < PLAN.models) for order in orders)

    assert firsts[0] / firsts.total() == pytest.approx(0.5, abs=0.03)


def test_the_same_seed_gives_the_same_order() -> None:
    assert list(rounds(PLAN, random.Random(4))) == list(rounds(PLAN, random.Random(4)))
    assert list(turns(PLAN, random.Random(4))) == list(turns(PLAN, random.Random(4)))


@given(*[st.tuples(st.integers(0, 2**31), st.integers(0, 5), st.integers(0, 8))] * 2)
def test_no_two_processes_share_a_seed(first: tuple[int, int, int], second: tuple[int, int, int]) -> None:
    assert (process_seed(*first) == process_seed(*second)) == (first == second)


def test_two_fast_models_get_so_many_visits_and_no_more() -> None:
    """More would make a file that nobody can open."""
    found = make_schedule(TIERS["default"], Probe((1_000, 1_000), 50, 1), (1_000, 1_000))

    assert found.visits == schedule.MOST_VISITS == 32
