"""Many files in one call: order, bad ones among good ones, and samples that two athletes share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.competition.conftest import put_times, times_of
from tinytorch.competition.checks.batch import Ledger
from tinytorch.competition.checks.traces import Traces
from tinytorch.competition.grading.roster import Roster
from tinytorch.competition.ranking.judged import Judged, judge_files
from tinytorch.competition.record.people import Athlete, Person
from tinytorch.competition.record.run import Run
from tinytorch.competition.record.submission import Submission
from tinytorch.competition.scoring.packaging import submission_from_run

Document = dict[str, Any]
Save = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a submission under an athlete's name, sealed again, and gives its path."""

    def write(submission: Document, athlete: str, file: str = "") -> str:
        document = copy.deepcopy(submission)
        document["declaration"]["athlete"]["name"] = athlete
        sealed = Submission.model_validate(document).sealed()
        path = tmp_path / f"{file or athlete}.json"
        path.write_text(sealed.model_dump_json())
        return str(path)

    return write


@pytest.fixture
def other(make_run: Callable[..., Run]) -> Document:
    """A run of its own, as its samples show."""
    document = submission_from_run(make_run(), event="all_around", athlete_name="B")
    for role in ("baseline", "optimized"):
        times = times_of(document, role)
        put_times(document, role, times + 7 * np.arange(times.shape[2]))
    return submission_from_run(Run.model_validate(document["run"]), event="all_around", athlete_name="B")


def duplicates(reports: list[Judged]) -> list[bool | None]:
    """What each report says about shared samples."""
    return [finding.passed for each in reports for finding in each.findings if finding.name == "duplicated_samples"]


def test_results_come_in_the_order_of_the_files_and_a_bad_one_stops_nothing(
    submission: Document, save: Save, tmp_path: Path
) -> None:
    """A missing file and a broken one are findings between two good ones."""
    (tmp_path / "broken.json").write_text("{")
    names = [save(submission, "Ada", "last"), "missing.json", str(tmp_path / "broken.json"), save(submission, "Ada")]
    reports = list(judge_files(names))

    assert [report.source for report in reports] == names
    assert [report.valid for report in reports] == [True, False, False, True]


def test_two_athletes_with_the_same_samples_are_both_told(submission: Document, other: Document, save: Save) -> None:
    """Where both were handed in at one time; a third with samples of its own is left alone."""
    names = [save(submission, "Ada"), save(other, "Bob"), save(submission, "Eve")]
    reports = list(judge_files(names))
    finding = reports[0].findings[-3]

    assert duplicates(reports) == [False, True, False]
    assert all(report.valid for report in reports)
    assert not reports[0].strict().valid
    assert finding.evidence == {"placements": 12, "other": names[2]}


def test_a_few_shared_placements_are_found(submission: Document, other: Document, save: Save) -> None:
    """Copying a part is copying; the one that was handed in before is not marked."""
    mixed = copy.deepcopy(other)
    copied, original = (each["run"]["baseline"]["metrics"]["latency"]["samples_ns"] for each in (mixed, submission))
    copied[2] = original[4]
    mixed["declaration"]["created_at"] = "2098-01-01T00:00:00Z"
    reports = list(judge_files([save(submission, "Ada"), save(mixed, "Bob")]))

    assert duplicates(reports) == [True, False]


def test_a_refused_copy_marks_nobody(submission: Document, save: Save) -> None:
    """However early it says that it was made."""
    copied = copy.deepcopy(submission)
    copied["declaration"]["created_at"] = "1999-01-01T00:00:00Z"
    reports = list(judge_files([save(submission, "Ada"), save(copied, "Mallory")]))

    assert [each.valid for each in reports] == [True, False]
    assert duplicates(reports) == [True, False]


def test_the_same_run_with_an_id_that_was_forgotten_is_no_copy(submission: Document, save: Save) -> None:
    """But two ids are two people, whatever their names."""
    ids = {}
    for id_ in (None, "17", "23"):
        document = copy.deepcopy(submission)
        document["declaration"]["athlete"]["id"] = id_
        ids[id_] = save(document, "Ada", f"{id_}")

    assert duplicates(list(judge_files([ids[None], ids["17"]]))) == [True, True]
    assert duplicates(list(judge_files([ids["17"], ids["23"]]))) == [False, False]


def test_one_athlete_may_enter_one_run_for_several_events(submission: Document, save: Save) -> None:
    """The same samples under the same name are no copy."""
    assert duplicates(list(judge_files([save(submission, "Ada", "a"), save(submission, "Ada", "b")]))) == [
        True,
        True,
    ]


def test_alone_there_is_nothing_to_compare_with(submission: Document, save: Save) -> None:
    """Could not check, and why."""
    (report,) = judge_files([save(submission, "Ada"), "missing.json"][:1])

    assert duplicates([report]) == [None]
    assert "no other submission" in report.findings[-2].message


def test_no_file_gives_no_report() -> None:
    """An empty call is not an error here."""
    assert list(judge_files([])) == []


SECONDS = {"the same span": (0, 30), "overlaps": (10, 40), "inside": (5, 20), "after": (31, 60), "next": (30, 50)}


def at(submission: Document, span: tuple[int, int], athlete: str = "Ada", python: str = "") -> Traces:
    """What is known of a submission whose run went on then."""
    begun = datetime(2026, 3, 1, 12, tzinfo=UTC)
    document = copy.deepcopy(submission)
    document["declaration"]["athlete"]["name"] = athlete
    run = document["run"]
    run["protocol"] |= {"started_at": (begun + timedelta(seconds=span[0])).isoformat(),
                             "ended_at": (begun + timedelta(seconds=span[1])).isoformat()}  # fmt: skip
    run["system_info"] |= {"python": python or run["system_info"]["python"]}
    return Traces.of(Submission.model_validate(document))


def overlapping(*left: Traces) -> dict[int, str]:
    """Which of them went on at the same time as which."""
    ledger = Ledger()
    for number, each in enumerate(left):
        ledger.add(f"{number}.json", each)
    return ledger.overlaps()


@pytest.mark.parametrize("how", SECONDS)
def test_two_runs_at_once_on_one_machine_are_told(submission: Document, how: str) -> None:
    """One run that was packaged twice is one, and one after the other is in order."""
    found = overlapping(at(submission, (0, 30)), at(submission, SECONDS[how]))

    assert found == ({0: "1.json", 1: "0.json"} if how in ("overlaps", "inside") else {})


def test_a_long_run_overlaps_all_that_went_on_meanwhile_however_often_each_was_packaged(submission: Document) -> None:
    """Not only the next one."""
    spans = [(0, 100), (10, 20), (30, 40), (30, 40), (100, 120)]

    assert {*overlapping(*(at(submission, span) for span in spans))} == {0, 1, 2, 3}


@pytest.mark.parametrize("other", [{"athlete": "Bob"}, {"python": "3.99"}])
def test_other_people_and_other_machines_may_measure_meanwhile(submission: Document, other: dict[str, str]) -> None:
    """A class has many machines of one kind."""
    assert overlapping(at(submission, (0, 30)), at(submission, (10, 40), **other)) == {}


def test_an_overlap_is_a_warning_with_the_other_file(submission: Document, save: Save) -> None:
    """And nothing is said of a time that is not known."""
    later = copy.deepcopy(submission)
    later["run"]["protocol"]["ended_at"] = "2026-03-01T12:00:29.500000Z"
    reports = list(judge_files([save(submission, "Ada", "a"), save(later, "Ada", "b")]))
    found = [report.findings[-2] for report in reports]

    assert [(finding.id, finding.passed, finding.severity) for finding in found] == [("TO-B02", False, "warning")] * 2
    assert found[0].evidence["other"].endswith("b.json")


@pytest.mark.parametrize(("ahead", "is_before_now"), [(-60, True), (60, True), (3600, False)])
def test_what_is_made_in_the_judge_s_future_is_told(submission: Document, ahead: float, is_before_now: bool) -> None:
    """Clocks of two machines may differ a little."""
    ledger, left = Ledger(), at(submission, (0, 30))
    ledger.add("a.json", left)
    *_, found = ledger.compared(left.submitted_s - ahead)(0)

    assert (found.id, found.passed, found.severity) == ("TO-B03", is_before_now, "warning")
    assert is_before_now or "made 1 hour from now" in found.message


def test_what_was_made_after_the_platform_received_it_is_told(submission: Document) -> None:
    ledger, left = Ledger(), at(submission, (0, 30))
    ledger.add("a.json", left, at_s=left.submitted_s - 7200)
    *_, found = ledger.compared(left.submitted_s)(0)

    assert found.passed is False
    assert found.message.endswith("made 2 hours after the platform received it")


def test_the_platform_s_time_tells_which_of_two_came_first(submission: Document) -> None:
    """Whatever the files say of themselves."""
    ada, mallory = at(submission, (0, 30)), at(submission, (0, 30), "Mallory")
    ledger = Ledger()
    ledger.add("ada.json", ada, at_s=100.0)
    ledger.add("mallory.json", replace(mallory, submitted_s=1.0), at_s=200.0)

    assert set(ledger.twins()) == {1}


def test_a_roster_tells_that_a_name_without_an_id_is_somebody_else(submission: Document) -> None:
    """A copy under its owner's name and the copier's own id."""
    roster = Roster((Person(name="Ada", id="17"), Person(name="Dan", id="23")))
    ada = at(submission, (0, 30))
    copied = replace(ada, athlete=Athlete(name="Ada", id="23"))
    ledger = Ledger(roster.may_be)
    ledger.add("ada.json", ada, at_s=1.0)
    ledger.add("dan.json", copied, at_s=2.0)

    assert set(ledger.twins()) == {1}


def test_many_copies_of_one_athlete_are_set_beside_two_files_and_not_beside_each_other(submission: Document) -> None:
    """Else ten thousand copies would keep a board busy for hours."""
    asked: list[int] = []

    def may_be(first: Athlete, second: Athlete) -> bool:
        asked.append(1)
        return first.may_be(second)

    ledger, left = Ledger(may_be), at(submission, (0, 30))
    for number in range(300):
        ledger.add(f"{number}.json", left)
    ledger.add("other.json", replace(left, athlete=Athlete(name="Bob")), at_s=left.submitted_s + 1)

    assert ledger.twins().keys() == {300}
    assert len(asked) < 4 * 301 * len(left.fingerprints)
