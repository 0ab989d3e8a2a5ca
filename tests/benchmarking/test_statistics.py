"""The statistics against scipy.stats, and by seeded simulation."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.statistics import Interval, Verdict

SAMPLES = [[1.0, 2.0, 4.0], [0.1, -0.2, 0.3, 0.05, 0.0], list(np.random.default_rng(1).normal(3, 2, 32))]


@pytest.mark.parametrize("values", SAMPLES)
def test_the_mean_interval_is_students(values: list[float]) -> None:
    estimate = statistics.mean_estimate(values)
    error = scipy.stats.sem(values)
    expected = scipy.stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)

    assert (estimate.interval.lower, estimate.interval.upper) == pytest.approx(expected)


@pytest.mark.parametrize("values", SAMPLES)
def test_the_p_value_is_that_of_the_one_sample_t_test(values: list[float]) -> None:
    assert statistics.mean_estimate(values).p_value == pytest.approx(scipy.stats.ttest_1samp(values, 0).pvalue)


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0, 2.0]])
def test_without_spread_there_is_no_interval_and_no_p_value(values: list[float]) -> None:
    estimate = statistics.mean_estimate(values)

    assert (estimate.interval, estimate.p_value) == (None, None)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=50))
def test_the_trimmed_mean_is_scipys(values: list[float]) -> None:
    assert statistics.trimmed_mean(values) == pytest.approx(scipy.stats.trim_mean(values, 0.2), abs=1e-9)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_scipys(counts: tuple[int, int]) -> None:
    correct, total = counts
    expected = scipy.stats.binomtest(correct, total).proportion_ci(method="wilson")
    found = statistics.wilson_interval(correct, total)

    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemars_exact_test_is_a_fair_coin(first: int, second: int) -> None:
    expected = scipy.stats.binomtest(first, first + second).pvalue if first + second else 1.0

    assert statistics.mcnemar_exact(first, second) == pytest.approx(expected)


@pytest.mark.parametrize(("quantile", "floor"), [(0.90, 64), (0.99, 662)])
def test_the_percentile_floors_are_the_design_s(quantile: float, floor: int) -> None:
    assert statistics.percentile_floor(quantile) == floor


def test_a_percentile_below_its_floor_is_none() -> None:
    assert statistics.percentile(range(63), 0.90) is None


def test_a_percentile_is_the_smallest_value_with_its_share_below() -> None:
    assert statistics.percentile(range(1, 101), 0.90) == 90


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval(0.1, 0.2), Verdict.BETTER),
        (Interval(-0.2, -0.1), Verdict.WORSE),
        (Interval(-0.1, 0.1), Verdict.NO_DETECTABLE_DIFFERENCE),
        (None, None),
    ],
)
def test_the_verdict_has_three_values_or_none(interval: Interval | None, expected: Verdict | None) -> None:
    assert statistics.verdict(interval, 0.0) is expected


def test_the_smallest_detectable_ratio_is_found_in_four_of_five_experiments() -> None:
    generator, units, spread = np.random.default_rng(3), 32, 0.03
    true = math.log(statistics.smallest_detectable_ratio(spread / math.sqrt(units), units))
    found = [
        statistics.mean_estimate(list(generator.normal(true, spread, units))).p_value < statistics.ALPHA
        for _ in range(1000)
    ]

    assert np.mean(found) == pytest.approx(statistics.POWER, abs=0.04)


def simulate(generator: random.Random, speedup: float, placements: int = 16, swing: float = 0.3) -> tuple[list, list]:
    """Two models under drift, placement effects and heavy tails; the baseline is `speedup` times slower."""
    pairs = []
    for _ in range(placements):
        base, opt = (math.exp(generator.gauss(0, 0.03)) * 1e5 for _ in range(2))
        blocks = []
        for block in range(4):
            drift = 1 + swing * math.sin(block + generator.random())
            blocks.append([
                [int(level * drift * (1 + 0.01 * generator.paretovariate(1.5))) for _ in range(8)]
                for level in (base * speedup, opt)
            ])  # fmt: skip
        pairs.append(blocks)
    return ([[b[0] for b in p] for p in pairs], [[b[1] for b in p] for p in pairs])


def p_values(speedup: float, experiments: int, seed: int) -> list[float]:
    generator = random.Random(seed)
    ratios = (statistics.placement_log_ratios(*simulate(generator, speedup)) for _ in range(experiments))
    return [statistics.mean_estimate(values).p_value for values in ratios]


def test_equal_models_are_called_different_in_about_five_of_a_hundred_runs() -> None:
    false_alarms = sum(p < statistics.ALPHA for p in p_values(1.0, 600, seed=5))

    assert scipy.stats.binomtest(false_alarms, 600, 0.05).pvalue > 0.01


def test_a_naive_test_of_one_copy_of_each_model_cries_wolf() -> None:
    generator, alarms = random.Random(5), 0
    for _ in range(100):
        first, second = (np.ravel(times) for times in simulate(generator, 1.0, placements=1, swing=0.02))
        alarms += scipy.stats.ttest_ind(first, second, equal_var=False).pvalue < 0.05

    assert alarms > 15


def test_a_true_ten_percent_is_found() -> None:
    assert np.mean(np.array(p_values(1.10, 100, seed=7)) < 0.05) > 0.95
