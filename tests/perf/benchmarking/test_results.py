"""Values with their figures, timers, and who is beaten by nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tinytorch.errors import UsageError
from tinytorch.perf.benchmarking import BenchmarkResult, pareto_frontier, precise_timer

POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=20).filter(lambda values: np.std(values) > 1e-3))
def test_the_interval_is_student_s(values: list[float]) -> None:
    result = BenchmarkResult("latency", values)
    expected = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))

    np.testing.assert_allclose((result.ci_lower, result.ci_upper), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0], [1.0, 2.0, 3.0]])
def test_few_values_have_no_interval(values: list[float]) -> None:
    assert BenchmarkResult("latency", values).ci_lower is None


def test_equal_values_have_an_interval_of_no_width() -> None:
    result = BenchmarkResult("accuracy", [0.5, 0.5])

    assert (result.ci_lower, result.ci_upper, result.std) == (0.5, 0.5, 0.0)


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")]])
def test_what_is_no_number_is_refused(values: list[float]) -> None:
    with pytest.raises(UsageError, match="finite numbers"):
        BenchmarkResult("latency", values)


def test_a_percentile_is_between_values() -> None:
    assert BenchmarkResult("latency", [1.0, 2.0, 3.0]).percentile(75) == 2.5


def test_a_timer_that_is_left_by_an_error_has_its_time() -> None:
    with pytest.raises(ZeroDivisionError), precise_timer() as timer:
        raise ZeroDivisionError

    assert timer.elapsed > 0


@given(POINTS, st.tuples(st.booleans(), st.booleans()))
def test_the_front_is_who_nobody_beats(points: list[tuple[int, int]], minimize: tuple[bool, bool]) -> None:
    signs = [1 if less else -1 for less in minimize]

    def beats(a: tuple[int, int], b: tuple[int, int]) -> bool:
        pairs = [(x * sign, y * sign) for x, y, sign in zip(a, b, signs, strict=True)]
        return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)

    expected = [i for i, point in enumerate(points) if not any(beats(other, point) for other in points)]
    assert pareto_frontier(points, minimize) == expected


@pytest.mark.parametrize(("points", "minimize"), [([1, 2], None), ([(1, 2)], [True])])
def test_points_that_make_no_sense_are_refused(points: list[object], minimize: list[bool] | None) -> None:
    with pytest.raises(UsageError, match="must"):
        pareto_frontier(points, minimize)


def test_points_with_names_are_told_by_them() -> None:
    points = {"a": (5.0, 0.80), "b": (40.0, 0.94), "c": (40.0, 0.70), "d": (60.0, 0.94)}

    assert pareto_frontier(points, (True, False)) == ["a", "b"]
    assert pareto_frontier({"x": (1, 1), "y": (1, 1)}, lower_is_better=(True, True)) == ["x", "y"]


WRONG_DIRECTIONS = {
    "words": (("min", "max"), None),
    "letters": ("xy", None),
    "one for all": (True, None),
    "too few": ((True,), None),
    "both names": ((True, True), (True, False)),
}


@pytest.mark.parametrize(("lower_is_better", "minimize"), WRONG_DIRECTIONS.values(), ids=WRONG_DIRECTIONS)
def test_what_says_no_direction_is_refused(lower_is_better: object, minimize: object) -> None:
    with pytest.raises(UsageError, match=r"minimize"):
        pareto_frontier({"a": (1, 2), "b": (2, 1)}, lower_is_better, minimize=minimize)


@pytest.mark.parametrize("points", [{}, [], {"a": (1, 2), "b": (1,)}, {"a": None}])
def test_what_are_no_points_is_refused(points: object) -> None:
    with pytest.raises(UsageError, match="points must be lists of numbers"):
        pareto_frontier(points)


def test_a_named_point_that_was_not_measured_is_told_by_its_name() -> None:
    with pytest.raises(UsageError, match="point 'b' has NaN"):
        pareto_frontier({"a": (1, 2), "b": (np.nan, 1)})


def test_figures_follow_from_the_values_as_they_are() -> None:
    result = BenchmarkResult("latency", [1.0, 3.0])
    before = result.mean
    result.values.append(5.0)

    assert (before, result.mean, result.count, result.median) == (2, 3, 3, 3)


def test_a_class_derived_from_a_result_may_set_its_figures() -> None:
    @dataclass
    class Own(BenchmarkResult):
        unit: str = "ms"

    own = Own("latency", [1.0, 3.0])
    own.mean = 7.0

    assert (own.mean, own.median, own.unit) == (7, 2, "ms")


def test_a_point_that_was_not_measured_is_refused() -> None:
    with pytest.raises(UsageError, match="point 1 has NaN"):
        pareto_frontier([(1.0, 2.0), (float("nan"), 1.0)])
