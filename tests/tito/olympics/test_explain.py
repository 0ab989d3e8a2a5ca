"""`tito olympics explain`: every word in two sentences, and checks by their ids."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tinytorch.competition.checks.validation import PAGES
from tito.olympics.explain import Word, words

FEWEST_WORDS = 30
ROOT = Path(__file__).parents[3]


def test_there_are_thirty_and_none_is_meant_by_two() -> None:
    keys = Counter(key for word in words() for key in word.keys)

    assert len(words()) >= FEWEST_WORDS
    assert max(keys.values()) == 1


@pytest.mark.parametrize("word", words(), ids=lambda word: word.name)
def test_a_word_has_two_sentences_and_a_page(word: Word) -> None:
    assert len(re.findall(r"[.!?](?: |$)", word.says)) == 2
    assert (ROOT / "docs" / word.page).is_file()


@pytest.mark.parametrize("asked", [["quiet"], ["Quiet", "Time"], ["rank-set"], ["T0"], ["all_around"], ["doubts"]])
def test_a_word_is_found_however_it_is_typed(tito, asked: list[str]) -> None:
    done = tito("explain", *asked)

    assert (done.code, "For example: " in done.out) == (0, True)


def test_all_words_are_listed(tito) -> None:
    listed = " ".join(tito("explain").out.split())

    assert all(word.name in listed for word in words())


@pytest.mark.parametrize("asked", ["TO-E01", "to-e01", "constraints"])
def test_a_check_is_explained_too(tito, asked: str) -> None:
    assert PAGES["constraints"].what in " ".join(tito("explain", asked).out.split())


def test_a_word_that_is_also_a_check_shows_both(tito) -> None:
    done = tito("explain", "digest")

    assert "For example: " in done.out
    assert PAGES["digest"].id in done.out


@pytest.mark.parametrize(("asked", "words"), [("quite", "did you mean 'quiet'?"), ("xyz", "lists all words")])
def test_a_word_that_is_not_known_is_told(tito, asked: str, words: str) -> None:
    done = tito("explain", asked)

    assert (done.code, words in done.err) == (2, True)


def test_programs_read_the_same(tito) -> None:
    document = tito("explain", "digest", "--json").json

    assert [word["name"] for word in document["words"]] == ["digest"]
    assert [check["id"] for check in document["checks"]] == [PAGES["digest"].id]
