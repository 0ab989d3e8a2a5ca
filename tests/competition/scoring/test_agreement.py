"""Claim and re-run: compatible within what both sessions and their machines may differ by."""

from __future__ import annotations

import math
import random

import pytest

from tests.competition.conftest import make_run
from tinytorch.competition.record.run import Measurement, Run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.agreement import Agreement, _known_variance, agreements

RULES = load_rules()


def speed(claimed: Run, here: Run) -> Agreement:
    return agreements(claimed, here, RULES)[0]


def on(run: Run, **info: object) -> Run:
    return run.model_copy(update={"system_info": run.system_info.model_copy(update=info)})


def test_a_run_agrees_with_itself() -> None:
    assert [each.judgement for each in agreements(make_run(), make_run(), RULES)] == ["compatible"] * 3


@pytest.mark.parametrize(("factor", "judgement"), [(1.03, "compatible"), (1.25, "differs"), (2.0, "far above")])
def test_a_claim_that_is_so_many_times_as_fast(factor: float, judgement: str) -> None:
    assert speed(make_run(), make_run(typical_ns=round(200_000 * factor))).judgement == judgement


def test_a_claim_below_the_rerun_differs_too() -> None:
    assert speed(make_run(), make_run(typical_ns=150_000)).judgement == "differs"


@pytest.mark.parametrize("other", [{"cpu_model": "another"}, {"logical_cores": 64}])
def test_of_another_class_of_machine_nobody_can_say(other: dict[str, object]) -> None:
    found = speed(on(make_run(), **other), make_run(typical_ns=900_000))

    assert (found.judgement, "another class of machine" in str(found.reason)) == ("cannot say", True)


def test_another_backend_is_another_installation() -> None:
    here = make_run()
    other = here.model_copy(update={"optimized": here.optimized.model_copy(update={"backend": "numba"})})

    assert "another installation" in str(speed(here, other).reason)


def test_of_a_machine_that_is_not_named_nobody_can_say() -> None:
    claimed = make_run()
    found = agreements(Measurement(**{**dict(claimed), "system_info": None}), claimed, RULES)[0]

    assert (found.judgement, found.reason) == (
        "cannot say", "the submission does not say what machine it was measured on"
    )  # fmt: skip


def test_what_the_machines_may_have_moved_is_no_difference() -> None:
    """8 % apart, on a machine that nobody knows."""
    assert speed(make_run(), make_run(typical_ns=216_000)).judgement == "compatible"


def test_both_sessions_have_a_spread_and_so_have_machines() -> None:
    spreads = RULES.significance.session_spread, RULES.verifying.machine_spread

    assert _known_variance(make_run(), make_run(), RULES) == pytest.approx(2 * spreads[0] ** 2 + spreads[1] ** 2)


def test_sizes_agree_to_the_byte() -> None:
    assert agreements(make_run(), make_run(kept_bytes=3_000_001), RULES)[1].judgement == "differs"


@pytest.mark.parametrize(("correct", "judgement"), [(348, "compatible"), (342, "compatible"), (330, "differs")])
def test_accuracy_may_lie_below_the_claim_by_chance_alone(correct: int, judgement: str) -> None:
    assert agreements(make_run(), make_run(correct=correct), RULES)[2].judgement == judgement


def test_an_accuracy_above_the_claim_is_nobody_s_fault() -> None:
    assert agreements(make_run(correct=330), make_run(), RULES)[2].judgement == "compatible"


def test_one_wrong_answer_does_not_refute_a_claim_of_none() -> None:
    whole = make_run().optimized.metrics.accuracy.total
    perfect, one_less = make_run(correct=whole), make_run(correct=whole - 1)

    assert agreements(perfect, one_less, RULES)[2].judgement == "compatible"


@pytest.mark.parametrize(("moved", "least", "most"), [(1.0, 0, 8), (1.25, 95, 100)])
def test_of_100_pairs_of_sessions(moved: float, least: int, most: int) -> None:
    """Each is off by a spread of its own and its machine's: honest claims agree, those that are larger do not."""
    generator, differing = random.Random(1), 0
    for _ in range(100):
        here = make_run(typical_ns=round(200_000 * moved * math.exp(generator.gauss(0, 0.03))))
        differing += speed(make_run(), here).judgement != "compatible"

    assert least <= differing <= most
