"""An event of a class's own, from its rules to the board; and who wrote an entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytorch.competition.record.run import parse_run
from tinytorch.competition.rules.events import read_rules
from tito.olympics.foreseen import warn_of_event

GREEN = """
extends = "2.3"
version = "green class"

[events.green_run]
title = "Green Run"
objective = "least work for an answer"
ranked_by = "less_work"
constraints = [
    { metric = "accuracy", operator = ">=", limit = 0.80 },
    { metric = "moved_bytes", operator = "<", limit = 1_000_000 },
    { metric = "throughput", operator = ">=", limit = 20 },
]
"""
BY_GREEN = ("--rules", "green.toml")


@pytest.fixture
def green(athlete: Path) -> Path:
    """A class's rules beside a measured run."""
    path = Path("green.toml")
    path.write_text(GREEN)
    return path


@pytest.fixture
def submitted(green: Path, tito) -> Path:
    """What was handed in for the class's own event."""
    done = tito("submit", "--run", "run.json", "--event", "green_run", "--athlete", "A", "--track", "agent", *BY_GREEN)
    assert done.code == 0, done.err
    return Path("submission.json")


def test_an_event_of_one_s_own_is_scored_with_all_others(green: Path, tito) -> None:
    *_, event = tito("score", "--json", *BY_GREEN).json["events"]

    assert (event["event"], event["ranked_by"], event["eligible"]) == ("green_run", "less_work", True)
    assert "asked < 1,000,000 bytes" in event["why"]


def test_counted_work_ranks_exactly(submitted: Path, tito) -> None:
    (ranking,) = tito("leaderboard", ".", "--json", *BY_GREEN).json["rankings"]
    (row,) = ranking["rows"]

    assert (ranking["event"], ranking["ranked_by"]) == ("green_run", "less_work")
    assert row["shown"] == row["value"] > 1


def test_work_that_can_go_unseen_is_not_ranked(green: Path, tito) -> None:
    options = ("--event", "green_run", "--athlete", "A", "--division", "open", *BY_GREEN)
    done = tito("submit", "--run", "run.json", *options)

    assert (done.code, "a model of the open division can do unseen" in " ".join(done.out.split())) == (1, True)


def test_the_page_of_a_class_has_its_event(submitted: Path, tito) -> None:
    assert tito("report", ".", "-o", "class.html", *BY_GREEN).code == 0
    assert "Green Run" in Path("class.html").read_text()


@pytest.mark.parametrize(("rules", "code"), [(BY_GREEN, 0), ((), 1)])
def test_only_rules_that_have_an_event_can_judge_it(submitted: Path, tito, rules: tuple[str, ...], code: int) -> None:
    done = tito("validate", *rules)

    assert (done.code, "the rules have no event green_run" in done.out) == (code, code == 1)


def test_a_limit_of_counted_work_is_kept(green: Path, tito) -> None:
    green.write_text(GREEN.replace("1_000_000", "1"))
    done = tito("submit", "--run", "run.json", "--event", "green_run", "--athlete", "Ada", *BY_GREEN)

    assert "moved_bytes" in done.err + done.out
    assert tito("validate", *BY_GREEN).code != 0


def test_what_a_run_lacks_is_said_before_it_is_packed(green: Path, capfd: pytest.CaptureFixture[str]) -> None:
    green.write_text(GREEN.replace("1_000_000", "1"))
    warn_of_event(parse_run("run.json", Path("run.json").read_bytes()), "green_run", read_rules(green))

    assert "green_run asks for moved_bytes < 1 bytes, and it is" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("line", "word"),
    [('metric = "flop"', "metric"), ('ranked_by = "work"', "ranked_by"), ("[events.Green]", "events.Green")],
)
def test_a_slip_in_an_event_is_told_by_its_place(green: Path, tito, line: str, word: str) -> None:
    right = {"metric": 'metric = "moved_bytes"', "ranked_by": 'ranked_by = "less_work"'}.get(word, "[events.green_run]")
    green.write_text(GREEN.replace(right, line))
    done = tito("rules", *BY_GREEN)

    assert (done.code, word in done.err) == (2, True)


def test_a_class_s_event_is_shown_alone_and_asked_for_by_name(green: Path, tito) -> None:
    assert "green_run" in tito("rules", "green_run", *BY_GREEN).out
    assert "one of latency_sprint" in (asked := tito("submit", *BY_GREEN).err)
    assert "green_run" in asked


@pytest.mark.parametrize(("track", "code"), [("agent", 0), ("human", 1)])
def test_a_board_can_be_of_one_track(submitted: Path, tito, track: str, code: int) -> None:
    done = tito("leaderboard", ".", "--track", track, *BY_GREEN)

    assert (done.code, "(agent)" in done.out, "its track is agent" in done.out) == (code, code == 0, code == 1)


def test_a_track_is_in_every_format(submitted: Path, tito) -> None:
    for format_ in ("json", "csv"):
        assert "agent" in tito("leaderboard", ".", "--format", format_, *BY_GREEN).out


def test_a_class_file_may_ask_for_one_track(submitted: Path, tito) -> None:
    Path("olympics.toml").write_text('rules = "green.toml"\ntrack = "human"\n')

    assert tito("leaderboard", ".", "--class", "olympics.toml").code == 1
