"""Tokenizers: vocabularies, and text that comes back as it was."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.core.tensor import Tensor
from tinytorch.core.tokenization import WORDS, BPETokenizer, CharTokenizer, Tokenizer
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
    with pytest.raises(UsageError, match="a number of tokens as an integer from 1 on"):
        BPETokenizer(0)
    with pytest.raises(UsageError, match="a number of tokens as an integer from 1 on"):
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


def plainly_learned(texts: list[str], tokens: int) -> list[tuple[str, str]]:
    """The merges of byte-pair encoding, counted anew from all words after each."""
    words = [list(word) for text in texts for word in WORDS.findall(text)]
    merges: list[tuple[str, str]] = []
    while len(merges) < tokens:
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        words = [joined(word, best) for word in words]
    return merges


def joined(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    made: list[str] = []
    for symbol in symbols:
        if made and (made[-1], symbol) == pair:
            made[-1] += symbol
        else:
            made.append(symbol)
    return made


@given(texts=st.lists(st.text("aab ", max_size=30), min_size=1, max_size=4), other=st.text("aabc ", max_size=30))
def test_merges_and_tokens_are_those_of_counting_everything_anew(texts: list[str], other: str) -> None:
    tokenizer = BPETokenizer(12)
    tokenizer.train(texts)
    alphabet = len({character for text in texts for character in text})
    assert tokenizer.merges == plainly_learned(texts, 12 - alphabet)
    symbols = [list(word) for word in WORDS.findall(other)]
    for pair in tokenizer.merges:
        symbols = [joined(word, pair) for word in symbols]
    expected = [number for word in symbols for symbol in word for number in tokenizer._numbers(symbol)]
    assert tokenizer.encode(other) == expected


def test_a_long_text_without_spaces_takes_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step that is taken looks up the rank of one pair."""
    tokenizer, looked = BPETokenizer(50), Counter[str]()
    text = "".join(np.random.default_rng(0).choice(list("abcd"), 5000))
    tokenizer.train(text)
    ranks = tokenizer._ranks

    class Counted(dict):
        def get(self, *given: Any) -> Any:
            looked["ranks"] += 1
            return ranks.get(*given)

    monkeypatch.setattr(tokenizer, "_ranks", Counted())
    tokenizer.encode(text)
    assert looked["ranks"] < 5 * len(text)


def test_words_are_not_remembered_for_ever() -> None:
    tokenizer = BPETokenizer(20)
    tokenizer.train("ab ab")
    for number in range(3):
        tokenizer.encode(" ".join(str(word) for word in range(number * 9000, (number + 1) * 9000)))
        tokenizer.encode("a" * 1000 + "bcd" * 3000)
    assert len(tokenizer._known) <= 10_000
    assert max(map(len, tokenizer._known)) <= 100


@pytest.mark.parametrize("vocab", [["ab"], ["a", "bc"], [""], [1]])
def test_a_vocabulary_of_characters_has_single_ones(vocab: Any) -> None:
    with pytest.raises(UsageError, match="needs single characters, not"):
        CharTokenizer(vocab)


def trained_tokenizers() -> list[Any]:
    characters, pairs = CharTokenizer("abc é"), BPETokenizer(30)
    pairs.train("the theme of the thing")
    return [characters, pairs]


@pytest.mark.parametrize("tokenizer", trained_tokenizers(), ids=lambda each: type(each).__name__)
def test_a_tokenizer_comes_back_from_its_file(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokens.json")
    loaded = type(tokenizer).load(tmp_path / "tokens.json")
    text = "the é thing zz"
    assert loaded.encode(text) == tokenizer.encode(text)
    assert (loaded.vocab, loaded.vocab_size) == (tokenizer.vocab, tokenizer.vocab_size)


def written(**facts: Any) -> str:
    sound = {"format": 1, "kind": "BPETokenizer", "vocab_size": 9, "vocab": ["a"], "merges": []}
    return json.dumps(sound | facts)


FILES: dict[str, str] = {
    "no json": "{",
    "no facts": "[]",
    "another kind": written(kind="CharTokenizer"),
    "another format": written(format=9),
    "a token twice": written(vocab=["a", "a"]),
    "no text": written(vocab=[1]),
    "a merge of nothing": written(merges=[["a", "b"]]),
    "no pair": written(merges=[["a"]]),
    "no size": written(vocab_size=-1),
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_a_file_that_is_no_tokenizer_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text(content)
    with pytest.raises(UsageError, match="is damaged or no BPETokenizer") as caught:
        BPETokenizer.load(tmp_path / "tokens.json")
    assert "BPETokenizer.save()" in caught.value.mend


def test_a_file_that_is_not_there_or_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no tokenizer"):
        CharTokenizer.load(tmp_path / "tokens.json")
    with pytest.raises(UsageError, match="cannot write"):
        CharTokenizer("ab").save(tmp_path / "no" / "tokens.json")


def test_without_a_vocabulary_no_text_is_encoded() -> None:
    assert CharTokenizer().encode("") == []
    with pytest.raises(UsageError, match="must have a vocabulary first"):
        CharTokenizer().encode("abc")


@pytest.mark.parametrize("tokenizer", trained_tokenizers(), ids=lambda each: type(each).__name__)
def test_a_model_needs_as_many_embeddings_as_there_are_tokens(tokenizer: Any) -> None:
    assert max(tokenizer.encode("the é thing Ä")) < tokenizer.token_count
