"""Tokenizers: text as integers that a model can embed, and back."""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from tinytorch.core.arguments import whole
from tinytorch.core.embeddings import checked_tokens
from tinytorch.core.merges import Learner, Pair
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, read_regular

UNKNOWN = "<UNK>"
FORMAT = 1
LARGEST_BYTES = 2**28
MOST_KNOWN = 10_000  # words whose tokens are remembered,
LONGEST_KNOWN = 100  # if they have no more characters
BYTES = 256
WORDS = re.compile(r" ?\S+|\s+")  # pieces of a text that together are all of it; tokens do not reach over their ends


class Tokenizer:
    """Base: write `encode` and `decode`."""

    def encode(self, text: str) -> list[int]:
        """Integers that stand for `text`."""
        raise NotImplementedError(f"{type(self).__qualname__} has no encode()")

    def decode(self, tokens: Any) -> str:
        """The text that `tokens` (T,) stand for."""
        raise NotImplementedError(f"{type(self).__qualname__} has no decode()")

    @property
    def token_count(self) -> int:
        """Number of different tokens: as many embeddings a model needs."""
        raise NotImplementedError(f"{type(self).__qualname__} has no token_count")

    def facts(self) -> dict[str, Any]:
        """What a file keeps of it, as JSON has it."""
        raise NotImplementedError(f"{type(self).__qualname__} has no facts()")

    def take(self, facts: dict[str, Any]) -> None:
        """Become what `facts` say."""
        raise NotImplementedError(f"{type(self).__qualname__} has no take()")

    def save(self, path: str | Path) -> None:
        """Write a file of JSON that `load` reads, as a whole or not at all. UsageError when it cannot be written."""
        content = json.dumps({"format": FORMAT, "kind": type(self).__name__, **self.facts()})
        try:
            atomic_write(Path(path), content.encode())
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}", mend="name a file in another folder") from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """What `save` of the same class wrote. UsageError for a file that is missing, damaged, or anything else."""
        mend = f"name a file that {cls.__name__}.save() wrote"
        try:
            facts = json.loads(read_regular(Path(path), LARGEST_BYTES, may_lead_out=True))
            if (facts["format"], facts["kind"]) != (FORMAT, cls.__name__):
                raise ValueError(f"it holds a {facts['kind']} of format {facts['format']}")
            tokenizer = cls()
            tokenizer.take(facts)
        except FileNotFoundError as error:
            raise UsageError(f"there is no tokenizer {path}", mend=mend) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(f"{path} is damaged or no {cls.__name__}: {error}", mend=mend) from error
        return tokenizer


class CharTokenizer(Tokenizer):
    """One token for each character of a vocabulary, and token 0 for every other.

    `vocab` holds the tokens in their order, `vocab_size` is their number. UsageError for a vocabulary of anything but
    single characters.
    """

    def __init__(self, vocab: Iterable[str] | None = None) -> None:
        self.unk_id = 0
        self._set([] if vocab is None else vocab)

    def build_vocab(self, corpus: Iterable[str]) -> None:
        """Take the characters of all texts of `corpus`, sorted."""
        self._set(sorted({character for text in corpus for character in text}))

    @property
    def token_count(self) -> int:
        """Number of different tokens."""
        return self.vocab_size

    def facts(self) -> dict[str, Any]:
        """The vocabulary."""
        return {"vocab": self.vocab}

    def take(self, facts: dict[str, Any]) -> None:
        """Take that vocabulary."""
        self._set(facts["vocab"])

    def _set(self, given: Iterable[str]) -> None:
        characters = [character for character in given if character != UNKNOWN]
        for character in characters:
            if not isinstance(character, str) or len(character) != 1:
                mend = "give a text of all characters, or build_vocab(texts)"
                raise UsageError(f"a CharTokenizer needs single characters, not {character!r}", mend=mend)
        self.vocab = [UNKNOWN, *dict.fromkeys(characters)]
        self.vocab_size = len(self.vocab)
        self.id_to_char = dict(enumerate(self.vocab))
        self.char_to_id = {character: token for token, character in enumerate(self.vocab)}

    def encode(self, text: str) -> list[int]:
        """One integer for each character. UsageError for what is no text, or without a vocabulary."""
        if self.vocab_size == 1 and _text(text):
            raise UsageError("this CharTokenizer must have a vocabulary first", mend="call build_vocab([text])")
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
        alphabet = sorted({character for word in counts for character in word})[: self.vocab_size]
        self.merges = Learner(counts).merges(self.vocab_size - len(alphabet))
        self._set([*alphabet, *dict.fromkeys("".join(pair) for pair in self.merges)])

    def facts(self) -> dict[str, Any]:
        """Vocabulary and merges."""
        return {"vocab_size": self.vocab_size, "vocab": self.vocab, "merges": self.merges}

    def take(self, facts: dict[str, Any]) -> None:
        """Take those over; ValueError where they are none."""
        vocab, merges = facts["vocab"], [(str(first), str(second)) for first, second in facts["merges"]]
        if len(set(vocab)) < len(vocab) or not all(isinstance(token, str) and token for token in vocab):
            raise ValueError("its vocabulary must hold different texts")
        if not {first + second for first, second in merges} <= set(vocab):
            raise ValueError("its merges make tokens that the vocabulary does not have")
        self.vocab_size, self.merges = _size(facts["vocab_size"]), merges
        self._set(vocab)

    def _set(self, vocab: list[str]) -> None:
        self.vocab = vocab
        self.token_to_id = {token: number for number, token in enumerate(vocab)}
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Integers below `token_count`. UsageError for what is no text."""
        return [token for word in WORDS.findall(_text(text)) for token in self._tokens(word)]

    def _tokens(self, word: str) -> list[int]:
        """The tokens of a word; those of the last few thousand different ones are remembered."""
        if word in self._known:
            return self._known[word]
        tokens = [token for symbol in self._merged(list(word)) for token in self._numbers(symbol)]
        if len(self._known) == MOST_KNOWN:
            self._known.clear()
        if len(word) <= LONGEST_KNOWN:
            self._known[word] = tokens
        return tokens

    def _merged(self, symbols: list[str]) -> list[str]:
        """Apply the merges in the order in which they were learned, and equal ones from the left.

        Symbols stay in their places, of which a merge leaves one empty: a heap of all pairs that can be merged knows
        the next one at once, so that the time grows as n log n with the length of a word.
        """
        before, after = list(range(-1, len(symbols) - 1)), [*range(1, len(symbols)), -1]
        waiting: list[tuple[int, int, str]] = []  # rank, place, what the merge makes

        def look(place: int) -> None:
            if place >= 0 and after[place] >= 0:
                first, second = symbols[place], symbols[after[place]]
                rank = self._ranks.get((first, second))
                if rank is not None:
                    heapq.heappush(waiting, (rank, place, first + second))

        for place in range(len(symbols)):
            look(place)
        while waiting:
            rank, place, made = heapq.heappop(waiting)
            other = after[place]
            if other < 0 or self._ranks.get((symbols[place], symbols[other])) != rank:
                continue  # one of both was merged before
            symbols[place], symbols[other] = made, ""
            after[place] = after[other]
            if after[other] >= 0:
                before[after[other]] = place
            after[other] = -1
            look(before[place])
            look(place)
        return [symbol for symbol in symbols if symbol]

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


def _size(vocab_size: int) -> int:
    return whole("a vocabulary needs a number of tokens", vocab_size, 1)


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise UsageError(f"a tokenizer needs text, not {type(text).__name__}")
    return text
