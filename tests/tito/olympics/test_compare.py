"""`compare` as a person sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.competition.conftest import known_run, make_run
from tests.competition.scoring.test_contrast import counting, later
from tinytorch.competition.record.run import RunFile


@pytest.fixture
def runs(beginner: Path) -> Path:
    """Two sessions of one pair."""
    (beginner / "a.json").write_text(RunFile.text(make_run()))
    (beginner / "b.json").write_text(RunFile.text(later(typical_ns=100_000)))
    return beginner


def test_two_runs_stand_beside_each_other(runs: Path, tito) -> None:
    done = tito("compare", "a.json", "b.json")

    assert done.code == 0
    assert "optimized time" in done.out
    assert "better" in done.out


def test_what_the_machine_may_have_done_is_said_of_each_run(beginner: Path, tito) -> None:
    """One of them was the machine's first: what the other one knows is used for both."""
    (beginner / "a.json").write_text(RunFile.text(known_run(baseline=1.07, hours=None)))
    other = known_run().model_copy(update={"id": "20260302T120030Z-0a1b2c3d"})
    (beginner / "b.json").write_text(RunFile.text(other))
    out = tito("compare", "a.json", "b.json").out

    assert "first: speedup" in out
    assert "the baseline took 7 % longer than this machine's best" in out
    assert "second: speedup" not in out


def test_the_document_has_every_figure(runs: Path, tito) -> None:
    document = tito("compare", "a.json", "b.json", "--json").json

    assert [each["figure"] for each in document["figures"]] == [
        "speedup", "memory", "accuracy", "baseline time", "optimized time"
    ]  # fmt: skip
    assert document["figures"][0]["verdict"] == "better"


def test_what_cannot_be_compared_at_all_is_a_finding_with_the_field(runs: Path, tito) -> None:
    other = json.loads(Path("b.json").read_text())
    other["run"]["task"]["name"] = "tinygpt"
    Path("b.json").write_text(json.dumps(other))
    done = tito("compare", "a.json", "b.json")

    assert done.code == 1
    assert "task.name differs: digits_mlp and tinygpt" in done.out
    figures = tito("compare", "a.json", "b.json", "--json").json["figures"]
    assert figures[0]["obstacles"][0] == {"field": "task.name", "first": "digits_mlp", "second": "tinygpt"}


@pytest.mark.parametrize(("flops", "code"), [(100, 0), (101, 1), (None, 5)])
def test_a_script_may_expect_no_more_work_of_the_second(runs: Path, tito, flops: int | None, code: int) -> None:
    (runs / "a.json").write_text(RunFile.text(counting(make_run(), 100)))
    (runs / "b.json").write_text(RunFile.text(counting(later(), flops)))
    done = tito("compare", "a.json", "b.json", "--expect", "no-more-work")

    assert (done.code, "expected no-more-work: " in done.err) == (code, True)


def test_nothing_else_is_expected_of_two_runs(runs: Path, tito) -> None:
    assert tito("compare", "a.json", "b.json", "--expect", "better").code == 2


def test_a_run_is_not_compared_with_itself(runs: Path, tito) -> None:
    assert tito("compare", "a.json", "a.json").code == 2


def test_a_file_that_is_no_run_is_refused(runs: Path, tito) -> None:
    Path("c.json").write_text("{}")
    done = tito("compare", "a.json", "c.json")

    assert done.code == 2
    assert "c.json is not a run record" in done.err


@pytest.mark.parametrize("command", [["score", "evil.json"], ["compare", "a.json", "evil.json"]])
def test_what_somebody_wrote_into_a_run_does_not_reach_the_screen(runs: Path, tito, command: list[str]) -> None:
    """No colour, no cursor, no turned text: it is shown as escapes."""
    evil = json.loads(Path("b.json").read_text())
    evil["run"]["source"]["name"] = "\x1b[31mred\u202e"
    Path("evil.json").write_text(json.dumps(evil))
    done = tito(*command)

    assert "\x1b" not in done.out + done.err
    assert "\u202e" not in done.out + done.err
    assert r"\x1b[31mred" in done.out
