"""What a run says of its machine is looked at before anything follows from it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.competition.conftest import STARTED, known_run
from tinytorch.competition.checks.validation import validate_submission
from tinytorch.competition.ranking.judged import judge_files
from tinytorch.competition.record.run import Run
from tinytorch.competition.scoring.packaging import submission_from_run

RUN = known_run(baseline=1.07)


def found(run: Run) -> dict[str, Any]:
    document = submission_from_run(run, event="all_around", athlete_name="Ada")
    (finding,) = (each for each in validate_submission(document)["checks"] if each["name"] == "known_machine")
    return finding


def told(**changed: Any) -> Run:
    """The run with another reference."""
    reference = RUN.protocol.reference.model_copy(update=changed)
    return RUN.model_copy(update={"protocol": RUN.protocol.model_copy(update={"reference": reference})})


def test_an_honest_reference_is_fine() -> None:
    assert found(RUN)["passed"] is True


def test_a_machine_that_nobody_knew_is_fine() -> None:
    assert found(known_run(hours=None))["passed"] is True


FORGED = {
    "another machine's": ({"key": "b" * 64}, "are of another machine or baseline: bbbbbbbb"),
    "from the end to the beginning": ({"since": STARTED}, "not taken in this order"),
    "twice what this run took": ({"baseline_ns": 2.2 * RUN.protocol.reference.baseline_ns}, "less than half of it"),
    "from the future": ({"until": STARTED + timedelta(hours=1)}, "before the run"),
    "more hours than there were": ({"hours": 26}, "there are no 26 clock hours"),
}


@pytest.mark.parametrize(("changed", "words"), FORGED.values(), ids=FORGED)
def test_a_reference_that_cannot_be_is_an_error(changed: dict[str, Any], words: str) -> None:
    assert words in found(told(**changed))["message"]


@pytest.mark.parametrize("time_ns", [1e-300, 1e300])
def test_a_time_that_nothing_takes_is_no_reference(time_ns: float) -> None:
    document = submission_from_run(RUN, event="all_around", athlete_name="Ada")
    document["run"]["protocol"]["reference"]["yardstick_ns"] = time_ns
    found = validate_submission(document)

    assert [each["name"] for each in found["checks"] if each["passed"] is False] == ["schema"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_no_time_zone_can_tell_is_refused(moment: str) -> None:
    document = submission_from_run(RUN, event="all_around", athlete_name="Ada")
    document["run"]["protocol"]["started_at"] = moment
    (judged,) = judge_files(["a.json"], read=lambda name: json.dumps(document).encode())

    assert "TO-F10 schema" in judged.reason


def test_the_hour_of_the_run_itself_may_be_known() -> None:
    assert found(told(until=STARTED))["passed"] is True


def test_a_digest_that_is_missing_is_an_error() -> None:
    baseline = RUN.baseline.model_copy(update={"artifact_sha256": None})

    assert "not named" in found(RUN.model_copy(update={"baseline": baseline}))["message"]


def test_the_file_recomputes_with_all_that_the_machine_did() -> None:
    """And who makes the baseline's own reference slower has another interval."""
    document = submission_from_run(RUN, event="all_around", athlete_name="Ada")
    document["run"]["protocol"]["reference"]["baseline_ns"] *= 1.07
    checks = {each["name"]: each for each in validate_submission(document)["checks"]}

    assert "derived.statistics.speedup" in checks["statistics"]["message"]
    assert "disturbance.down" in checks["statistics"]["message"]
