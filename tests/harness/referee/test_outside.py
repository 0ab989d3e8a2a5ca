"""A session outside: who is asked what, and that every timed answer is scored."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from tests.harness.referee.conftest import hire
from tinytorch.benchmarking.schedule import Tier
from tinytorch.harness.referee.chain import by_class, scored
from tinytorch.harness.referee.outside import (
    MOST_VISITS,
    POOL,
    Match,
    Spent,
    inputs_of_request,
    time_outside,
    unasked_share,
)
from tinytorch.processes.failure import WorkerFailedError

TIER = Tier("tiny", 1, processes=2, copies=1)
Make = Callable[[str], Match]


def test_all_timed_answers_are_scored_and_hardly_any_input_comes_twice(match: Make) -> None:
    seen: list[tuple[str, float]] = []
    times = time_outside(match("honest"), hire, TIER, lambda stage, share: seen.append((stage, share)))
    asked = times.optimized

    assert asked.samples_ns[0].count(";") + 1 <= MOST_VISITS * 4
    assert asked.answers == times.optimized.times_ns.size * asked.inputs
    assert (asked.accuracy, asked.pool) == (1.0, POOL * asked.inputs)
    assert asked.distinct_share > 0.9
    assert {stage for stage, _ in seen} == {"outside"}


def test_garbage_for_the_clock_is_scored_as_garbage(match: Make) -> None:
    times = time_outside(match("garbage"), hire, TIER)

    assert times.baseline.accuracy == 1.0
    assert times.optimized.accuracy < 0.3


def test_an_entry_that_fails_fails_the_session_and_the_cores_are_given_back(match: Make) -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(WorkerFailedError, match="no answer"):
        time_outside(match("fails"), hire, TIER)

    assert os.sched_getaffinity(0) == before


def test_what_leads_on_is_what_is_scored_whatever_is_no_number() -> None:
    """An answer that led on as one class and counted as another could choose its way through the pool."""
    answers = np.array([[np.nan, 5.0], [1.0, np.nan], [np.inf, 0.5]], np.float32)
    one = [by_class(answer, 7) for answer in answers]

    assert one == [by_class(np.eye(2)[each], 7) for each in scored(answers, tokens=False)]


@pytest.mark.parametrize(
    ("call_ns", "inputs"), [(5_000, 60), (100_000, 24), (200_000, 15), (1_100_000, 3), (2_000_000, 1), (1, 256)]
)
def test_a_request_is_long_enough_and_that_of_a_slow_model_has_one_input(call_ns: int, inputs: int) -> None:
    assert inputs_of_request(call_ns) == inputs


def test_work_while_others_are_asked_is_counted_and_honest_ones_do_none(match: Make) -> None:
    busy, honest = (time_outside(match(name), hire, TIER).unasked_share for name in ("idles", "honest"))

    assert (busy > 0.2, honest < 0.05) == (True, True)


def test_what_all_processes_of_an_entry_take_is_added() -> None:
    groups = [Spent(3e9, 1_000_000_000, 4_000_000_000), Spent(1e9, 1_000_000_000, 4_000_000_000)]

    assert unasked_share(groups) == 0.25
