"""Records: what is derived from raw samples, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tinytorch.benchmarking.bits import pack_bits, unpack_bits
from tinytorch.benchmarking.comparison import compare_accuracy, compare_latency
from tinytorch.benchmarking.records.latency import Latency
from tinytorch.benchmarking.records.metric import Metric
from tinytorch.benchmarking.records.metrics import (
    METRIC_RECORDS,
    Accuracy,
    FreshAnswers,
    Memory,
    Metrics,
    ModelRecord,
    Throughput,
)
from tinytorch.benchmarking.records.work import Work
from tinytorch.marks import own, with_its_own
from tinytorch.units import METRICS, UNITS

SLOW = [[[2_000_000, 2_000_100]], [[2_010_000, 2_020_000]], [[1_990_000, 1_999_000]], [[2_003_000, 2_004_000]]]
FAST = [[[1_000_000, 1_000_100]], [[1_006_000, 1_010_000]], [[995_000, 999_000]], [[1_001_000, 1_003_000]]]
SESSION = "0123456789abcdef"


@given(st.lists(st.booleans(), max_size=100))
def test_bits_come_back_as_they_went(bits: list[bool]) -> None:
    assert unpack_bits(pack_bits(bits), len(bits)) == bits


def test_the_first_sample_is_the_highest_bit() -> None:
    assert pack_bits([True, False, False]) == "80"


def test_latency_is_in_milliseconds_per_call() -> None:
    assert Latency.from_samples([[[4_000_000]]], calls_per_sample=4, copies_per_unit=1).mean == 1.0


def test_memory_is_in_megabytes_of_a_million_bytes() -> None:
    assert Memory.from_bytes(12_902_440).mean == 12.90244


def test_accuracy_keeps_its_integers() -> None:
    accuracy = Accuracy.from_correctness([True, True, False, True])

    assert (accuracy.correct, accuracy.total, accuracy.mean) == (3, 4, 0.75)


def test_throughput_is_samples_per_second_of_the_median_pass() -> None:
    assert Throughput.from_samples([1_000_000, 9_000_000, 2_000_000], batch_size=10).mean == 5000


def test_samples_of_one_session_are_compared_in_pairs() -> None:
    comparison = compare_latency(Latency.from_samples(SLOW, 1, 1, SESSION), Latency.from_samples(FAST, 1, 1, SESSION))

    assert comparison.p_value is not None
    assert comparison.ci_lower < comparison.estimate < comparison.ci_upper


def test_batches_of_different_size_still_compare_single_calls() -> None:
    doubled = [[[2 * ns for ns in block] for block in blocks] for blocks in FAST]
    comparison = compare_latency(
        Latency.from_samples(SLOW, 1, 1, SESSION), Latency.from_samples(doubled, 2, 1, SESSION)
    )

    assert comparison.estimate == pytest.approx(2, rel=0.01)


def test_samples_of_two_sessions_have_no_p_value() -> None:
    comparison = compare_latency(Latency.from_samples(SLOW, 1, 1, "0" * 16), Latency.from_samples(FAST, 1, 1, "1" * 16))

    assert (comparison.p_value, comparison.reason) == (None, "measured one after the other")


def test_a_claimed_latency_has_no_p_value() -> None:
    assert compare_latency(Latency.given(100.0), Latency.given(40.0)).estimate == 2.5


def test_accuracy_is_compared_sample_by_sample() -> None:
    better = compare_accuracy(Accuracy.from_correctness([False] * 9), Accuracy.from_correctness([True] * 9))

    assert (better.estimate, better.verdict, better.p_value) == (1.0, "better", pytest.approx(2 / 2**9))


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "1"])
def test_a_latency_that_is_no_positive_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Latency(mean_ns=value)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (
            Latency.from_samples([[[300_000]], [[310_000]], [[320_000]], [[330_000]]], 1, 1),
            "Latency(0.315 ms [0.294, 0.336])",
        ),
        (Memory.from_bytes(12_900_000), "Memory(12.9 MB [12.9, 12.9])"),
        (Latency.given(1.5), "Latency(1.50 ms)"),
        (Throughput.from_samples([1_000_000], 10), "Throughput(10000 samples/s)"),
    ],
    ids=repr,
)
def test_a_record_shows_what_it_says_and_not_its_samples(record: Metric, shown: str) -> None:
    assert repr(record) == str(record) == shown


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError):
        Memory(mean=1.0, weight=3)


def test_every_metric_says_its_unit() -> None:
    shown = {name: kind.given(0.5).unit for name, kind in METRIC_RECORDS.items() if name != "throughput"}

    assert {**shown, "throughput": "samples/s"} == UNITS
    assert set(METRIC_RECORDS) == set(Metrics.model_fields) == {*METRICS, "throughput"}


@pytest.mark.parametrize(
    "record",
    [
        Latency.from_samples(SLOW, 3, 1, SESSION),
        Memory.from_bytes(12, 34, 56),
        Accuracy.from_correctness([True, False]),
        Throughput.from_samples([1, 2, 3], 5),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_measured_record_derives_itself_again(record: Metric) -> None:
    forged = record.model_copy(update={"mean_ns" if isinstance(record, Latency) else "mean": 0.5})

    assert record.has_raw_samples
    assert forged.recomputed() == record


@pytest.mark.parametrize("kind", [Latency, Memory, Accuracy])
def test_from_a_bare_number_nothing_but_the_number_follows(kind: type[Metric]) -> None:
    record = kind.given(0.5)
    other = {"std_ns" if kind is Latency else "std": 0.1}

    assert not record.has_raw_samples
    assert record.model_copy(update=other).recomputed() == record


def lifted(times: list[list[list[int]]], every: int) -> list[list[list[int]]]:
    """Contention in all blocks but each `every`th: half as long again."""
    return [
        [block if index % every == 0 else [ns * 3 // 2 for ns in block] for index, block in enumerate(blocks)]
        for blocks in times
    ]


BLOCKS = [[[1_000_000 + 1_000 * unit + block] for block in range(40)] for unit in range(4)]


def test_contention_in_most_blocks_changes_nothing() -> None:
    latency = Latency.from_samples(lifted(BLOCKS, 8), 1, 1, SESSION)

    assert latency.mean == Latency.from_samples(BLOCKS, 1, 1, SESSION).mean
    assert latency.typical > 1.4


def test_three_units_have_no_interval() -> None:
    assert Latency.from_samples(SLOW[:3], 1, 1, SESSION).ci_lower is None


def test_being_fast_in_one_call_of_forty_wins_nothing() -> None:
    """A block of one call, as slow models have it: the quiet time alone would make this five times faster."""
    lucky = [[[block[0] // 5] if index == 7 else block for index, block in enumerate(unit)] for unit in BLOCKS]
    honest, lottery = (Latency.from_samples(times, 1, 1, SESSION) for times in (BLOCKS, lucky))
    comparison = compare_latency(honest, lottery)

    assert honest.mean / lottery.mean > 4
    assert (comparison.basis, comparison.estimate) == ("typical", pytest.approx(1, abs=0.001))


def test_quiet_times_are_compared_where_both_models_are_as_steady() -> None:
    assert compare_latency(*(Latency.from_samples(BLOCKS, 1, 1, SESSION),) * 2).basis == "quiet"


def test_batches_have_no_spread_of_single_calls() -> None:
    batched, single = (Latency.from_samples(BLOCKS, calls, 1, SESSION) for calls in (2, 1))

    assert (batched.std, batched.p50, batched.p90) == (None, None, None)
    assert None not in (single.std, single.p50, single.p90)


@pytest.mark.parametrize("change", [{"correct": 2}, {"total": 9}, {"bitmap": "c0"}, {"bitmap": "c800"}])
def test_answers_to_new_inputs_are_as_many_as_their_bits_say(change: dict[str, object]) -> None:
    """Three of eight; a count that its bits do not bear out is refused."""
    answers = FreshAnswers.from_correctness([True, True, False, False, True, False, False, False])

    assert answers.right() == [True, True, False, False, True, False, False, False]
    with pytest.raises(ValueError, match="its bits are not those of"):
        FreshAnswers.model_validate({**answers.model_dump(), **change})


@pytest.mark.parametrize(
    ("kinds", "is_whole"),
    [
        (["Linear", "ReLU"], True),
        (None, False),
        ([own("Fast"), "ReLU"], False),
        ([with_its_own("Linear", "forward")], False),
    ],
)
def test_work_is_whole_where_every_layer_is_the_framework_s(kinds: list[str] | None, is_whole: bool) -> None:
    work = Work(flops=1, weight_bytes=1, moved_bytes=1)
    record = ModelRecord(name="model", layer_kinds=kinds, work=work, metrics=Metrics())

    assert record.whole_work == (work if is_whole else None)


def test_a_copy_with_other_samples_has_other_times() -> None:
    """What is derived from the samples is kept, and not copied."""
    latency = Latency.from_samples([[[8, 9], [8, 9]]], 1, 1)
    assert latency.times_ns is not None
    other = latency.model_copy(update={"samples_ns": ["1 2; 3 4"]})

    assert other.times_ns is not None
    assert other.times_ns.tolist() == [[[1, 2], [3, 4]]]
