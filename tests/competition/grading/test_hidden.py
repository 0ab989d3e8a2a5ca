"""Names that are hidden, and what else would tell them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.competition.entries import figures, handed_in
from tinytorch.competition.checks.batch import DUPLICATED_SAMPLES
from tinytorch.competition.checks.findings import Finding, failed
from tinytorch.competition.checks.validation import PAGES
from tinytorch.competition.formats.leaderboard import FORMATS
from tinytorch.competition.grading.hidden import for_everybody, hidden, initials, naming
from tinytorch.competition.ranking.leaderboard import Leaderboard, Wanted, leaderboard
from tinytorch.competition.record.people import Person, athlete_of
from tinytorch.competition.rules.events import load_rules
from tinytorch.errors import UsageError

NAMES = ("Ada Lovelace", "Bob", "Eve")
SHARED = DUPLICATED_SAMPLES.finding(failed("the same samples as Bob.json"))
OWN = Finding("committed", "TO-D07", False, "warning", "packaged by Ada Lovelace", "", {})


def board() -> Leaderboard:
    files = [
        handed_in(figures(name, speedup, athlete=athlete_of(name, f"id of {name}"), techniques=[f"by {name}"],
                          repository=f"https://example.org/{name}", machine=f"{name}'s")).among([SHARED, OWN])
        for name, speedup in zip(NAMES, (4.0, 3.0, 2.0), strict=True)
    ]  # fmt: skip
    second = handed_in(figures("Ada Lovelace", 1.5, athlete=files[0].figures.athlete), source="Ada Lovelace 2.json")
    claim = handed_in(figures("Bob", 9.0, trust="T0", athlete=files[1].figures.athlete), source="Bob 2.json")
    found = leaderboard([*files, second, claim], load_rules(), Wanted())
    return replace(found, missing=(Person(name="Eve Adams", id="id of Eve"),), doubts=("Bob is not on the roster",))


def shown(how: str, pseudonyms: dict[str, str] | None = None) -> list[str]:
    found = hidden(board(), naming(how), lambda athlete: (pseudonyms or {})[athlete.key])
    return [place.judged.entered.athlete_name for place in found.rankings[0].places]


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ("all", ["Ada Lovelace", "Bob", "Eve"]),
        ("initials", ["A. L.", "B.", "E."]),
        ("none", ["(hidden)"] * 3),
        ("top:1", ["Ada Lovelace", "(hidden)", "(hidden)"]),
    ],
)
def test_names_are_shown_as_they_are_wanted(how: str, names: list[str]) -> None:
    assert shown(how) == names


def test_pseudonyms_are_those_of_the_key() -> None:
    key = {athlete_of(name, f"id of {name}").key: f"P{number}" for number, name in enumerate(NAMES)}

    assert shown("pseudonyms", key) == ["P0", "P1", "P2"]


@pytest.mark.parametrize("how", ["initials", "none", "pseudonyms"])
@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_else_tells_a_name_that_is_hidden(how: str, format_: str) -> None:
    """No id, file, repository, technique or finding."""
    key = {athlete_of(name, f"id of {name}").key: "X" for name in NAMES}
    text = FORMATS[format_](hidden(board(), naming(how), lambda athlete: key[athlete.key]))

    assert [name for name in ("Ada", "Lovelace", "Bob", "Eve", "id of") if name in text] == []
    assert "TO-D07" in text or format_ == "markdown"


def test_of_a_finding_only_the_check_is_told() -> None:
    places = hidden(board(), naming("none"), str).rankings[0].places

    assert {(each.id, each.message) for place in places for each in place.judged.findings} == {
        ("TO-D07", PAGES["committed"].what)
    }


def test_of_the_time_only_the_day_stays() -> None:
    moment = datetime(2026, 3, 1, 23, 59, 59, 7, tzinfo=UTC)
    found = leaderboard([handed_in(figures("Ada", created_at=moment))], load_rules(), Wanted())
    (place,) = hidden(found, naming("none"), str).rankings[0].places

    assert place.judged.entered.created_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_who_is_above_the_line_is_shown_whole() -> None:
    first, second, _ = hidden(board(), naming("top:1"), str).rankings[0].places

    assert first.judged.source == "Ada Lovelace.json"
    assert second.judged.source == "rank 2"


def test_what_one_file_tells_of_another_is_not_for_everybody() -> None:
    places = for_everybody(board()).rankings[0].places

    assert {finding.id for place in places for finding in place.judged.findings} == {"TO-D07"}


def test_initials_of_a_name() -> None:
    assert [initials(name) for name in ("ada king lovelace", "\u674e \u660e", "X")] == [
        "A. K. L.",
        "\u674e. \u660e.",
        "X.",
    ]


def test_initials_of_the_longest_names_are_a_name() -> None:
    people = [f"{number} " + "a " * 48 + "b" for number in range(10)]
    found = leaderboard([handed_in(figures("x", athlete=athlete_of(people)))], load_rules(), Wanted())
    (place,) = hidden(found, naming("initials"), str).rankings[0].places

    assert place.judged.entered.athlete_name.startswith("0. A. A.")


@pytest.mark.parametrize("how", ["top", "top:0", "top:x", "some", "All", ""])
def test_any_other_way_is_refused(how: str) -> None:
    with pytest.raises(UsageError, match="cannot be shown"):
        naming(how)
