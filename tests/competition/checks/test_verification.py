"""What a re-run shows beside the claim: each check holds, and fails on what it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.competition.conftest import make_run
from tinytorch.benchmarking.records.session import Doubt
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.checks.verification import CHECKS, Isolation, Rerun, digests, findings_of
from tinytorch.competition.record.run import FileRecord, SourceRecord
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.packaging import submission_from_run

ENTRY = SourceRecord(
    kind="entry", name="mine.py", sha256="a" * 64, division="closed", techniques=[],
    helpers=[FileRecord(name="tools.py", sha256="b" * 64)], data=[FileRecord(name="w.npy", sha256="c" * 64)],
)  # fmt: skip
BOX = Isolation("A", 22, (), ("ptrace",), hides_labels=True)


def claimed() -> Submission:
    run = make_run().model_copy(update={"source": ENTRY})
    return Submission.model_validate(submission_from_run(run, event="all_around", athlete_name="Ada"))


GOOD = Rerun(claimed(), load_rules(), BOX, given=digests(ENTRY), run=make_run())


def found(rerun: Rerun, name: str) -> Finding:
    return next(finding for finding in findings_of(rerun) if finding.name == name)


def busy() -> Any:
    run = make_run()
    doubt = Doubt(code="busy", evidence="other programs ran", advice="wait")
    return run.model_copy(update={"protocol": run.protocol.model_copy(update={"doubts": [doubt]})})


NEGATIVE: dict[str, Callable[[], Rerun]] = {
    "isolation": lambda: replace(GOOD, isolation=replace(BOX, open=("ptrace",))),
    "same_entry": lambda: replace(GOOD, given={**digests(ENTRY), "tools.py": "f" * 64}),
    "builds": lambda: replace(GOOD, run=None, fault="optimize ran past 300 s"),
    "speed_repeats": lambda: replace(GOOD, run=make_run(typical_ns=250_000)),
    "accuracy_repeats": lambda: replace(GOOD, run=make_run(correct=320)),
    "memory_repeats": lambda: replace(GOOD, run=make_run(kept_bytes=3_000_001)),
    "undisturbed": lambda: replace(GOOD, run=busy()),
    "labels_hidden": lambda: replace(GOOD, isolation=replace(BOX, hides_labels=False)),
    "rerun_valid": lambda: replace(GOOD, invalid="TO-E01 constraints: accuracy 84.1 %"),
}


def test_all_hold_of_an_entry_that_repeats() -> None:
    assert [finding.passed for finding in findings_of(GOOD)] == [True] * len(CHECKS)


def test_every_check_has_its_negative_control() -> None:
    assert list(NEGATIVE) == [check.name for check in CHECKS]


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_check_fails_on_what_it_is_for(name: str) -> None:
    failed = found(NEGATIVE[name](), name)

    assert (failed.passed, bool(failed.mend)) == (False, True)


def test_a_plain_process_is_no_isolation_whatever_it_blocks() -> None:
    assert found(replace(GOOD, isolation=Isolation("C", 22, (), ())), "isolation").passed is None


def test_a_probe_that_nothing_depends_on_may_be_open() -> None:
    assert found(replace(GOOD, isolation=replace(BOX, open=("keyring",))), "isolation").passed is True


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "there is no mine.py beside"),
        ({"entry.py": "a" * 64}, "tools.py, w.npy is missing"),
        ({**digests(ENTRY), "entry.py": "f" * 64}, "entry.py is another one than was measured"),
        ({**digests(ENTRY), "more.py": "d" * 64}, "more.py was not there when it was measured"),
    ],
)
def test_another_entry_is_named(given: dict[str, str] | None, words: str) -> None:
    assert words in found(replace(GOOD, given=given), "same_entry").message


def test_a_speed_far_above_what_repeats_is_an_error_and_one_that_differs_a_warning() -> None:
    far, differs = (found(replace(GOOD, run=make_run(typical_ns=ns)), "speed_repeats") for ns in (400_000, 250_000))

    assert (far.severity, differs.severity) == ("error", "warning")


def test_what_was_not_measured_again_could_not_be_checked() -> None:
    unmeasured = findings_of(replace(GOOD, run=None))

    assert {finding.name for finding in unmeasured if finding.passed is None} == {
        "builds", "speed_repeats", "accuracy_repeats", "memory_repeats", "undisturbed", "rerun_valid"
    }  # fmt: skip
