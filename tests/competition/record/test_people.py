"""Whose a submission is, however names are written."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tinytorch.competition.record.people import Athlete, athlete_of
from tinytorch.errors import UsageError

JOSE = "Jos\u00e9"


def key(*names: str, ids: Any = None) -> str:
    return athlete_of(names, ids).key


@pytest.mark.parametrize(
    "other", [unicodedata.normalize("NFD", JOSE), "JOS\u00c9", " Jos\u200b\u00e9 ", "\uff2aos\u00e9\u2060"]
)
def test_one_name_is_one_athlete_however_it_is_written(other: str) -> None:
    assert Athlete(name=other).key == Athlete(name=JOSE).key


def test_names_are_kept_in_one_form() -> None:
    """The composed one (NFC), for keyboards differ."""
    assert athlete_of(unicodedata.normalize("NFD", JOSE)).name == JOSE


def test_an_id_beats_a_name() -> None:
    assert key("Ada", ids=["17"]) != key("Ada", ids=["23"])
    assert key("Ada", ids=["ADA@example.org"]) == key("Ada Lovelace", ids=["ada@example.org"])
    assert key("Ada", ids=["17"]) != key("17")


def test_a_team_is_its_members_in_any_order() -> None:
    team = athlete_of(["Ada", "Bob"], ["17", "23"])

    assert (team.name, team.id, team.people) == ("Ada, Bob", None, (("Ada", "17"), ("Bob", "23")))
    assert team.key == key("Bob", "Ada", ids=["23", "17"]) != key("Ada, Bob")


def test_who_may_be_one() -> None:
    """Ids tell, and where one has none the names do."""
    ada, other, without = athlete_of("Ada", "17"), athlete_of("Ada", "23"), athlete_of("ada")

    assert (ada.may_be(other), ada.may_be(without), without.may_be(other)) == (False, True, True)
    assert not without.may_be(athlete_of("Bob"))


@pytest.mark.parametrize(
    ("names", "ids", "words"),
    [
        ([], None, "a name, or from 1 to 10"),
        (["A"] * 11, None, "from 1 to 10"),
        (["Ada", "Bob"], ["17"], "1 ids for 2 names"),
        (["Ada", "ada"], None, "named twice"),
        (["Ada", "Bob"], ["17", "17 "], "named twice"),
        (["Ada"], ["\u200b"], "athlete_id must be a text"),
        (["Ada"], ["x" * 101], "101 characters"),
        (["Ada"], ["1\x1b[31m"], "cannot be shown"),
    ],
)  # fmt: skip
def test_what_is_nobody_is_refused(names: Any, ids: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("(", "")):
        athlete_of(names, ids)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20))
def test_the_form_that_compares_is_the_same_of_itself(name: str) -> None:
    once = Athlete.model_construct(name=name).key.removeprefix("name ")

    assert Athlete.model_construct(name=once).key.removeprefix("name ") == once


@pytest.mark.parametrize(
    "who",
    [
        {"name": "N" * 101},
        {"name": "\u200b"},
        {"name": "Ada", "id": "\u2060"},
        {"name": "Cyn", "members": [{"name": "Dan", "id": "4"}]},
        {"name": "Cyn, Eve", "members": [{"name": "Dan"}, {"name": "Eve"}]},
        {"name": "Dan, Dan", "members": [{"name": "Dan", "id": "4"}, {"name": "Dan", "id": "4"}]},
        {"name": "Dan, Eve", "id": "4", "members": [{"name": "Dan"}, {"name": "Eve"}]},
    ],
    ids=str,
)
def test_a_file_says_nothing_of_its_athlete_that_submit_would_not(who: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Athlete.model_validate(who)


@pytest.mark.parametrize("sign", "\u2800\u180b\u206f\ufff9\u17b4")
def test_signs_that_nobody_sees_make_no_other_name(sign: str) -> None:
    assert Athlete(name=f"A{sign}da").key == Athlete(name="Ada").key


def test_ids_are_compared_as_they_are_written() -> None:
    """A small two is no two."""
    assert key("Ada", ids=["100\u00b2"]) != key("Ada", ids=["1002"])
