"""Raw times as text that a person can read: a string for each placement, `;` between blocks, spaces between samples.

`8123 8110 8095; 8101 8092 8090` are two blocks of three samples, nanoseconds. There is one way to write given times, so
that equal times have equal digests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, BeforeValidator, Field

from tinytorch.showing import safe_text

Times = NDArray[np.int64]  # [placement, block, sample] nanoseconds

BLOCK, SAMPLE = "; ", " "
MOST_SAMPLES = 500_000  # of one model: twice what the longest tier can measure
MOST_PLACEMENTS = 10_000  # a hundred times what the longest tier has
MOST_DIGITS = 18  # of one time: thirty years, and no integer of 64 bits overflows
_TIME = re.compile(rf"[1-9][0-9]{{0,{MOST_DIGITS - 1}}}")
_PLACEMENT = re.compile(rf"{_TIME.pattern}(?:;? {_TIME.pattern})*+")
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")


def write_samples(times: ArrayLike) -> list[str]:
    """The texts of times [placement, block, sample]; ValueError for unequal placements or blocks."""
    return [BLOCK.join(SAMPLE.join(map(str, block)) for block in placement) for placement in _array(times).tolist()]


def read_samples(texts: Sequence[str]) -> Times:
    """Times [placement, block, sample] of texts that `check_samples` lets through."""
    blocks = texts[0].split(BLOCK)
    flat = np.fromstring(SAMPLE.join(texts).replace(";", ""), dtype=np.int64, sep=SAMPLE)
    return flat.reshape(len(texts), len(blocks), blocks[0].count(SAMPLE) + 1)


def check_samples(texts: list[str]) -> list[str]:
    """The texts; ValueError says in which placement and block something is wrong."""
    counts = [text.count(SAMPLE) + 1 for text in texts]
    if sum(counts) > MOST_SAMPLES:
        raise ValueError(f"more than {MOST_SAMPLES:,} samples")
    if _are_in_order(texts, counts):
        return texts
    shapes = [_shape(text, number) for number, text in enumerate(texts)]
    for number, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(f"placement {number}: {_words(shape)} where placement 0 has {_words(shapes[0])}")
    return texts


def write_block(times: Sequence[int]) -> str:
    """The text of one block alone."""
    (text,) = write_samples([[times]])
    return text


def read_block(text: str) -> list[int]:
    """The times of one block, nanoseconds."""
    times: list[int] = read_samples([text])[0, 0].tolist()
    return times


def _array(times: ArrayLike) -> Times:
    try:
        array = np.asarray(times, dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"unequal placements or blocks, or no whole nanoseconds: {error}") from None
    if array.ndim != 3:
        raise ValueError(f"times must be [placement][block][sample], got {array.ndim} levels")
    return array


def _are_in_order(texts: Sequence[str], counts: Sequence[int]) -> bool:
    """Whether nothing is wrong, at one look at all: three times as quick as to go through the texts one by one."""
    samples, blocks = counts[0], texts[0].count(BLOCK) + 1
    if any(count != samples for count in counts) or samples % blocks:
        return False
    signs = np.frombuffer((SAMPLE.join(texts) + SAMPLE).encode("utf-8", "replace"), dtype=np.uint8)
    ends = np.flatnonzero(signs == ord(SAMPLE))
    starts, ends_block = np.concatenate(([0], ends[:-1] + 1)), signs[ends - 1] == ord(";")
    digits = ends - starts - ends_block
    expected = np.zeros((len(texts), blocks, samples // blocks), dtype=bool)
    expected[:, :-1, -1] = True
    are_times = digits.min() >= 1 and digits.max() <= MOST_DIGITS and signs[starts].min() > ord("0")
    are_digits = np.count_nonzero((signs >= ord("0")) & (signs <= ord("9"))) == digits.sum()
    return bool(are_times and are_digits and np.array_equal(ends_block, expected.ravel()))


def _shape(text: str, placement: int) -> tuple[int, int]:
    """How many blocks there are and how many samples each has."""
    if not _PLACEMENT.fullmatch(text):
        raise ValueError(_fault(text, placement))
    between = text.translate(_WITHOUT_DIGITS)
    blocks, first = between.count(";") + 1, between.partition(";")[0].count(SAMPLE) + 1
    if between != BLOCK.join([SAMPLE * (first - 1)] * blocks):
        raise ValueError(f"placement {placement}: its blocks are of unequal length")
    return blocks, first


def _fault(text: str, placement: int) -> str:
    """What is wrong with a text that is none."""
    for number, block in enumerate(text.split(BLOCK)):
        for sample in block.split(SAMPLE):
            if not _TIME.fullmatch(sample):
                found = f"'{safe_text(sample, 40)}'" if sample else "nothing"
                return f"placement {placement}, block {number}: {found} is no whole number of nanoseconds above 0"
    return f"placement {placement}: one space between samples and '; ' between blocks is expected"


def _words(shape: tuple[int, int]) -> str:
    return f"{shape[0]} blocks of {shape[1]} samples"


def _only_texts(value: Any) -> Any:
    """The first wrong element ends the reading of a hostile file, which may have half a million of them."""
    if isinstance(value, list):
        wrong = next((number for number, each in enumerate(value) if not isinstance(each, str)), None)
        if wrong is not None:
            raise ValueError(f"placement {wrong} is no text of samples")
    return value


def _check_block(text: str) -> str:
    if ";" in text:
        raise ValueError("one block is expected, without ';'")
    (checked,) = check_samples([text])
    return checked


SamplesNs = Annotated[
    list[str],
    Field(min_length=1, max_length=MOST_PLACEMENTS),
    BeforeValidator(_only_texts),
    AfterValidator(check_samples),
]
BlockNs = Annotated[str, AfterValidator(_check_block)]
