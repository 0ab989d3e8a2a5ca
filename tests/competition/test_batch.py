"""Many files in one call: order, bad ones among good ones, and samples that two athletes share."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinytorch.benchmarking.records import Latency
from tinytorch.competition.reports import Report
from tinytorch.competition.run import Run
from tinytorch.competition.submission import Submission, submission_from_run
from tinytorch.competition.validation import validate_files

Document = dict[str, Any]
Save = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a submission under an athlete's name, sealed again, and gives its path."""

    def write(submission: Document, athlete: str, file: str = "") -> str:
        document = {**submission, "athlete_name": athlete}
        sealed = Submission.model_validate_json(json.dumps(document)).sealed()
        path = tmp_path / f"{file or athlete}.json"
        path.write_text(sealed.model_dump_json())
        return str(path)

    return write


@pytest.fixture
def other(make_run: Callable[..., Run]) -> Document:
    """A run of its own, as its samples show."""
    run = make_run()
    document = json.loads(run.model_dump_json())
    for role in ("baseline", "optimized"):
        latency = document[role]["metrics"]["latency"]
        samples = [[[sample + 7 * index for index, sample in enumerate(block)] for block in blocks]
                   for blocks in latency["samples_ns"]]  # fmt: skip
        fresh = Latency.from_samples(samples, 1, 1, latency["session"])
        document[role]["metrics"]["latency"] = fresh.model_dump(mode="json")
    return submission_from_run(Run.model_validate_json(json.dumps(document)), event="all_around", athlete_name="B")


def duplicates(reports: list[Report]) -> list[bool | None]:
    """What each report says about shared samples."""
    return [finding.passed for each in reports for finding in each.findings if finding.name == "duplicated_samples"]


def test_results_come_in_the_order_of_the_files_and_a_bad_one_stops_nothing(
    submission: Document, save: Save, tmp_path: Path
) -> None:
    """A missing file and a broken one are findings between two good ones."""
    (tmp_path / "broken.json").write_text("{")
    names = [save(submission, "Ada", "last"), "missing.json", str(tmp_path / "broken.json"), save(submission, "Ada")]
    reports = list(validate_files(names))

    assert [report.source for report in reports] == names
    assert [report.valid for report in reports] == [True, False, False, True]


def test_two_athletes_with_the_same_samples_are_both_told(submission: Document, other: Document, save: Save) -> None:
    """Which one copied, no file tells; a third with samples of its own is left alone."""
    names = [save(submission, "Ada"), save(other, "Bob"), save(submission, "Eve")]
    reports = list(validate_files(names))
    finding = reports[0].findings[-1]

    assert duplicates(reports) == [False, True, False]
    assert all(report.valid for report in reports)
    assert not reports[0].strict().valid
    assert finding.evidence == {"placements": 12, "other": names[2]}


def test_a_few_shared_placements_are_found(submission: Document, other: Document, save: Save) -> None:
    """Copying a part is copying."""
    mixed = copy.deepcopy(other)
    mixed["baseline"]["metrics"]["latency"]["samples_ns"][2] = submission["baseline"]["metrics"]["latency"][
        "samples_ns"
    ][4]
    reports = list(validate_files([save(submission, "Ada"), save(mixed, "Bob")]))

    assert duplicates(reports) == [False, False]


def test_one_athlete_may_enter_one_run_for_several_events(submission: Document, save: Save) -> None:
    """The same samples under the same name are no copy."""
    assert duplicates(list(validate_files([save(submission, "Ada", "a"), save(submission, "Ada", "b")]))) == [
        True,
        True,
    ]


def test_alone_there_is_nothing_to_compare_with(submission: Document, save: Save) -> None:
    """Could not check, and why."""
    (report,) = validate_files([save(submission, "Ada"), "missing.json"][:1])

    assert duplicates([report]) == [None]
    assert "no other submission" in report.findings[-1].message


def test_no_file_gives_no_report() -> None:
    """An empty call is not an error here."""
    assert list(validate_files([])) == []
