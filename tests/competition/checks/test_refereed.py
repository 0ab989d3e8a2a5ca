"""What a referee finds: each check of T3 holds of an honest entry, and fails on what it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.competition.checks.test_verification import ENTRY, found
from tests.competition.checks.test_verification import GOOD as REPEATING
from tests.competition.conftest import make_run
from tests.competition.refereed import both, outside_times, redraw, refereed, requests, right
from tinytorch.competition.checks.findings import is_valid
from tinytorch.competition.checks.verification import CHECKS, REFEREED, Rerun, findings_of, no_t3
from tinytorch.competition.record.refereed import Right
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.scoring.packaging import submission_from_run

GOOD = replace(REPEATING, refereed=refereed())


def being(**changed: Any) -> Rerun:
    return replace(GOOD, refereed=refereed(**changed))


def small(optimized_ns: float) -> Rerun:
    """An entry so fast, which was claimed and measured so from inside."""
    run = make_run(typical_ns=round(optimized_ns))
    claimed = Submission.model_validate(
        submission_from_run(run.model_copy(update={"source": ENTRY}), event="all_around", athlete_name="Ada")
    )
    found = refereed(
        outside=outside_times(optimized_ns=optimized_ns, inputs=(3, 100)),
        redraws=[redraw(1, speedup=1e6 / optimized_ns)],
    )
    return replace(GOOD, claimed=claimed, run=run, refereed=found)


CONTROLS: dict[str, Callable[[], Rerun]] = {
    "clocks_agree": lambda: being(outside=outside_times(optimized_ns=250_000)),
    "chained": lambda: being(outside=outside_times(distinct=0.8)),
    "timed_accuracy": lambda: being(outside=outside_times(right=0.9)),
    "private_accuracy": lambda: being(private=both(0.97, 0.88)),
    "robust": lambda: being(distorted=both(0.95, 0.80)),
    "redrawn": lambda: being(redraws=[redraw(1, 0.90), redraw(2, None)]),
    "idle": lambda: being(idle_share=0.9),
    "memory_grows": lambda: being(grown_bytes=80_000_000),
}
MORE: dict[str, Callable[[], Rerun]] = {
    "chained: a small pool": lambda: being(outside=outside_times(pool=60)),
    "idle: while others are asked": lambda: being(outside=outside_times(unasked=0.2)),
    "idle: a process": lambda: being(left_behind=["the process sleep"]),
    "redrawn: as good, and slow": lambda: being(redraws=[redraw(1, speedup=3.0), redraw(2, speedup=9.0)]),
    "far": lambda: being(outside=outside_times(optimized_ns=600_000)),
    "too fast": lambda: small(3_000),
    "too short": lambda: being(outside=outside_times(20_000, 4_000, (1, 1))),
}
CONTROLS |= MORE


def test_all_hold_of_an_honest_entry_and_it_is_refereed() -> None:
    findings = findings_of(GOOD)

    assert [finding.passed for finding in findings] == [True] * len((*CHECKS, *REFEREED))
    assert no_t3(GOOD, findings) == ""


def test_every_check_has_its_negative_control() -> None:
    assert [check.name for check in REFEREED] == [name for name in CONTROLS if name not in MORE]


@pytest.mark.parametrize("name", [check.name for check in REFEREED])
def test_a_check_fails_on_what_it_is_for_and_no_other_does(name: str) -> None:
    failed = [finding for finding in findings_of(CONTROLS[name]()) if finding.passed is False]

    assert [(finding.name, bool(finding.mend)) for finding in failed] == [(name, True)]


@pytest.mark.parametrize("name", [name for name in MORE if ":" in name])
def test_each_half_of_a_check_fails_alone(name: str) -> None:
    failed = [finding.name for finding in findings_of(MORE[name]()) if finding.passed is False]

    assert failed == [name.partition(":")[0]]


def test_what_t2_checks_is_all_that_is_checked_where_nobody_referees() -> None:
    assert len(findings_of(REPEATING)) == len(CHECKS)


def test_clocks_that_are_far_apart_are_an_error_and_others_a_warning() -> None:
    differ, far = (found(CONTROLS[name](), "clocks_agree") for name in ("clocks_agree", "far"))

    assert (differ.severity, far.severity) == ("warning", "error")


def test_a_redraw_that_is_only_slower_is_a_warning() -> None:
    worse, slower = (found(CONTROLS[name](), "redrawn") for name in ("redrawn", "redrawn: as good, and slow"))

    assert (worse.severity, slower.severity) == ("error", "warning")


def test_one_of_two_redraws_is_enough() -> None:
    one = being(redraws=[redraw(1, None), redraw(2)])

    assert found(one, "redrawn").passed is True
    assert "holds on 1 of 2 redrawn baselines" in found(one, "redrawn").message


def test_what_the_redrawn_baseline_does_worse_is_not_the_entrys_fault() -> None:
    worse = redraw(1, 0.86).model_copy(update={"baseline": right(0.87)})

    assert found(being(redraws=[worse]), "redrawn").passed is True


def test_harder_private_data_are_harder_for_the_baseline_too() -> None:
    assert found(being(private=both(0.80, 0.79)), "private_accuracy").passed is True


def test_few_private_samples_prove_little() -> None:
    few = both(0.97, 0.90).model_copy(update={"optimized": Right(correct=27, total=30)})

    assert found(being(private=few), "private_accuracy").passed is True


def test_tokens_of_one_answer_are_not_counted_as_independent() -> None:
    """6,400 tokens of 100 prompts: four points below what is expected are chance."""
    tokens = Right(correct=5_600, total=6_400, tokens=64)
    private = both(0.97, 0.90).model_copy(update={"optimized": tokens})

    assert found(being(private=private), "private_accuracy").passed is True


@pytest.mark.parametrize(
    ("rerun", "words"),
    [
        (being(private=None), "there are no private data for digits_mlp: --private FILE"),
        (being(redraws=[]), "no baseline was trained again"),
        (small(3_000), "an answer takes 2.9"),
        (being(outside=outside_times(20_000, 4_000, (1, 1))), "below 5.00 us no clock outside tells enough"),
        (being(outside=outside_times(50_000, 10_000, (1, 1))), "asking takes 40"),
        (replace(GOOD, isolation=replace(GOOD.isolation, tier="B")), "a box of tier A"),
        (replace(GOOD, isolation=replace(GOOD.isolation, open=("keyring",))), "every probe is blocked"),
        (being(grown_bytes=None), "its process was not looked at"),
    ],
)
def test_what_is_missing_for_the_level_is_said(rerun: Rerun, words: str) -> None:
    findings = findings_of(rerun)

    assert is_valid(findings)
    assert words in no_t3(rerun, findings)


def test_without_distorted_copies_it_may_be_refereed_all_the_same() -> None:
    text = being(distorted=None)

    assert no_t3(text, findings_of(text)) == ""


def test_times_are_without_what_the_asking_takes() -> None:
    first, second = outside_times().latencies

    assert first.mean_ns == pytest.approx(1_000_000, rel=0.01)
    assert second.mean_ns == pytest.approx(200_000, rel=0.01)


def test_a_file_whose_counts_contradict_one_another_is_refused() -> None:
    with pytest.raises(ValueError, match="more answers are right"):
        requests(1, 3, 1_000.0, correct=20_000)
