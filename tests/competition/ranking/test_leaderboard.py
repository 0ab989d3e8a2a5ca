"""What is ranked together, whose best counts, and why a file has no rank."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.competition.entries import TASK, answered, figures, handed_in, sized
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.ranking.judged import Judged, unreadable
from tinytorch.competition.ranking.leaderboard import Leaderboard, Wanted, leaderboard
from tinytorch.competition.record.people import Athlete, Person
from tinytorch.competition.record.reading import RefusedError
from tinytorch.competition.record.submission import Trust
from tinytorch.competition.rules.events import load_rules

RULES = load_rules()
BAD = unreadable("x.json", RefusedError("json", "no JSON"))


def board(*judged: Judged, **wanted: object) -> Leaderboard:
    return leaderboard(judged, RULES, Wanted(**wanted))


def reasons(found: Leaderboard) -> dict[str, str]:
    return {each.source: each.reason for each in found.unranked}


def test_each_event_task_and_division_is_a_ranking_of_its_own() -> None:
    """And other data under the name of a task is another task."""
    other, data = (TASK.model_copy(update=change) for change in ({"name": "tinygpt"}, {"dataset_sha256": "b" * 64}))
    entries = [figures("a"), sized("b", 8, 2), figures("c", division="open"), figures("d", task=other),
               figures("e", task=data), figures("f")]  # fmt: skip
    found = board(*map(handed_in, entries))

    ranked = [sorted(place.judged.entered.athlete_name for place in ranking.places) for ranking in found.rankings]
    assert ranked == [["a", "f"], ["e"], ["c"], ["d"], ["b"]]


def test_only_what_is_asked_for_is_ranked() -> None:
    """And the rest says why, as something that another call would rank."""
    found = board(handed_in(figures("a")), handed_in(sized("b", 8, 2)), events=(OlympicEvent.LATENCY_SPRINT,))

    assert reasons(found) == {"b.json": "its event is memory_challenge, asked for is latency_sprint"}
    assert not found.unranked[0].is_asked_for


def test_an_invalid_file_is_listed_with_its_first_error() -> None:
    assert reasons(board(BAD)) == {"x.json": "not valid: TO-F04 json: no JSON"}


def test_numbers_given_by_hand_are_ranked_only_when_asked_for() -> None:
    """By trust: T1, or T0 and what is above."""
    claimed = handed_in(figures("a", trust="T0", verdict=None))

    assert reasons(board(claimed)) == {"a.json": "trust T0 (claimed) is below T1 (consistent)"}
    assert len(board(claimed, trust=Trust.T0).rankings[0].places) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"task": None}, "it names no task"), ({"value": None}, "what its event ranks by was not measured")],
)
def test_what_has_nothing_to_rank_by_is_not_ranked(changed: dict[str, None], reason: str) -> None:
    assert reasons(board(handed_in(figures("a", **changed)))) == {"a.json": reason}


def test_an_athletes_best_counts_and_the_others_are_listed_the_latest_first() -> None:
    """However the name is written."""
    files = [
        handed_in(figures("Ada  Lovelace", 2.0), 0, "first.json"),
        handed_in(figures("ada lovelace", 3.0), 1, "best.json"),
        handed_in(figures("Ada Lovelace", 1.5), 2, "last.json"),
        handed_in(figures("Bob", 1.2)),
    ]
    (ranking,) = board(*files).rankings

    assert [place.judged.source for place in ranking.places] == ["best.json", "Bob.json"]
    assert [each.source for each in ranking.others] == ["last.json", "first.json"]
    assert ranking.others[0].reason == "best.json of the same athlete counts"


def test_a_copy_of_a_file_is_the_same_submission() -> None:
    entry = figures("a")
    (ranking,) = board(handed_in(entry, source="b.json"), handed_in(entry, source="a.json")).rankings

    assert [place.judged.source for place in ranking.places] == ["a.json"]
    assert [(each.source, each.reason) for each in ranking.others] == [("b.json", "the same submission as a.json")]


def test_nothing_gives_an_empty_leaderboard() -> None:
    assert board() == Leaderboard(RULES, (), ())


ENTRIES = [
    figures("a", 2.0), figures("a", 2.5), figures("b", 2.01), figures("c", 1.0), sized("a", 8, 2), sized("b", 4, 1),
    answered("a", range(4)), answered("c", range(12)), figures("d", trust="T0", verdict=None), figures("e", task=None),
]  # fmt: skip
FILES = [*(handed_in(each, day, f"{day}.json") for day, each in enumerate(ENTRIES)), BAD]


@given(st.permutations(FILES))
@settings(max_examples=40)
def test_the_order_of_the_files_never_matters(files: list[Judged]) -> None:
    assert board(*files) == board(*FILES)


def test_somebody_who_is_alone_and_in_a_team_is_told() -> None:
    """Both entries are ranked, and whoever else has one stands lower for it."""
    team = Athlete(name="Ada, Bob", members=[Person(name="Ada", id="17"), Person(name="Bob", id="18")])
    alone = Athlete(name="Ada", id="17")
    files = [handed_in(figures("Ada", 2.0, athlete=alone)), handed_in(figures("team", 3.0, athlete=team))]

    assert board(*files).doubts == ("Ada stands in 2 entries to latency_sprint",)
    assert board(files[0]).doubts == ()
