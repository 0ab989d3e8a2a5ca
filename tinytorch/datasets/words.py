"""English without its spaces: letters, and for each letter its place in its word; provenance in `words.md`.

A prompt is 64 letters of a text, from the beginning of a word on; the answer to a letter is how many letters of its
word stand before it, 0 to 15. So an answer of 0 is the beginning of a word, which only knowing words can tell.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.ops import Array
from tinytorch.datasets.shipped import shipped_arrays
from tinytorch.datasets.withheld import withholdable

WORDS_PATH = Path(__file__).with_name("words.npz")
WORDS_SHA256 = "f3e3188ad7dd4d0cfeaacdfe1b2b8cec100d79be65be61d9c7ea650d56da206b"
LETTERS = 26
PLACES = 16  # the last stands for every place after it, too
TOKENS = LETTERS + PLACES  # letters are 0..25, places 26..41
LENGTH = 64
TRAIN_PROMPTS = 8192
TEST_PROMPTS = 256  # a prompt's accuracy has a standard deviation of 8 points; so many leave half of one
TRAIN_SEED, TEST_SEED = 77, 5
MOST_WORDS = 8  # of a first cut, before a second one; together they are half of a prompt
SPACE, FIRST_LETTER = b" a"


class Text:
    """Words of small letters, uint8 (N,), as the letters without spaces and where words begin."""

    def __init__(self, content: Array) -> None:
        is_space = content == SPACE
        begins = np.concatenate([[True], is_space[:-1]]) & ~is_space
        self.letters = (content[~is_space] - FIRST_LETTER).astype(np.int64)
        self.begins = begins[~is_space]
        self.starts = np.flatnonzero(self.begins[: len(self.letters) - LENGTH + 1])

    def words(self) -> Iterator[bytes]:
        """Its words in order."""
        ends = np.append(np.flatnonzero(self.begins), len(self.letters))
        content = (self.letters + FIRST_LETTER).astype(np.uint8).tobytes()
        return (content[start:end] for start, end in itertools.pairwise(ends))

    def prompts(self, starts: Array) -> tuple[Array, Array]:
        """Prompts (N, 64) from the letters number `starts` (N,) on, each the first of a word, and answers (N, 64)."""
        return self.read_at(starts[:, None] + np.arange(LENGTH))

    def read_at(self, window: Array) -> tuple[Array, Array]:
        """The letters that stand at places (N, 64) of the text, and their answers (N, 64)."""
        place_in_prompt = np.arange(LENGTH)
        word_began = np.maximum.accumulate(np.where(self.begins[window], place_in_prompt, 0), axis=1)
        places = np.minimum(place_in_prompt - word_began, PLACES - 1)
        return self.letters[window], LETTERS + places

    def drawn(self, count: int, seed: int) -> tuple[Array, Array]:
        """So many prompts and answers, the same ones for a seed on every machine."""
        generator = np.random.RandomState(seed)  # its stream is frozen for ever (NEP 19), default_rng's is not
        return self.prompts(self.starts[generator.randint(0, len(self.starts), count)])


def load_words() -> tuple[TensorDataset, TensorDataset]:
    """Training split (8,192 prompts) and test split (256), the same on every call and machine.

    Labels are the answers, int64 (N, 64) in 26..41. Inputs are int64: in the test split the prompts (N, 64) in 0..25;
    in the training split a prompt and its answer without the last token, (N, 127), as teacher forcing needs it.
    Raises SetupMissingError when the file is absent or not the one that was shipped.
    """
    return splits_of(shipped_arrays(WORDS_PATH, WORDS_SHA256))


def splits_of(arrays: Mapping[str, Array]) -> tuple[TensorDataset, TensorDataset]:
    """Training and test split of a file's texts."""
    prompts, answers = Text(arrays["train"]).drawn(TRAIN_PROMPTS, TRAIN_SEED)
    test = withholdable(lambda: TensorDataset(*Text(arrays["test"]).drawn(TEST_PROMPTS, TEST_SEED)))
    return TensorDataset(with_answers(prompts, answers), answers), test


@cache
def text_of(split: str) -> Text:
    """The whole text, `train` or `test`."""
    return Text(shipped_arrays(WORDS_PATH, WORDS_SHA256)[split])


def other_cuts(prompts: Array, generator: np.random.Generator) -> Array:
    """New prompts of the letters of the given ones (N, 64): the end of one, then the beginning of another.

    No text is read for it, which a box would not show.
    """
    count = len(prompts)
    place = np.arange(LENGTH) + generator.integers(1, LENGTH, (count, 1))
    ends = np.take_along_axis(prompts, np.minimum(place, LENGTH - 1), axis=1)
    begins = np.take_along_axis(prompts[generator.integers(0, count, count)], place % LENGTH, axis=1)
    cuts: Array = np.where(place < LENGTH, ends, begins)
    return cuts


def fresh_samples(count: int, generator: np.random.Generator) -> TensorDataset:
    """So many new prompts (N, 64) and their answers (N, 64)."""
    text = text_of("test")
    return TensorDataset(*text.read_at(_other_places(text, count, generator)))


def _other_places(text: Text, count: int, generator: np.random.Generator) -> Array:
    """Where the letters (N, 64) of new prompts stand: some words of one cut, then the beginning of another.

    So each is English, and hardly any was there before.
    """
    place = np.arange(LENGTH)
    number = generator.integers(0, len(text.starts) - MOST_WORDS, (count, 1))
    first, meet_at = text.starts[number], text.starts[number + generator.integers(1, MOST_WORDS + 1, number.shape)]
    second = generator.choice(text.starts, number.shape) - (meet_at - first)
    return np.where(place < meet_at - first, first, second) + place


def with_answers(prompts: Array, answers: Array) -> Array:
    """Prompts (N, T), each with its answer but for the last token behind it: (N, 2 T - 1)."""
    return np.concatenate([prompts, answers[:, :-1]], axis=1)
