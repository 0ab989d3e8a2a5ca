"""What the course promises of module 10, whoever wrote it."""

from __future__ import annotations

import pytest

from tinytorch.core.tokenization import BPETokenizer, CharTokenizer

TEXTS = ["low lower lowest", "new newer newest"]


def characters() -> CharTokenizer:
    tokenizer = CharTokenizer()
    tokenizer.build_vocab(TEXTS)
    return tokenizer


@pytest.mark.parametrize("text", ["low", "newest lower", "west"])
def test_characters_come_back_as_they_went(text: str) -> None:
    tokenizer = characters()

    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_each_character_is_one_token_of_the_vocabulary() -> None:
    tokenizer = characters()
    tokens = tokenizer.encode("lower")

    assert len(tokens) == 5
    assert all(0 <= token < tokenizer.vocab_size for token in tokens)


def test_different_characters_are_different_tokens() -> None:
    tokens = characters().encode("lower")

    assert len({*tokens}) == 5
    assert characters().encode("l") == [tokens[0]]


def test_an_unknown_character_is_no_error() -> None:
    assert len(characters().encode("xylophone?")) == 10


def test_pairs_that_come_often_become_one_token() -> None:
    tokenizer = BPETokenizer(vocab_size=40)
    tokenizer.train([word for text in TEXTS for word in text.split()] * 5)

    assert len(tokenizer.encode("lower")) < 5


def words() -> BPETokenizer:
    tokenizer = BPETokenizer(vocab_size=40)
    tokenizer.train([word for text in TEXTS for word in text.split()] * 5)
    return tokenizer


def test_a_word_that_was_never_seen_is_made_of_known_parts() -> None:
    tokenizer = words()

    assert tokenizer.decode(tokenizer.encode("newlow")).strip() == "newlow"


def test_what_comes_most_often_is_merged_first() -> None:
    tokenizer = BPETokenizer(vocab_size=10)
    tokenizer.train(["abab"] * 9 + ["cd"])

    assert len(tokenizer.encode("abab")) < len(tokenizer.encode("cdcd"))


def test_merged_tokens_come_back_as_they_went() -> None:
    tokenizer = BPETokenizer(vocab_size=40)
    tokenizer.train([word for text in TEXTS for word in text.split()] * 5)

    assert tokenizer.decode(tokenizer.encode("lowest")).strip() == "lowest"
