"""From a board to what everybody in a class has earned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.competition.entries import figures, handed_in, sized
from tinytorch.competition.checks.batch import DUPLICATED_SAMPLES
from tinytorch.competition.checks.findings import Finding, failed
from tinytorch.competition.grading.assignment import Assignment, parse_assignment
from tinytorch.competition.grading.earned import earned
from tinytorch.competition.grading.grades import Grade, doubts, grades, missing, named, nobodys
from tinytorch.competition.grading.roster import Roster
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.ranking.judged import Judged, unreadable
from tinytorch.competition.ranking.leaderboard import Leaderboard, Wanted, leaderboard
from tinytorch.competition.record.people import Athlete, Person, athlete_of
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import load_rules
from tinytorch.errors import UsageError

RULES = load_rules()
ADA, BOB, EVE = (Person(name=name, id=id_) for name, id_ in (("Ada", "17"), ("Bob", "23"), ("Eve", "42")))
ROSTER = Roster((ADA, BOB, EVE))
BY_SCORE = parse_assignment(b'points = { "1x" = 0, "11x" = 100 }')
BY_RANK = parse_assignment(b'points = { "rank 1" = 100, "rank 3" = 50 }')
DEADLINE = datetime(2026, 12, 15, tzinfo=UTC)


def entry(who: Any, speedup: float, ids: Any = None, **changed: Any) -> Judged:
    athlete = athlete_of(who, ids)
    return handed_in(
        figures(athlete.name, speedup, athlete=athlete, **changed), source=f"{athlete.name} {speedup}.json"
    )


def board(*files: Judged, roster: Roster | None = ROSTER, **wanted: Any) -> Leaderboard:
    whose = roster.whose if roster else lambda athlete: athlete.key
    return leaderboard(files, RULES, Wanted(**wanted, whose=whose))


def points(found: list[Grade]) -> dict[str, float]:
    return {each.person.name: round(each.points, 3) for each in found}


def test_points_are_for_what_is_shown_and_nobody_of_the_class_is_left_out() -> None:
    ada = entry("Ada", 6.0, "17")
    found = grades(board(ada, entry("Bob", 99.0, "23")), BY_SCORE, ROSTER)

    assert points(found) == {"Ada": round(10 * (ada.figures.shown - 1), 3), "Bob": 100, "Eve": 0}
    assert found[2].results[0].reason == "not handed in"
    assert [each.most for each in found] == [100, 100, 100]


def test_points_are_for_ranks() -> None:
    found = grades(board(entry("Ada", 6.0, "17"), entry("Bob", 9.0, "23")), BY_RANK, ROSTER)

    assert points(found) == {"Ada": 75, "Bob": 100, "Eve": 0}


def test_each_member_of_a_team_has_its_points_and_the_best_of_two_files_counts() -> None:
    team, alone = entry(["Ada", "Bob"], 11.5, ["17", "23"]), entry("Ada", 3.0, "17")
    found = points(grades(board(team, alone), BY_SCORE, ROSTER))

    assert found["Ada"] == found["Bob"] > 50


def test_a_name_without_its_id_is_found_on_the_roster() -> None:
    assert points(grades(board(entry("ADA", 99.0)), BY_SCORE, ROSTER))["Ada"] == 100


def test_without_a_roster_everybody_who_handed_in_is_graded() -> None:
    files = [entry("Bob", 99.0), entry("Ada", 99.0, "17")]

    assert list(points(grades(board(*files, roster=None), BY_SCORE, None))) == ["Ada", "Bob"]


def test_a_file_that_is_not_valid_is_worth_nothing_and_says_why() -> None:
    bad = entry("Ada", 99.0, "17").among([Finding("constraints", "TO-E01", False, "error", "too wrong", "", {})])
    (found, *_) = grades(
        board(bad), parse_assignment(b'events = ["latency_sprint"]\npoints = { "1x" = 0, "2x" = 9 }'), ROSTER
    )

    assert (found.points, found.most) == (0, 9)
    assert found.results[0].reason == "Ada 99.0.json: not valid: TO-E01 constraints: too wrong"


def test_what_comes_late_does_not_count_and_an_earlier_file_does() -> None:
    """By the time that a platform gives, whatever the file says."""
    times = {"Ada 99.0.json": DEADLINE + timedelta(minutes=125), "Ada 6.0.json": DEADLINE}
    files = [entry("Ada", 99.0, "17"), entry("Ada", 6.0, "17"), entry("Bob", 2.0, "23")]
    found = board(*files, until=DEADLINE, handed_in=times.get)

    assert [place.judged.source for place in found.rankings[0].places] == ["Ada 6.0.json"]
    assert {each.source: each.reason for each in found.unranked} == {
        "Ada 99.0.json": "handed in 2 hours 5 minutes too late, on 2026-12-15 02:05 UTC",
        "Bob 2.0.json": "when it was handed in is not known",
    }


def test_points_of_several_events_are_added() -> None:
    both = parse_assignment(b'points = { "1x" = 0, "4x" = 10 }\n[event_points.latency_sprint]\n"1x" = 0\n"2x" = 40')
    found = grades(board(entry("Ada", 99.0, "17"), handed_in(sized("Ada", 8, 2))), both, ROSTER)

    assert (found[0].points, found[0].most) == (50, 50)


def test_a_file_for_something_else_is_no_reason() -> None:
    small = handed_in(sized("Ada", 8, 2))
    asked = BY_SCORE.model_copy(update={"events": [OlympicEvent.LATENCY_SPRINT]})
    found = grades(board(small, events=(OlympicEvent.LATENCY_SPRINT,)), asked, ROSTER)

    assert found[0].results[0].reason == "not handed in"


def test_several_rankings_of_one_event_are_refused() -> None:
    """Whose points would count?"""
    files = [entry("Ada", 2.0), entry("Bob", 2.0, division="open")]

    with pytest.raises(UsageError, match=r"several rankings: digits_mlp, closed; digits_mlp, open"):
        grades(board(*files), BY_SCORE, ROSTER)


def test_who_is_missing_what_does_not_fit_and_what_is_nobody_s() -> None:
    bad = unreadable("x.json", RefusedError("json", "no JSON"))
    found = board(entry("Ada", 2.0, "17"), entry("Mallory", 9.0), bad)

    assert missing(found, ROSTER) == [BOB, EVE]
    assert doubts(found, ROSTER) == ["Mallory 9.0.json: Mallory is not on the roster"]
    assert [each.source for each in nobodys(found)] == ["x.json"]


def test_nobody_renames_another_on_the_board() -> None:
    """The roster has the names of its ids; what a file says is told to the instructor."""
    found = board(entry("Bob Is A Cheater", 2.0, "23"), entry(["Ada", "X"], 3.0, ["17", "x"]))
    shown = [place.judged.entered.athlete_name for place in named(found, ROSTER).rankings[0].places]

    assert shown == ["Ada, X", "Bob"]
    assert "Bob Is A Cheater has the id of Bob: their points are Bob's" in doubts(found, ROSTER)[1]


def test_one_who_stands_in_a_team_by_name_and_by_id_is_there_once() -> None:
    """Such a file is valid: only a roster tells."""
    twice = entry(["Ada", "Somebody"], 2.0)
    members = [Person(name="Ada"), Person(name="Adele", id="17")]
    athlete = Athlete(name="Ada, Adele", members=members)
    twice = replace(twice, figures=replace(twice.entered, athlete=athlete))
    (place,) = named(board(twice), ROSTER).rankings[0].places

    assert place.judged.entered.athlete == Athlete(name="Ada", id="17")


def test_who_forgot_an_id_once_has_one_place() -> None:
    """The better of both files."""
    (ranking,) = board(entry("Ada", 2.0), entry("Ada", 3.0, "17")).rankings

    assert [place.judged.source for place in ranking.places] == ["Ada 3.0.json"]
    assert [each.source for each in ranking.others] == ["Ada 2.0.json"]


def test_many_entries_of_one_person_are_told() -> None:
    files = [entry(["Ada", name], speedup, ["17", name]) for name, speedup in (("x", 3.0), ("y", 4.0))]

    assert "Ada stands in 2 entries to latency_sprint" in doubts(board(*files), ROSTER)


def test_what_shows_nothing_earns_nothing_by_rank_either() -> None:
    claimed = entry("Ada", 1e4, "17", trust="T0", verdict=None, log_ratios=None)
    found = grades(board(claimed, trust=Trust.T0), BY_RANK, ROSTER)

    assert (found[0].points, found[0].results[0].reason) == (0, "nothing is shown: it was given by hand")


def test_a_warning_goes_with_the_points() -> None:
    """A copy is graded as what it is, and the instructor sees it."""
    copied = entry("Ada", 99.0, "17").among([DUPLICATED_SAMPLES.finding(failed("the same as bob.json"))])

    assert grades(board(copied), BY_SCORE, ROSTER)[0].results[0].warnings == ("TO-B01",)


def test_late_for_one_event_is_nothing_for_another() -> None:
    both = BY_SCORE.model_copy(update={"events": list(OlympicEvent)[:2]})
    found = grades(board(entry("Ada", 99.0, "17"), until=DEADLINE, handed_in=lambda source: None), both, ROSTER)

    assert [each.reason for each in found[0].results] == [
        "Ada 99.0.json: when it was handed in is not known", "not handed in",
    ]  # fmt: skip


def test_another_task_than_the_class_s_is_said() -> None:
    asked = BY_SCORE.model_copy(update={"events": [OlympicEvent.LATENCY_SPRINT]})
    (found, *_) = grades(board(entry("Ada", 99.0, "17"), task="words"), asked, ROSTER)

    assert found.results[0].reason == "Ada 99.0.json: its task is digits_mlp, asked for is words"


def test_one_file_alone_has_its_points() -> None:
    assert earned(entry("Ada", 99.0), BY_SCORE).points == 100
    assert earned(entry("Ada", 99.0), Assignment()) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            b'task = "words"\npoints = { "1x" = 0, "2x" = 9 }',
            "0 of 9 points: its task is digits_mlp, asked for is words",
        ),
        (b'[event_points.all_around]\n"1x" = 0\n"2x" = 9', "0 of 9 points: latency_sprint is worth none"),
    ],
)
def test_why_one_file_has_none(text: bytes, words: str) -> None:
    assert earned(entry("Ada", 99.0), parse_assignment(text)).words == words


def test_one_file_alone_has_no_rank() -> None:
    assert earned(entry("Ada", 99.0), BY_RANK) is None
