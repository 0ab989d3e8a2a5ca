"""What can be read off the plots: round ticks, names that do not lie on one another."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.report.labels import CHARACTER, placed
from tito.report.plots import MOST_TICKS, round_numbers


@pytest.mark.parametrize(
    ("low", "high", "is_log", "ticks"),
    [
        (0.9, 120, True, [1, 5, 20, 100]),
        (18.2, 74.8, True, [20, 40, 60]),
        (2.1, 11, True, [5, 10]),
        (4.46, 5.5, True, [4.5, 5.0, 5.5]),
        (-1.3, 0.7, False, [-1, 0]),
        (0.853, 0.889, False, [0.86, 0.87, 0.88]),
        (5, 5, True, [5]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, is_log: bool, ticks: list[float]) -> None:
    assert round_numbers(low, high, is_log) == pytest.approx(ticks)


@given(st.floats(1e-3, 1e6), st.floats(1, 1e6), st.booleans())
def test_there_are_a_few_of_them_inside(low: float, ratio: float, is_log: bool) -> None:
    found = round_numbers(low, low * ratio, is_log)

    assert 1 <= len(found) <= MOST_TICKS
    assert all(low * (1 - 1e-9) <= each <= low * ratio * (1 + 1e-9) for each in found)


POINTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 16)), max_size=6)


@given(POINTS)
def test_no_name_lies_on_another(points: list[tuple[float, float, int]]) -> None:
    numbered = [(number, *point) for number, point in enumerate(points)]
    boxes = [label.box(points[label.number][2] * CHARACTER) for label in placed(numbered)]

    for number, (left, right, bottom, top) in enumerate(boxes):
        assert 0 <= left < right < 1.1
        for other in boxes[:number]:
            assert right <= other[0] or other[1] <= left or top <= other[2] or other[3] <= bottom


def test_two_at_one_place_are_named_apart() -> None:
    assert len(list(placed([(0, 0.5, 0.5, 8), (1, 0.5, 0.5, 8)]))) == 2
    assert math.isclose(next(placed([(0, 0.5, 0.5, 8)])).x, 0.52)
