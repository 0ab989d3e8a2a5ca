"""Many tests at once: Holm's correction, step by step, over p-values that are counted on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.benchmarking.holm import LEAST, Holm, grid_numbers

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=9)


def corrected(p_values: list[float]) -> Holm:
    return Holm.of(Holm.counted(grid_numbers(p_values)))


def step_by_step(p_values: list[float]) -> list[float]:
    """The smallest times the number of tests, the next times one less, and never less than before."""
    tests, expected, before = len(p_values), {}, 0.0
    for step, index in enumerate(sorted(range(tests), key=p_values.__getitem__)):
        before = max(before, min(1.0, p_values[index] * (tests - step)))
        expected[index] = before
    return [expected[index] for index in range(tests)]


@given(P_VALUES)
def test_holms_p_values_go_down_step_by_step(p_values: list[float]) -> None:
    """Told to 1 in 1,000, and never too small."""
    found, expected = corrected(p_values).adjusted_of(grid_numbers(p_values)), np.array(step_by_step(p_values))

    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-3, abs=9 * LEAST)
    assert (found >= expected - 9 * LEAST).all()


@given(P_VALUES, st.floats(0.001, 1))
def test_those_up_to_the_largest_below_alpha_count_by_holm(p_values: list[float], alpha: float) -> None:
    numbers, found = grid_numbers(p_values), corrected(p_values)
    count = [each for each in numbers.tolist() if found.adjusted[each] < alpha]

    assert found.largest_below(alpha) == max(count, default=-1)


@given(st.floats(LEAST, 1), st.floats(LEAST, 1))
def test_the_grid_keeps_the_order_and_rounds_up_by_less_than_one_in_a_thousand(one: float, two: float) -> None:
    first, second = grid_numbers([one, two]).tolist()
    alone = corrected([one]).adjusted_of(grid_numbers([one])).item()

    assert (first <= second) >= (one <= two)
    assert one <= alone <= one * 1.001 or one == LEAST


def test_counts_of_parts_add_up_to_those_of_all() -> None:
    """Which is how millions are corrected without being kept."""
    numbers = grid_numbers(np.random.default_rng(5).random(1000) ** 4)
    parts = Holm.counted(numbers[:300]) + Holm.counted(numbers[300:])

    assert np.array_equal(Holm.of(parts).adjusted, Holm.of(Holm.counted(numbers)).adjusted)
