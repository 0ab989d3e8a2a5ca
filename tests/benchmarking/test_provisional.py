"""What a session shows while it goes on: the ratio of quiet times with its interval, and doubts, deciding nothing."""

from __future__ import annotations

import math

import pytest

from tinytorch.benchmarking import statistics, system
from tinytorch.benchmarking.provisional import SoFar, Watching, unwatched
from tinytorch.benchmarking.schedule import BlockShape, Schedule

PLAN = Schedule(1, 4, 1, 5, BlockShape(1, 0, 1), (1, 2))
READING = system.Reading(0, 2, 0.0, 0.0, 0.0, 0, 100, 0, False)


def process(first_ns: int, second_ns: int) -> list[list[list[list[int]]]]:
    """One copy of two models, two blocks each of one sample; the yardstick behind them."""
    return [[[[first_ns], [first_ns + 10]]], [[[second_ns], [second_ns + 10]]], [[[5], [5]]]]


FIRST_NS = (1000, 1020, 990, 1005)
SAMPLES = [process(first, 1000) for first in FIRST_NS]


def seen(after: system.Reading = READING, samples=SAMPLES) -> SoFar:
    told: list[SoFar] = []
    Watching(PLAN, READING, told.append, lambda: after).after_round(2, samples)
    return told[0]


def test_the_ratio_is_that_of_one_call_of_each() -> None:
    """The second model is timed two calls at once."""
    ratios = [math.log(2 * first / 1000) for first in FIRST_NS]
    expected = statistics.mean_estimate(ratios)

    assert seen().speedup == pytest.approx(math.exp(expected.mean))
    assert seen().interval.lower == pytest.approx(math.exp(expected.interval.lower))
    assert (seen().rounds_done, seen().rounds) == (2, 5)


def test_processes_that_agree_wholly_have_no_interval() -> None:
    assert seen(samples=[process(1000, 500)] * 4).interval is None


def test_what_the_machine_does_is_doubted_at_once() -> None:
    after = system.Reading(10**9, 2, 0.0, 0.0, 1.0, 3, 100, 0, True)

    assert [doubt.code for doubt in seen(after).doubts] == ["steal", "throttling", "battery"]


def test_the_time_of_workers_that_live_is_not_taken_for_other_programs() -> None:
    assert seen(system.Reading(10**9, 2, 5.0, 0.0, 0.0, 0, 100, 0, False)).doubts == ()


def test_nobody_who_does_not_watch_costs_anything() -> None:
    def never() -> system.Reading:
        raise AssertionError

    Watching(PLAN, READING, unwatched, never).after_round(1, SAMPLES)


def test_one_model_alone_has_no_ratio() -> None:
    told: list[SoFar] = []
    alone = Schedule(1, 3, 1, 5, BlockShape(1, 0, 1), (1,))
    Watching(alone, READING, told.append).after_round(1, SAMPLES)

    assert told == []
