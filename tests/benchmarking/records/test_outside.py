"""Times from outside: what the asking takes is taken off, process by process."""

from __future__ import annotations

from typing import Any

import pytest

from tests.competition.refereed import LOOP_NS, ROUND_TRIP_NS, outside_times
from tinytorch.benchmarking.records.outside import OutsideTimes
from tinytorch.benchmarking.records.samples import write_samples

TIMES = outside_times()


def changed(**fields: Any) -> OutsideTimes:
    return OutsideTimes.model_validate({**TIMES.model_dump(), **fields})


def test_the_round_trip_and_the_loop_are_seen_of_a_model_that_does_nothing() -> None:
    assert TIMES.round_trip_ns.tolist() == [ROUND_TRIP_NS] * 6
    assert TIMES.loop_ns.tolist() == [LOOP_NS] * 6


def test_each_process_is_a_unit_and_both_models_were_timed_in_pairs() -> None:
    first, second = TIMES.latencies

    assert (first.unit_count, second.unit_count, first.session == second.session) == (6, 6, True)


def test_the_part_of_the_asking_is_that_of_the_shorter_requests() -> None:
    assert TIMES.asking_share == pytest.approx(ROUND_TRIP_NS / 3_014_000, rel=0.02)


def test_a_record_is_read_as_it_was_written() -> None:
    assert OutsideTimes.model_validate_json(TIMES.model_dump_json()).model_dump() == TIMES.model_dump()


@pytest.mark.parametrize("field", ["null", "round_trips_ns"])
def test_times_of_other_processes_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="other processes"):
        changed(**{field: getattr(TIMES, field)[:-1]})


def test_one_block_that_is_fast_for_once_wins_nothing() -> None:
    times = TIMES.optimized.times_ns.copy()
    times[:, 3] = times[:, 3] // 2
    lucky = changed(optimized={**TIMES.optimized.model_dump(), "samples_ns": write_samples(times)})

    assert lucky.latencies[1].mean_ns == pytest.approx(TIMES.latencies[1].mean_ns, rel=0.01)


@pytest.mark.parametrize("field", [{"pool": 1}, {"answers": 1}, {"correct": 10**9}])
def test_counts_that_belong_to_no_requests_are_refused(field: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="answers"):
        changed(optimized={**TIMES.optimized.model_dump(), **field})
