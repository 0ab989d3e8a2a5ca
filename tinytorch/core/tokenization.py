"""Tokenizers: text as integers that a model can embed, and back."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from tinytorch.core.embeddings import checked_tokens
from tinytorch.errors import UsageError

UNKNOWN = "<UNK>"
BYTES = 256
WORDS = re.compile(r" ?\S+|\s+")  # pieces of a text that together are all of it; tokens do not reach over their ends
Pair = tuple[str, str]


class Tokenizer:
    """Base: write `encode` and `decode`."""

    def encode(self, text: str) -> list[int]:
        """Integers that stand for `text`."""
        raise NotImplementedError(f"{type(self).__qualname__} has no encode()")

    def decode(self, tokens: Any) -> str:
        """The text that `tokens` (T,) stand for."""
        raise NotImplementedError(f"{type(self).__qualname__} has no decode()")


class CharTokenizer(Tokenizer):
    """One token for each character of a vocabulary, and token 0 for every other.

    `vocab` holds the tokens in their order, `vocab_size` is their number.
    """

    def __init__(self, vocab: Iterable[str] | None = None) -> None:
        self.unk_id = 0
        self._set([] if vocab is None else vocab)

    def build_vocab(self, corpus: Iterable[str]) -> None:
        """Take the characters of all texts of `corpus`, sorted."""
        self._set(sorted({character for text in corpus for character in text}))

    def _set(self, characters: Iterable[str]) -> None:
        self.vocab = [UNKNOWN, *(character for character in dict.fromkeys(characters) if character != UNKNOWN)]
        self.vocab_size = len(self.vocab)
        self.id_to_char = dict(enumerate(self.vocab))
        self.char_to_id = {character: token for token, character in enumerate(self.vocab)}

    def encode(self, text: str) -> list[int]:
        """One integer for each character. UsageError for what is no text."""
        return [self.char_to_id.get(character, self.unk_id) for character in _text(text)]

    def decode(self, tokens: Any) -> str:
        """The characters, "<UNK>" for an unknown one. UsageError for tokens that are not in the vocabulary."""
        return "".join(self.vocab[token] for token in checked_tokens(tokens, self.vocab_size).ravel())

    def __repr__(self) -> str:
        return f"CharTokenizer({self.vocab_size})"


class BPETokenizer(Tokenizer):
    """Byte-pair encoding (Sennrich, Haddow & Birch 2016): the commonest pair of neighbours becomes one token, again
    and again, until there are `vocab_size` tokens.

    It starts from the characters of the corpus. A character that the corpus did not have is spelled in its UTF-8 bytes,
    tokens `len(vocab)` to `len(vocab) + 255`: any text comes back as it was. A model needs `token_count` embeddings.
    """

    def __init__(self, vocab_size: int = 1000) -> None:
        self.vocab_size = _size(vocab_size)
        self.merges: list[Pair] = []
        self._set([])

    @property
    def token_count(self) -> int:
        """Number of different tokens: the vocabulary and 256 bytes."""
        return len(self.vocab) + BYTES

    def train(self, corpus: Iterable[str], vocab_size: int | None = None) -> None:
        """Learn the vocabulary from `corpus`, a text or many; equally common pairs in the order of the alphabet."""
        self.vocab_size = self.vocab_size if vocab_size is None else _size(vocab_size)
        texts = [corpus] if isinstance(corpus, str) else corpus
        counts = Counter(word for text in texts for word in WORDS.findall(_text(text)))
        words = [(list(word), count) for word, count in counts.items()]
        alphabet = sorted({character for word in counts for character in word})[: self.vocab_size]
        self.merges = _learn(words, self.vocab_size - len(alphabet))
        self._set([*alphabet, *dict.fromkeys("".join(pair) for pair in self.merges)])

    def _set(self, vocab: list[str]) -> None:
        self.vocab = vocab
        self.token_to_id = {token: number for number, token in enumerate(vocab)}
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Integers below `token_count`. UsageError for what is no text."""
        tokens: list[int] = []
        for word in WORDS.findall(_text(text)):
            if word not in self._known:
                self._known[word] = [token for symbol in self._merged(list(word)) for token in self._numbers(symbol)]
            tokens += self._known[word]
        return tokens

    def _merged(self, symbols: list[str]) -> list[str]:
        """Apply the merges in the order in which they were learned."""
        while len(symbols) > 1:
            pair = min(pairwise(symbols), key=lambda pair: self._ranks.get(pair, len(self.merges)))
            if pair not in self._ranks:
                break
            symbols = _joined(symbols, pair)
        return symbols

    def _numbers(self, symbol: str) -> list[int]:
        if symbol in self.token_to_id:
            return [self.token_to_id[symbol]]
        return [len(self.vocab) + byte for byte in symbol.encode("utf-8", "surrogatepass")]

    def decode(self, tokens: Any) -> str:
        """The text; bytes that make no character become U+FFFD. UsageError for tokens beyond `token_count`."""
        content = bytearray()
        for token in checked_tokens(tokens, self.token_count).ravel().tolist():
            is_byte = token >= len(self.vocab)
            content += (
                bytes([token - len(self.vocab)]) if is_byte else self.vocab[token].encode("utf-8", "surrogatepass")
            )
        try:
            return content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return content.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"BPETokenizer({self.vocab_size})"


def _learn(words: list[tuple[list[str], int]], tokens: int) -> list[Pair]:
    """The merges that make up to `tokens` new tokens from words, lists of symbols with their counts."""
    counts, places = Counter[Pair](), defaultdict[Pair, set[int]](set)
    for number, (symbols, count) in enumerate(words):
        for pair in pairwise(symbols):
            counts[pair] += count
            places[pair].add(number)
    waiting = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(waiting)
    merges: list[Pair] = []
    while waiting and len(merges) < tokens:
        count, best = heapq.heappop(waiting)
        if not count or -count != counts[best]:
            continue  # it was counted anew since
        merges.append(best)
        changed: set[Pair] = set()
        for number in places.pop(best):
            symbols, times = words[number]
            before = Counter(pairwise(symbols))
            symbols[:] = _joined(symbols, best)
            after = Counter(pairwise(symbols))
            for pair in before.keys() | after.keys():
                if before[pair] != after[pair]:
                    counts[pair] += (after[pair] - before[pair]) * times
                    places[pair].add(number)
                    changed.add(pair)
        for pair in changed:
            heapq.heappush(waiting, (-counts[pair], pair))
    return merges


def _joined(symbols: list[str], pair: Pair) -> list[str]:
    """`symbols` with every occurrence of `pair` as one symbol."""
    joined: list[str] = []
    for symbol in symbols:
        if joined and (joined[-1], symbol) == pair:
            joined[-1] = joined[-1] + symbol
        else:
            joined.append(symbol)
    return joined


def _size(vocab_size: int) -> int:
    if vocab_size < 1:
        raise UsageError(f"a vocabulary needs at least 1 token, not {vocab_size}")
    return vocab_size


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise UsageError(f"a tokenizer needs text, not {type(text).__name__}")
    return text
