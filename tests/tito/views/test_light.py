"""How near a model comes to light speed, in a sentence."""

from __future__ import annotations

import pytest

from tinytorch.benchmarking.light import LightSpeed, Split
from tinytorch.benchmarking.statistics import Interval
from tito.views.light import light_words, split_words


def test_the_share_is_told_with_its_interval_and_with_what_it_is_a_share_of() -> None:
    assert light_words("mine", LightSpeed(1000.0, 2000.0, "memory", 0.5, Interval(0.45, 0.55))).plain == (
        "light speed: mine takes 2.00 us in quiet; its reading and writing needs 1.00 us here at least, "
        "50.0 % [45.0 %, 55.0 %] of that: with the same work it can be at most 2.00x faster"
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.95, "it can hardly be faster"),
        (0.004, "0.4 % of that: calls take nearly all of the time"),
        (1.5, "counted wrongly"),
    ],
)
def test_what_is_left_is_told_in_words_where_a_number_would_mislead(share: float, words: str) -> None:
    assert words in light_words("mine", LightSpeed(1000.0, 1000.0 / share, "arithmetic", share, None)).plain


def test_arithmetic_is_named_where_it_is_the_limit() -> None:
    assert "its arithmetic needs" in light_words("mine", LightSpeed(1000.0, 2000.0, "arithmetic", 0.5, None)).plain


@pytest.mark.parametrize(
    ("speedup", "least_ns", "work", "use"),
    [
        (6.0, 100.0, "3.00x less work to do (at least 100 ns here, before 300 ns)", "the machine 2.00x better: 6.00x"),
        (0.5, 600.0, "2.00x more work to do (at least 600 ns here, before 300 ns)", "the machine as before: 0.500x"),
        (1.5, 100.0, "3.00x less work to do (at least 100 ns here, before 300 ns)", "the machine 2.00x worse: 1.50x"),
    ],
)
def test_a_speedup_is_told_as_less_work_and_better_use(speedup: float, least_ns: float, work: str, use: str) -> None:
    assert split_words(Split(speedup, 300.0, least_ns)).plain == f"it has {work}, and uses {use} speed in all"


def test_a_name_is_fit_to_show() -> None:
    assert "\x1b" not in light_words("\x1b[2Jmine", LightSpeed(1000.0, 2000.0, "memory", 0.5, None)).plain
