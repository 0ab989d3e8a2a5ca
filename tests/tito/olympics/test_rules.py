"""Rules for people, and a class's own for every command that judges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.rules.events import load_rules

CLASS = """extends = "2.3"
version = "strict"
[events.latency_sprint]
constraints = [{ metric = "accuracy", operator = ">=", limit = 0.999 }]
"""


@pytest.fixture
def strict(athlete: Path) -> str:
    """Rules under which nobody sprints."""
    (athlete / "my class.toml").write_text(CLASS)
    return "my class.toml"


def test_every_event_and_every_limit_is_shown(tito) -> None:
    done = tito("rules")

    assert all(event in done.out for event in OlympicEvent)
    assert "accuracy >= 85 %" in done.out
    assert "significance.session_spread" in done.out
    assert f"rules {load_rules().version}" in done.err


def test_one_event_is_shown_alone(tito) -> None:
    done = tito("rules", "extreme_push")

    assert ("extreme_push" in done.out, "latency_sprint" in done.out, "plausibility" in done.out) == (
        True,
        False,
        False,
    )


def test_rules_are_data(tito) -> None:
    assert tito("rules", "--json").json == load_rules().model_dump(mode="json")
    assert tito("rules", "all_around", "--json").json["ranked_by"] == "all_around"


def test_what_a_class_has_changed_stands_beside_ours(tito, strict: str) -> None:
    shown = tito("rules", "latency_sprint", "--rules", strict)

    assert "accuracy >= 99.9 %" in shown.out
    assert "rules strict" in shown.err


def test_a_run_is_scored_by_a_class_s_rules(tito, strict: str) -> None:
    ours, theirs = (tito("score", "--json", *given).json for given in ((), ("--rules", strict)))
    sprint = [next(row for row in each["events"] if row["event"] == "latency_sprint") for each in (ours, theirs)]

    assert [each["eligible"] for each in sprint] == [True, False]
    assert theirs["rules"]["version"] == "strict"


def test_a_submission_is_judged_by_the_rules_that_are_named(tito, strict: str) -> None:
    done = tito("submit", "--event", "all_around", "--rules", strict)

    assert "next: tito olympics validate submission.json --rules 'my class.toml'" in done.err
    assert tito("validate", "--rules", strict).code == 0
    other = tito("validate")
    assert (other.code, "made under rules strict" in other.out) == (0, True)


def test_what_misses_a_class_s_limit_is_not_written(tito, strict: str) -> None:
    done = tito("submit", "--event", "latency_sprint", "--rules", strict)

    assert (done.code, "constraint missed" in done.out) == (1, True)
    assert not Path("submission.json").exists()


def test_a_dry_run_checks_and_writes_nothing(athlete: Path, tito) -> None:
    done = tito("submit", "--event", "all_around", "--dry-run", "--json")

    assert (done.code, done.json["valid"], done.json["written"]) == (0, True, False)
    assert not Path("submission.json").exists()
    assert json.loads(tito("status", "--json").out)["submissions"] == []
    assert "nothing is written" in tito("submit", "--event", "all_around", "--dry-run").err


@pytest.mark.parametrize(
    "command", [["score"], ["validate"], ["submit", "--event", "all_around"], ["benchmark"], ["rules"]]
)
def test_rules_that_are_wrong_are_refused_before_anything_is_done(athlete: Path, tito, command: list[str]) -> None:
    (athlete / "wrong.toml").write_text('extends = "2.3"\nversion = "x"\n[significance]\nalpa = 0.1\n')
    done = tito(*command, "--rules", "wrong.toml")

    assert (done.code, "significance.alpa" in done.err) == (2, True)


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_no_name_of_a_ranking_is_broken(tito, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = tito("rules").out

    assert all(rules.ranked_by in shown for rules in load_rules().events.values())


def test_rules_that_were_shipped_before_are_named_by_their_version(tito) -> None:
    """A file of that name is taken for it."""
    former = tito("rules", "--rules", "1.1", "--json").json

    assert (former["version"], former["scoring"]["error_ratio_smoothing"]) == ("1.1", 0.005)
    Path("1.1").write_text("no rules")
    assert tito("rules", "--rules", "1.1").code == 2
    Path("1.1").unlink()


def test_limits_that_no_check_keeps_are_told(tito, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "2.3"\nversion = "mine"\n[checks.kilobyte_club]\nmost_bytes = 5\n')
    done = tito("rules", "--rules", str(path))

    assert (done.code, "the check kilobyte_club, which no package here adds" in done.err) == (2, True)


def test_a_class_names_a_task_of_its_own(tito, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "2.3"\nversion = "mine"\n[reference_accuracy]\nmytask = 0.5\n')
    shown = tito("rules", "--rules", str(path))

    assert shown.code == 0
    assert any("reference_accuracy.mytask" in line and "none" in line for line in shown.out.splitlines())
