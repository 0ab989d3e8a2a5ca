"""`class.toml`: what it may say, and how a slip is told."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.competition.grading.assignment import parse_assignment, read_assignment
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.rules.events import load_rules
from tinytorch.errors import UsageError

WHOLE = b"""
title = "ML systems"
task = "fashion_mlp"
events = ["latency_sprint", "accuracy_contest"]
division = "closed"
deadline = 2026-12-15T23:59:00+01:00
names = "initials"
rules = "ours.toml"
roster = "lists/roster.csv"
points = { "1x" = 0, "20x" = 100 }

[event_points.accuracy_contest]
"85 %" = 0
"90 %" = 40
"""
SPRINT, CONTEST = OlympicEvent.LATENCY_SPRINT, OlympicEvent.ACCURACY_CONTEST


def test_everything_that_a_class_is_asked_for() -> None:
    found = parse_assignment(WHOLE)

    assert (found.title, found.task, found.events) == ("ML systems", "fashion_mlp", [SPRINT, CONTEST])
    assert found.deadline == datetime(2026, 12, 15, 22, 59, tzinfo=UTC)
    assert (found.points_of(SPRINT).of(20), found.points_of(CONTEST).of(0.9)) == (100, 40)
    found.check_points(load_rules())


def test_files_are_named_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "class.toml"
    path.write_bytes(WHOLE)
    found = read_assignment(path)

    assert (found.rules, found.roster, found.times) == (tmp_path / "ours.toml", tmp_path / "lists/roster.csv", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "not TOML"),
        ("title = 1", "title: "),
        ("tittle = 'x'", "tittle: there is no such key"),
        ("events = ['Sprint!']", "events.0: "),
        ("deadline = 2026-12-15", "deadline: write the time and its zone"),
        ("deadline = 2026-12-15T23:59:00", "no time zone"),
        ("deadline = '2026-12-15T23:59:00'", "no time zone"),
        ("deadline = 1700000000", "deadline: it is no time"),
        ("events = ['all_around', 'all_around']", "an event is named twice"),
        (f"points = {{ '1x' = 0, '5x' = 1{'0' * 400} }}", "numbers from 0 to 1,000,000"),
        ("points = 5", "points: it is no table"),
        ("points = { '1x' = 'many' }", "points: it is no table"),
        ("points = {}", "points: points stand at two scores"),
        ("points = { fast = 1 }", "no score and no rank"),
        ("[event_points.marathon]\n'1x' = 1", "event_points: marathon: points stand"),
        ("[event_points]\nlatency_sprint = 3", "event_points: latency_sprint: it is no table"),
        ("extends = '2.3'", "a file of rules"),
        ("a = " + "[" * 5000, "not TOML"),
    ],
)
def test_a_slip_is_told_by_its_place(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_assignment(text.encode())

    assert words in caught.value.message
    assert caught.value.mend


@pytest.mark.parametrize("text", ["", "events = ['all_around']\n[event_points.latency_sprint]\n'1x' = 1\n'2x' = 2"])
def test_grades_need_points_of_every_event(text: str) -> None:
    with pytest.raises(UsageError, match="nothing says how many points"):
        parse_assignment(text.encode()).check_points(load_rules())


@given(st.binary(max_size=100))
def test_any_bytes_are_an_assignment_or_refused(content: bytes) -> None:
    with contextlib.suppress(UsageError):
        parse_assignment(content)


@pytest.mark.parametrize(("event", "key"), [("latency_sprint", "85 %"), ("accuracy_contest", "2x")])
def test_points_have_the_unit_of_their_event(event: str, key: str) -> None:
    text = f'[event_points.{event}]\n"{key}" = 1\n"{key.replace("8", "9").replace("2", "3")}" = 2'

    with pytest.raises(UsageError, match="another unit"):
        parse_assignment(text.encode()).check_points(load_rules())
