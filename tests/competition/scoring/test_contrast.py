"""Two runs beside each other: what may be compared, and what a difference is worth."""

from __future__ import annotations

import math

import pytest

from tests.competition.conftest import known_run, make_run, model_record
from tinytorch.benchmarking.records.metrics import Memory
from tinytorch.benchmarking.records.work import Work
from tinytorch.benchmarking.statistics import Verdict
from tinytorch.competition.record.run import Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.contrast import PROCESSOR, RECIPE, SAME_MACHINE, TASK, Contrast, contrast

RULES = load_rules()
WELCH = 1.96 * math.hypot(0.01, 0.01)  # the half width that the spread of two sessions gives alone
OTHER = {
    str: "another", int: 99, float: 0.5, type(None): "another",
}  # fmt: skip


def later(seed: int = 20, baseline_ns: int = 1_000_000, **measured: int) -> Run:
    """Another session of the same pair: other samples."""
    run = make_run()
    usual = {"typical_ns": 200_000, "kept_bytes": 3_000_000, "correct": 348}
    optimized = model_record("prune", seed, **{**usual, **measured})
    baseline = model_record("digits_mlp baseline", seed + 1, baseline_ns, run.baseline.metrics.memory.kept_bytes, 350)
    baseline = baseline.model_copy(update={"artifact_sha256": run.baseline.artifact_sha256})
    return run.model_copy(update={"id": "20260302T120030Z-0a1b2c3d", "baseline": baseline, "optimized": optimized})


def found(first: Run, second: Run) -> dict[str, Contrast]:
    return {each.figure: each for each in contrast(first, second, RULES)}


def test_two_sessions_of_one_pair_show_no_difference() -> None:
    verdicts = {each.verdict for each in found(make_run(), later()).values()}

    assert verdicts == {Verdict.NO_DETECTABLE_DIFFERENCE}


def test_what_is_better_is_said_so() -> None:
    """Twice as fast, half as large, ten more right."""
    second = found(make_run(), later(typical_ns=100_000, kept_bytes=1_500_000, correct=358))

    assert {each.verdict for name, each in second.items() if name != "baseline time"} == {Verdict.BETTER}
    assert second["speedup"].change == pytest.approx(2, rel=0.05)
    assert second["optimized time"].change == pytest.approx(0.5, rel=0.05)
    assert second["memory"].change == 0.5


def counting(run: Run, flops: int | None) -> Run:
    work = None if flops is None else Work(flops=flops, weight_bytes=10, moved_bytes=100)
    return run.model_copy(update={"optimized": run.optimized.model_copy(update={"work": work})})


def test_counted_work_is_compared_exactly() -> None:
    both = found(counting(make_run(), 200), counting(later(), 100))

    assert (both["FLOPs"].change, both["FLOPs"].verdict) == (0.5, Verdict.BETTER)
    assert (both["bytes moved"].change, both["bytes moved"].verdict) == (1.0, Verdict.NO_DETECTABLE_DIFFERENCE)


@pytest.mark.parametrize(("first", "second"), [(None, 100), (100, None), (0, 100)])
def test_work_that_one_does_not_know_is_not_compared(first: int | None, second: int | None) -> None:
    both = found(counting(make_run(), first), counting(later(), second))

    assert (both["FLOPs"].change, both["FLOPs"].reason) == (None, "cannot be counted in both")


def told(run: Run, **changed: float) -> Run:
    """The other run of two on one machine: another entry, in a session of its own."""
    return known_run(**changed).model_copy(update={"id": "20260302T120030Z-0a1b2c3d", "baseline": run.baseline})


def test_a_difference_is_shortened_by_what_the_machine_may_have_done_for_either() -> None:
    """The second is 7 % faster, in a session whose baseline took 7 % longer than at best; so it may be none."""
    first = known_run()
    busy = known_run(baseline=1.07, typical_ns=200_000).model_copy(update={"id": "20260302T120030Z-0a1b2c3d"})
    calm, moved = found(first, told(first, typical_ns=187_000))["speedup"], found(first, busy)["speedup"]

    assert calm.change == pytest.approx(1.07, rel=0.01)
    assert calm.verdict is Verdict.BETTER
    assert moved.change == pytest.approx(1.07, rel=0.01)
    assert (moved.verdict, moved.p_value) == (Verdict.NO_DETECTABLE_DIFFERENCE, pytest.approx(1, abs=0.3))
    assert moved.interval.upper == pytest.approx(calm.interval.upper, rel=0.01)
    assert moved.interval.lower == pytest.approx(calm.interval.lower / 1.07, rel=0.01)


def test_what_it_may_have_done_for_the_first_reaches_the_other_way() -> None:
    busy = known_run(baseline=1.07)
    calm = known_run().model_copy(update={"id": "20260302T120030Z-0a1b2c3d"})
    moved = found(busy, calm)["speedup"]

    assert moved.verdict is Verdict.NO_DETECTABLE_DIFFERENCE
    assert moved.interval.lower == pytest.approx(1 / 1.07 / math.exp(WELCH), rel=0.01)
    assert moved.interval.upper == pytest.approx(1.0 * math.exp(WELCH), rel=0.01)


def test_a_percent_between_two_sessions_is_chance_however_small_their_own_errors() -> None:
    """`session_spread` of both is beside them, for times as for speedups."""
    second = found(make_run(), later(typical_ns=198_000))

    for figure in ("speedup", "optimized time"):
        width = math.log(second[figure].interval.upper / second[figure].interval.lower)
        assert width > 2 * 1.96 * math.hypot(0.01, 0.01)
        assert second[figure].verdict is Verdict.NO_DETECTABLE_DIFFERENCE


def test_times_are_not_compared_where_the_baseline_took_another_time() -> None:
    """Then the machine was another one at that hour; the speedup still counts."""
    second = found(make_run(), later(baseline_ns=1_200_000, typical_ns=240_000))

    assert second["baseline time"].verdict is Verdict.WORSE
    assert (second["optimized time"].change, second["optimized time"].verdict) == (None, None)
    assert "the same baseline took another time" in second["optimized time"].reason
    assert second["speedup"].verdict is Verdict.NO_DETECTABLE_DIFFERENCE


FORBIDS = {
    **{key: {"speedup", "memory", "accuracy", "baseline time", "optimized time"} for key in TASK},
    **{key: {"speedup", "baseline time", "optimized time"} for key in RECIPE},
    **{key: {"baseline time", "optimized time"} for key in SAME_MACHINE},
    **{key: {"speedup"} for key in ("baseline.backend", "optimized.backend")},
    **{key: {"speedup", "baseline time", "optimized time"} for key in PROCESSOR if key in SAME_MACHINE},
}


@pytest.mark.parametrize("field", FORBIDS)
def test_a_field_that_differs_is_named_and_forbids_what_depends_on_it(field: str) -> None:
    record, name = field.split(".")
    second = later()
    part = getattr(second, record)
    other = part.model_copy(update={name: OTHER[type(getattr(part, name))] if name != "backend" else "numba"})
    compared = found(make_run(), second.model_copy(update={record: other}))

    forbidden = {
        figure for figure, each in compared.items() if field in {obstacle.field for obstacle in each.obstacles}
    }
    assert forbidden == FORBIDS[field]
    assert all(compared[figure].change is None for figure in forbidden)


@pytest.mark.parametrize(("metric", "figure"), [("latency", "speedup"), ("memory", "memory"), ("accuracy", "accuracy")])
def test_what_was_not_measured_in_both_has_a_reason(metric: str, figure: str) -> None:
    second = later()
    metrics = second.optimized.metrics.model_copy(update={metric: None})
    bare = second.model_copy(update={"optimized": second.optimized.model_copy(update={"metrics": metrics})})

    assert found(make_run(), bare)[figure].reason


def test_a_model_that_another_technique_compiled_may_be_compared() -> None:
    second = later()
    other = second.source.model_copy(update={"sha256": "c" * 64})
    compiled = second.optimized.model_copy(update={"backend": "numba"})

    assert found(make_run(), second.model_copy(update={"source": other, "optimized": compiled}))["speedup"].change


def test_sizes_that_were_counted_otherwise_are_not_compared() -> None:
    """Before schema 3.2 neither artifact nor code counted."""
    second = later()
    former = Memory.from_bytes(3_000_000, 3_000_500, 10_000, [], None)
    metrics = second.optimized.metrics.model_copy(update={"memory": former})
    before = second.model_copy(update={"optimized": second.optimized.model_copy(update={"metrics": metrics})})

    assert "before schema 3.2" in found(make_run(), before)["memory"].reason
