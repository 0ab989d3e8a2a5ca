"""The statistics against scipy.stats, and by seeded simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.benchmarking import statistics
from tinytorch.benchmarking.statistics import Verdict

SAMPLES = [[1.0, 2.0, 4.0, 3.5], [0.1, -0.2, 0.3, 0.05, 0.0], list(np.random.default_rng(1).normal(3, 2, 32))]


@pytest.mark.parametrize("values", SAMPLES)
def test_the_mean_interval_is_students(values: list[float]) -> None:
    estimate = statistics.mean_estimate(values)
    error = scipy.stats.sem(values)
    expected = scipy.stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)

    assert (estimate.interval.lower, estimate.interval.upper) == pytest.approx(expected)


@pytest.mark.parametrize("values", SAMPLES)
def test_the_p_value_is_that_of_the_one_sample_t_test(values: list[float]) -> None:
    assert statistics.mean_estimate(values).p_value == pytest.approx(scipy.stats.ttest_1samp(values, 0).pvalue)


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0, 2.0, 2.0]])
def test_without_spread_there_is_no_interval_and_no_p_value(values: list[float]) -> None:
    estimate = statistics.mean_estimate(values)

    assert (estimate.interval, estimate.p_value) == (None, None)


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 2.0, 4.0]])
def test_fewer_than_four_units_have_no_interval(values: list[float]) -> None:
    assert statistics.mean_estimate(values).interval is None


def test_the_quiet_time_is_the_least_block_and_a_block_its_median() -> None:
    assert statistics.quiet_time(*statistics.block_times([[[9, 1, 5], [7, 3, 4], [8, 8, 8]]])) == 4


def test_the_typical_time_is_the_median_block() -> None:
    assert statistics.typical_time(*statistics.block_times([[[9, 1, 5], [7, 3, 4], [8, 8, 8]]])) == 5


def test_a_unit_is_the_mean_of_its_copies() -> None:
    copies, tens = np.array([[10.0], [30], [40], [60]]), np.full((4, 1), 10.0)

    assert statistics.unit_times(copies, 2) == [20, 50]
    assert statistics.unit_log_ratios(copies, tens, 2, statistics.quiet_time) == pytest.approx(
        [math.log(3) / 2, (math.log(4) + math.log(6)) / 2]
    )


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
    ("p_value", "effect", "expected"),
    [
        (0.01, 0.2, Verdict.BETTER),
        (0.01, -0.2, Verdict.WORSE),
        (0.05, 0.2, Verdict.NO_DETECTABLE_DIFFERENCE),
        (0.3, -0.2, Verdict.NO_DETECTABLE_DIFFERENCE),
    ],
)
def test_the_verdict_has_three_values(p_value: float, effect: float, expected: Verdict) -> None:
    assert statistics.verdict(p_value, effect, 0.05) is expected


def test_the_verdict_is_made_at_the_level_that_is_asked_for() -> None:
    assert statistics.verdict(0.01, 1.0, 0.001) is Verdict.NO_DETECTABLE_DIFFERENCE


def test_a_further_error_widens_an_interval_as_variances_add() -> None:
    estimate = statistics.mean_estimate([0.1, 0.2, 0.3, 0.4])
    widened = statistics.widened_interval(estimate, 3.0)

    assert statistics.widened_interval(estimate, 0.0) == estimate.interval
    assert widened.upper - 0.25 == pytest.approx(scipy.stats.t.ppf(0.975, 3) * math.hypot(estimate.standard_error, 3.0))


def test_the_smallest_detectable_ratio_is_found_in_four_of_five_experiments() -> None:
    generator, units, spread = np.random.default_rng(3), 32, 0.03
    true = math.log(statistics.smallest_detectable_ratio(spread / math.sqrt(units), units))
    found = [
        statistics.mean_estimate(list(generator.normal(true, spread, units))).p_value < statistics.ALPHA
        for _ in range(1000)
    ]

    assert np.mean(found) == pytest.approx(statistics.POWER, abs=0.04)


# Contention only adds time: bursts come and go over a session, and slow the model that needs the memory more.
PROCESSES, COPIES, VISITS, PAIRS = 8, 2, 10, 4
Session = tuple[list[list[list[int]]], list[list[list[int]]]]


def session(generator: np.random.Generator, speedup: float) -> Session:
    """Both models' blocks of one sample each: processes and copies differ, all drift, bursts add time."""
    visits = PROCESSES * VISITS
    process = np.repeat(generator.normal(0, 0.006, (PROCESSES, 1, 2)), COPIES, axis=1)
    level = 1e6 * np.exp(process + generator.normal(0, 0.004, (PROCESSES, COPIES, 2))) * np.array([speedup, 1])
    load, now, loads = 0.0, generator.random() < 0.5, np.zeros(visits)
    for visit in range(visits):  # a burst lasts about forty visits, a few seconds
        if generator.random() < 0.025:
            now, load = not now, generator.uniform(0.1, 0.5)
        loads[visit] = load * now
    drift = 1 + 0.002 * np.sin(np.arange(visits) / 60 + generator.uniform(0, 6))
    order = np.concatenate([generator.permutation(PROCESSES) for _ in range(VISITS)])
    shape = (visits, COPIES, PAIRS, 2)
    noise = np.exp(np.abs(generator.normal(0, 0.004, shape)))
    added = 1 + (loads[:, None, None, None] * np.array([1.0, 0.15])) * generator.uniform(0.5, 1.5, shape)
    blocks = level[order][:, :, None, :] * drift[:, None, None, None] * noise * added
    grouped = [blocks[order == each].transpose(1, 0, 2, 3).reshape(COPIES, -1, 2) for each in range(PROCESSES)]
    times = np.concatenate(grouped).round().astype(int)
    return [[[[int(b)] for b in copy] for copy in times[:, :, model]] for model in (0, 1)]


def by_quiet_times(measured: Session) -> list[float]:
    return statistics.unit_log_ratios(*map(statistics.block_times, measured), COPIES, statistics.quiet_time)


def with_copies_as_units(measured: Session) -> list[float]:
    return statistics.unit_log_ratios(*map(statistics.block_times, measured), 1, statistics.quiet_time)


def by_means_of_pairs(measured: Session) -> list[float]:
    """The recipe shipped first."""
    ratios = np.log(np.array(measured[0])[..., 0] / np.array(measured[1])[..., 0])
    return [float(value) for value in scipy.stats.trim_mean(ratios, 0.2, axis=1)]


def covering(speedup: float, units: Callable[[Session], list[float]], seed: int, experiments: int = 500) -> int:
    """How many of the sessions' intervals hold the undisturbed ratio."""
    generator, held = np.random.default_rng(seed), 0
    for _ in range(experiments):
        interval = statistics.mean_estimate(units(session(generator, speedup))).interval
        held += interval.lower <= math.log(speedup) <= interval.upper
    return held


@pytest.mark.parametrize("speedup", [1.0, 1.03, 6.0])
def test_the_interval_holds_the_undisturbed_ratio_in_92_to_97_of_100_sessions(speedup: float) -> None:
    assert 0.92 <= covering(speedup, by_quiet_times, seed=11) / 500 <= 0.97


@pytest.mark.parametrize("units", [with_copies_as_units, by_means_of_pairs])
def test_other_recipes_promise_too_much_there(units: Callable[[Session], list[float]]) -> None:
    assert covering(6.0, units, seed=11) / 500 < 0.90


def test_equal_models_are_called_different_in_three_to_seven_of_a_hundred_sessions() -> None:
    generator = np.random.default_rng(5)
    p_values = [statistics.mean_estimate(by_quiet_times(session(generator, 1.0))).p_value for _ in range(600)]

    assert 0.03 <= np.mean(np.array(p_values) < statistics.ALPHA) <= 0.07


def test_a_true_three_percent_is_found_with_the_right_sign() -> None:
    generator = np.random.default_rng(7)
    estimates = [statistics.mean_estimate(by_quiet_times(session(generator, 1.03))) for _ in range(100)]
    verdicts = [statistics.verdict(estimate.p_value, estimate.mean) for estimate in estimates]

    assert verdicts.count(Verdict.BETTER) > 90
    assert Verdict.WORSE not in verdicts


@given(*[st.lists(st.floats(-5, 5), min_size=3, max_size=9, unique=True).filter(lambda v: np.std(v) > 0.01)] * 2)
def test_welchs_test_is_scipys(first: list[float], second: list[float]) -> None:
    estimated = [(scipy.stats.sem(each) ** 2, len(each) - 1) for each in (first, second)]
    found = statistics.welch_p_values(np.mean(first) - np.mean(second), estimated)

    assert float(found) == pytest.approx(scipy.stats.ttest_ind(first, second, equal_var=False).pvalue, abs=1e-9)


def test_welchs_interval_is_scipys() -> None:
    first, second = SAMPLES[0], SAMPLES[2]
    estimated = [(scipy.stats.sem(each) ** 2, len(each) - 1) for each in (first, second)]
    found = statistics.welch_interval(np.mean(first) - np.mean(second), estimated)
    expected = scipy.stats.ttest_ind(first, second, equal_var=False).confidence_interval()

    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))


def test_of_a_known_variance_alone_the_interval_is_normal() -> None:
    found = statistics.welch_interval(1.0, [], 4.0)

    assert (found.lower, found.upper) == pytest.approx(scipy.stats.norm.interval(0.95, 1.0, 2.0))


def test_a_known_variance_has_no_degrees_of_freedom() -> None:
    """What remains is the normal distribution; without any variance a difference is exact."""
    assert statistics.welch_p_values(1.96, [], 1.0) == pytest.approx(2 * scipy.stats.norm.sf(1.96))
    assert statistics.welch_p_values([0.0, 1.0], [(0.0, 7)]).tolist() == [1.0, 0.0]


def test_a_variance_that_is_not_known_shows_no_difference() -> None:
    assert statistics.welch_p_values(100.0, [(math.nan, 7)], 1.0) == 1.0


def test_mcnemars_p_values_of_many_pairs_are_those_of_each() -> None:
    pairs = [(0, 0), (3, 9), (9, 3), (0, 6)]
    found = statistics.mcnemar_p_values(*zip(*pairs, strict=True))

    assert found.tolist() == [statistics.mcnemar_exact(*pair) for pair in pairs]


@pytest.mark.parametrize("alpha", [0.05, 1e-6, 1e-18])
@pytest.mark.parametrize("units", [4, 8, 100])
def test_a_small_alpha_is_not_lost_near_one(alpha: float, units: int) -> None:
    """Compared with scipy.stats, which takes the upper tail itself."""
    estimate = statistics.MeanEstimate(0.0, 1.0, None, None, units)
    found = statistics.widened_interval(estimate, 0.0, alpha)

    assert found is not None
    assert found.upper == pytest.approx(scipy.stats.t.isf(alpha / 2, units - 1), rel=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_fewer_successes_than_another_are_tested_as_scipy_does(right: int, wrong: int, more: int, less: int) -> None:
    table = [[right, wrong], [more, less]]
    expected = scipy.stats.fisher_exact(table, alternative="less").pvalue

    assert statistics.fisher_less((right, right + wrong), (more, more + less)) == pytest.approx(expected, abs=1e-9)


def test_many_trials_are_no_trouble() -> None:
    assert statistics.fisher_less((97_000, 100_000), (4_860, 5_000)) == pytest.approx(0.161, abs=0.2)
    assert statistics.fisher_less((90_000, 100_000), (4_860, 5_000)) < 1e-20


def test_numbers_whose_sum_is_too_large_have_a_mean_and_an_interval() -> None:
    assert statistics.mean_of([1e308] * 4) == 1e308
    large, small = ([factor * each for each in (1.0, 1.1, 1.0, 1.2)] for factor in (1e308, 1.0))
    found, expected = statistics.mean_estimate(large), statistics.mean_estimate(small)

    assert found.p_value == pytest.approx(expected.p_value)
    assert found.interval.lower == pytest.approx(1e308 * expected.interval.lower)


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=20))
def test_the_standard_error_is_scipys(values: list[float]) -> None:
    found = statistics.mean_estimate(values).standard_error

    assert (found or 0.0) == pytest.approx(scipy.stats.sem(values), rel=1e-9, abs=1e-9)
