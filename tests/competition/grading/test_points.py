"""What scores and ranks are worth."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinytorch.competition.grading.points import points_of
from tinytorch.errors import UsageError


@pytest.mark.parametrize(("score", "points"), [(0.5, 0), (1, 0), (10.5, 50), (20, 100), (400, 100)])
def test_points_are_linear_between_and_none_below(score: float, points: float) -> None:
    assert points_of({"20x": 100, "1x": 0}).of(score) == pytest.approx(points)


def test_an_accuracy_is_written_as_a_share() -> None:
    assert points_of({"85 %": 50, "90%": 100}).of(0.875) == pytest.approx(75)


def test_ranks_are_told_from_scores() -> None:
    found = points_of({"rank 1": 100, "rank 11": 50})

    assert (found.kind, found.of(1), found.of(6), found.of(99), found.most) == ("rank", 100, 75, 50, 100)
    assert points_of({"1": 0, "2": 100}).kind == "score"


@pytest.mark.parametrize(
    "table",
    [{}, {"1x": 5}, {"rank 1": 100}, {"5x": 9, "20x": 8}, {"rank 1": 1, "rank 2": 2}, {"rank 0": 2, "rank 1": 1},
     {"rank 1.5": 2, "rank 2": 1}, {"1x": 0, "rank 1": 5}, {"1x": 0, "1": 5}, {"fast": 1, "1x": 2},
     {"rank 1x": 1, "rank 2": 0}, {"-1x": 3, "1x": 4}, {"1e5x": 3, "1x": 1}, {"": 1, "1x": 2},
     {"1x": -1}, {"1x": math.nan}, {"1x": math.inf}, {f"{number}x": 1 for number in range(101)}],
)  # fmt: skip
def test_a_table_that_means_nothing_is_refused(table: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        points_of(table)


def test_a_score_below_the_first_has_none_and_a_rank_beyond_the_last_its_points() -> None:
    assert (points_of({"5x": 80, "20x": 100}).of(4.9), points_of({"5x": 80, "20x": 100}).of(5)) == (0, 80)
    assert points_of({"rank 1": 100, "rank 10": 60}).of(12) == 60


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 1e6)), min_size=2, max_size=9), st.floats(0, 2000))
def test_points_never_leave_those_that_are_written(drawn: list[tuple[int, float]], score: float) -> None:
    places = sorted({place for place, _ in drawn})
    earned = sorted(points for _, points in drawn)[: len(places)]
    assume(len(places) > 1)
    found = points_of({f"{place}x": points for place, points in zip(places, earned, strict=True)}).of(score)

    assert 0 <= found <= max(earned) * (1 + 1e-12) + 1e-6
