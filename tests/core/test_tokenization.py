"""Tokenizers: vocabularies, and text that comes back as it was."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.core.tensor import Tensor
from tinytorch.core.tokenization import BPETokenizer, CharTokenizer, Tokenizer
from tinytorch.errors import UsageError

CORPUS = ["low low low lower lowest", "new newer newest", "wide wider"]


def trained(vocab_size: int = 30) -> BPETokenizer:
    tokenizer = BPETokenizer(vocab_size)
    tokenizer.train(CORPUS)
    return tokenizer


def test_characters_are_numbered_in_their_order_after_the_unknown() -> None:
    tokenizer = CharTokenizer()
    tokenizer.build_vocab(["cab", "abd"])
    assert tokenizer.vocab == ["<UNK>", "a", "b", "c", "d"]
    assert (tokenizer.vocab_size, tokenizer.encode("bad"), tokenizer.decode([2, 1, 4])) == (5, [2, 1, 4], "bad")


def test_a_vocabulary_can_be_given() -> None:
    assert CharTokenizer(["x", "a"]).encode("ax") == [2, 1]


def test_unknown_characters_are_token_0() -> None:
    tokenizer = CharTokenizer(["a"])
    assert (tokenizer.encode("a?"), tokenizer.decode([1, 0])) == ([1, 0], "a<UNK>")


def test_the_commonest_pair_is_merged_first() -> None:
    tokenizer = trained()
    assert tokenizer.merges[:2] == [("l", "o"), ("lo", "w")]
    assert "low" in tokenizer.vocab


def test_a_vocabulary_has_the_size_asked_for() -> None:
    assert len(trained(18).vocab) == 18
    tokenizer = BPETokenizer()
    tokenizer.train(CORPUS, vocab_size=20)
    assert (len(tokenizer.vocab), tokenizer.vocab_size) == (20, 20)


def test_training_stops_where_nothing_is_left_to_merge() -> None:
    tokenizer = trained(10_000)
    assert len(tokenizer.vocab) < 100
    assert tokenizer.encode("low newest") == [tokenizer.token_to_id["low"], tokenizer.token_to_id[" newest"]]


def test_a_common_word_takes_fewer_tokens_than_characters() -> None:
    assert len(trained().encode("lowest")) < len("lowest")


def test_merges_are_those_of_counting_again_each_time() -> None:
    symbols, expected = [list("abab"), list(" abab"), list(" abc")], []
    for _ in range(4):
        pairs: dict[tuple[str, str], int] = {}
        for word in symbols:
            for pair in pairwise(word):
                pairs[pair] = pairs.get(pair, 0) + 1
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        expected.append(best)
        for word in symbols:
            position = 0
            while position < len(word) - 1:
                if (word[position], word[position + 1]) == best:
                    word[position : position + 2] = ["".join(best)]
                position += 1
    tokenizer = BPETokenizer(4 + 4)
    tokenizer.train(["abab abab abc"])
    assert tokenizer.merges == expected


@given(st.text(st.characters(), max_size=40))
def test_any_text_comes_back(text: str) -> None:
    tokenizer = trained()
    tokens = tokenizer.encode(text)
    assert tokenizer.decode(tokens) == text
    assert all(0 <= token < tokenizer.token_count for token in tokens)


@pytest.mark.parametrize("text", ["", "  two  spaces\n\t", "naïve café", "😀👩‍👩‍👧", "\ud800 alone", "\x00\u202e"])
def test_odd_texts_come_back_from_a_tokenizer_that_was_not_trained(text: str) -> None:
    assert BPETokenizer().decode(BPETokenizer().encode(text)) == text


def test_bytes_that_make_no_character_are_replaced() -> None:
    assert BPETokenizer().decode([0xFF, ord("a")]) == "\ufffda"


@pytest.mark.parametrize("tokens", [[1, 2], np.array([1, 2]), Tensor([1, 2]), Tensor(np.array([[1, 2]]))])
def test_tokens_of_any_type_are_decoded(tokens: object) -> None:
    assert CharTokenizer(["a", "b"]).decode(tokens) == "ab"


@pytest.mark.parametrize("tokenizer", [CharTokenizer(["a"]), trained()])
@pytest.mark.parametrize("tokens", [[-1], [1.5], [9999]])
def test_tokens_that_do_not_exist_are_refused(tokenizer: Tokenizer, tokens: list[float]) -> None:
    with pytest.raises(UsageError, match="tokens must"):
        tokenizer.decode(tokens)


@pytest.mark.parametrize("tokenizer", [CharTokenizer(), BPETokenizer()])
def test_only_text_is_encoded(tokenizer: Tokenizer) -> None:
    with pytest.raises(UsageError, match="needs text, not bytes"):
        tokenizer.encode(b"bytes")  # type: ignore[arg-type]


def test_a_vocabulary_needs_a_token() -> None:
    with pytest.raises(UsageError, match="at least 1 token"):
        BPETokenizer(0)
    with pytest.raises(UsageError, match="at least 1 token"):
        trained().train(CORPUS, vocab_size=0)


@pytest.mark.parametrize("call", [lambda: Tokenizer().encode("a"), lambda: Tokenizer().decode([1])])
def test_a_tokenizer_writes_both_ways(call) -> None:
    with pytest.raises(NotImplementedError):
        call()


def test_one_text_is_a_corpus_too() -> None:
    one, many = BPETokenizer(10), BPETokenizer(10)
    one.train("low low lower")
    many.train(["low low lower"])
    assert one.vocab == many.vocab
    with pytest.raises(UsageError, match="needs text, not int"):
        one.train([1])  # type: ignore[list-item]
