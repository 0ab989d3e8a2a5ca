"""Letters without spaces, and the place of each in its word."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.datasets.words import (
    LENGTH,
    LETTERS,
    PLACES,
    Text,
    fresh_samples,
    load_words,
    other_cuts,
    text_of,
    with_answers,
)

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=20), min_size=70, max_size=80)


def text(*words: str) -> Text:
    return Text(np.frombuffer(" ".join(words).encode(), np.uint8))


@given(WORDS)
def test_an_answer_is_the_place_of_a_letter_in_its_word(words: list[str]) -> None:
    prompts, answers = text(*words).prompts(np.array([0]))
    letters = "".join(words)[:LENGTH]
    places = [min(place, PLACES - 1) for word in words for place in range(len(word))][:LENGTH]

    assert bytes((prompts[0] + ord("a")).astype(np.uint8)).decode() == letters
    assert (answers[0] - LETTERS).tolist() == places


@given(WORDS)
def test_words_are_read_again(words: list[str]) -> None:
    assert [word.decode() for word in text(*words).words()] == words


@given(WORDS)
def test_every_prompt_begins_with_a_word_and_fits(words: list[str]) -> None:
    found = text(*words)

    assert found.begins[found.starts].all()
    assert not len(found.starts) or found.starts.max() <= len(found.letters) - LENGTH


def test_the_splits_are_as_the_task_wants_them() -> None:
    train, test = load_words()

    assert (train.inputs.shape, train.labels.shape) == ((8192, 127), (8192, 64))
    assert (test.inputs.shape, test.labels.shape) == ((256, 64), (256, 64))
    np.testing.assert_array_equal(train.inputs, with_answers(train.inputs[:, :LENGTH], train.labels))
    assert test.inputs.max() < LETTERS <= test.labels.min()


def test_what_is_timed_is_the_end_of_one_prompt_and_the_beginning_of_another() -> None:
    _, test = load_words()
    known = {bytes(row.astype(np.uint8)) for row in test.inputs}
    for row in other_cuts(test.inputs, np.random.default_rng(0))[:20]:
        new = bytes(row.astype(np.uint8))
        assert any(
            any(each.endswith(new[:cut]) for each in known) and any(each.startswith(new[cut:]) for each in known)
            for cut in range(1, LENGTH)
        )


def test_new_prompts_are_two_cuts_of_a_text() -> None:
    """One after the other, where a word ends in the first and one begins in the second."""
    known = bytes((text_of("test").letters + ord("a")).astype(np.uint8))
    for row in fresh_samples(20, np.random.default_rng(0)).inputs:
        prompt = bytes((row + ord("a")).astype(np.uint8))
        assert any(prompt[:cut] in known and prompt[cut:] in known for cut in range(1, LENGTH))
        assert prompt not in known


def test_new_samples_have_right_answers() -> None:
    """A new word begins where the cuts meet: their answers say so, as those of the test set do."""
    fresh = fresh_samples(50, np.random.default_rng(1))
    places = fresh.labels - LETTERS

    assert (places[:, 0] == 0).all()
    assert ((places[:, 1:] == 0) | (places[:, 1:] == np.minimum(places[:, :-1] + 1, PLACES - 1))).all()
