"""How near a model comes to light speed, in a sentence."""

from __future__ import annotations

from tinytorch.benchmarking.light import LightSpeed
from tinytorch.benchmarking.statistics import Interval
from tito.views.light import light_words


def test_the_share_is_told_with_its_interval_and_with_what_is_left() -> None:
    assert light_words(LightSpeed(1000.0, "memory", 0.5, Interval(0.45, 0.55))).plain == (
        "light speed: 50 % [45 %, 55 %] of what this machine allows, where what it reads and writes takes 1.00 us at "
        "least; at most 2.00x is left without doing less"
    )


def test_arithmetic_is_named_where_it_is_the_limit() -> None:
    assert "what it computes takes" in light_words(LightSpeed(1000.0, "arithmetic", 0.5, None)).plain


def test_a_model_that_is_there_is_told_so() -> None:
    assert "hardly anything is left" in light_words(LightSpeed(1000.0, "memory", 0.95, None)).plain
