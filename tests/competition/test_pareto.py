"""Pareto fronts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tinytorch.competition.pareto import front

POINTS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=12)


def test_a_front_is_what_nothing_else_beats_in_every_respect() -> None:
    assert front([(1, 3), (2, 2), (3, 1), (2, 1), (1, 1)]) == [0, 1, 2]


def test_equal_points_do_not_beat_each_other() -> None:
    assert front([(1, 1), (1, 1)]) == [0, 1]


@given(POINTS)
def test_whoever_is_not_on_the_front_is_beaten_by_somebody_on_it(points: list[tuple[int, ...]]) -> None:
    best = front(points)
    for index, point in enumerate(points):
        better = [each for each in best if points[each] != point]
        beaten = any(all(a >= b for a, b in zip(points[each], point, strict=True)) for each in better)
        assert beaten is (index not in best)
