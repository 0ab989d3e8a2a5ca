"""Light speed: what a machine allows for so much work, and how near a model comes to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from tinytorch.benchmarking.light import LightSpeed, Split, least_time, light_speed, nearness
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metrics import Memory, Metrics, ModelRecord
from tinytorch.benchmarking.records.work import Limits, Work

PROCESSES = 6
MACHINE = Limits(memory_bandwidth_bytes_per_s=1e9, near_bandwidth_bytes_per_s=4e9, flops_per_s=1e10)


def record(times_ns: list[float], calls: int = 1, **known: object) -> ModelRecord:
    samples = [[[round(calls * time_ns)] * 4] for time_ns in times_ns for _ in range(2)]
    measured = Metrics(
        latency=Latency.from_samples(samples, calls, 2), memory=Memory.from_bytes(1000, peak_working_bytes=0, unseen=[])
    )
    given = {"work": Work(flops=100, weight_bytes=1000, moved_bytes=1000), "machine": MACHINE, **known}
    return ModelRecord(name="model", metrics=measured, **given)


def test_weights_come_from_memory_and_the_rest_from_the_nearest_cache() -> None:
    assert least_time(Work(flops=0, weight_bytes=1000, moved_bytes=5000), MACHINE) == ("memory", 1000 + 4000 / 4)


def test_weights_that_are_read_again_come_from_memory_again() -> None:
    assert least_time(Work(flops=0, weight_bytes=64_000, moved_bytes=64_000), MACHINE) == ("memory", 64_000)


@pytest.mark.parametrize(("weight_bytes", "kept_bytes", "reads"), [(64_000, 1000, 1000), (500, 1000, 500)])
def test_a_cache_holds_weights_once_and_no_more_than_are_read(weight_bytes: int, kept_bytes: int, reads: int) -> None:
    assert Work(flops=0, weight_bytes=weight_bytes, moved_bytes=10**6).reads(kept_bytes) == reads


def test_the_slower_of_moving_and_computing_takes_the_time() -> None:
    assert least_time(Work(flops=20_000, weight_bytes=1000, moved_bytes=1000), MACHINE) == ("arithmetic", 2000)


@pytest.mark.parametrize("calls", [1, 7])
def test_a_model_is_as_near_as_its_quiet_times_are(calls: int) -> None:
    found = light_speed(record([2000.0, 2000.0, 2000.0, 2000.0, 2000.0, 4000.0], calls))

    assert (found.least_ns, found.bound) == (1000, "memory")
    assert found.share == pytest.approx(0.5 * 2 ** (-1 / PROCESSES))
    assert found.interval.lower < found.share < found.interval.upper


def test_nothing_is_said_of_no_work() -> None:
    assert nearness(Work(flops=0, weight_bytes=0, moved_bytes=0), MACHINE, [200.0]) is None


@pytest.mark.parametrize("rate", [5e-324, 1e-290, 0.5, 1e19])
def test_rates_that_no_machine_has_are_refused(rate: float) -> None:
    with pytest.raises(ValidationError):
        Limits(memory_bandwidth_bytes_per_s=rate, near_bandwidth_bytes_per_s=1e9, flops_per_s=1e9)


@pytest.mark.parametrize("rate", [1.0, 1e18])
def test_any_work_on_any_machine_has_a_share(rate: float) -> None:
    machine = Limits(memory_bandwidth_bytes_per_s=rate, near_bandwidth_bytes_per_s=1.0, flops_per_s=1.0)
    most = Work(flops=10**18, weight_bytes=10**18, moved_bytes=10**18)
    found = nearness(most, machine, [1e-3, 1e18, 1e-3, 1e18])

    assert 0 < found.interval.lower < found.share < found.interval.upper < math.inf


def test_few_processes_give_no_interval() -> None:
    assert nearness(Work(flops=0, weight_bytes=100, moved_bytes=100), MACHINE, [200.0, 210.0, 220.0]).interval is None


def test_the_interval_holds_the_share_as_often_as_it_says() -> None:
    generator, held = np.random.default_rng(0), 0
    for _ in range(400):
        times = 200 * np.exp(generator.normal(0, 0.05, 8))
        interval = nearness(Work(flops=0, weight_bytes=100, moved_bytes=100), MACHINE, [*times]).interval
        held += interval.lower <= 0.5 <= interval.upper

    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize("unknown", [{"work": None}, {"machine": None}])
def test_nothing_is_said_where_something_is_not_known(unknown: dict[str, object]) -> None:
    assert light_speed(record([2000.0] * PROCESSES, **unknown)) is None


def test_nothing_is_said_of_numbers_that_were_given_by_hand() -> None:
    given = Metrics(latency=Latency.given(1.0), memory=Memory.given(1.0))
    known = {"work": Work(flops=1, weight_bytes=1, moved_bytes=1), "machine": MACHINE}

    assert light_speed(ModelRecord(name="model", metrics=given, **known)) is None


@pytest.mark.parametrize(
    ("counted", "mean"),
    [
        ([(2, 5, 10), (4, 5, 30)], Work(flops=3, weight_bytes=5, moved_bytes=20)),
        ([(0, 0, 0), (0, 0, 0)], None),
        ([(1, 0, 0), (0, 0, 0)], None),
        ([(2, 5, 10), None], None),
        ([], None),
    ],
)
def test_work_is_the_mean_of_samples_that_could_all_be_counted(
    counted: list[tuple[int, int, int] | None], mean: Work | None
) -> None:
    assert Work.mean(counted) == mean


def test_a_speedup_is_less_work_times_better_use() -> None:
    """A third of the work in a sixth of the time: the machine is used twice as well."""
    before, after = (LightSpeed(least, 1e6, "memory", 0.1, None) for least in (300.0, 100.0))
    found = Split.of(6.0, before, after)

    assert found is not None
    assert (found.less_work, found.better_use) == (pytest.approx(3), pytest.approx(2))


def test_without_light_speed_nothing_is_split() -> None:
    assert Split.of(6.0, None, LightSpeed(1.0, 1.0, "memory", 1.0, None)) is None


def test_shares_are_ratios_of_times() -> None:
    found = nearness(Work(flops=0, weight_bytes=100, moved_bytes=100), MACHINE, [400.0, 100.0])

    assert found.share == pytest.approx(math.sqrt(0.25 * 1.0))
