"""Raw times as text: what is written comes back, and what is none is refused by its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinytorch.benchmarking.records.samples import (
    MOST_SAMPLES,
    _are_in_order,
    _shape,
    check_samples,
    read_block,
    read_samples,
    write_block,
    write_samples,
)

TIMES = arrays(np.int64, array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.integers(1, 10**18 - 1))


@given(TIMES)
def test_times_come_back_as_they_went(times: np.ndarray) -> None:
    np.testing.assert_array_equal(read_samples(write_samples(times)), times)


def test_a_placement_is_one_line_that_a_person_can_read() -> None:
    assert write_samples([[[8123, 8110], [8095, 8101]], [[7, 8], [9, 10]]]) == ["8123 8110; 8095 8101", "7 8; 9 10"]


def test_a_block_alone_comes_back() -> None:
    assert read_block(write_block([3, 1, 2])) == [3, 1, 2]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["1 2; 3 x"], "placement 0, block 1: 'x' is no whole number"),
        (["1 2", "1 -2"], "placement 1, block 0: '-2' is no whole number"),
        (["1 0"], "'0' is no whole number of nanoseconds above 0"),
        (["1 2.5"], "'2.5' is no"),
        (["1 +2"], "'\\+2' is no"),
        (["1 1e3"], "'1e3' is no"),
        (["01 2"], "'01' is no"),
        (["1 ٣"], "is no whole number"),
        (["1 " + "9" * 19], "9999' is no"),
        (["1  2"], "nothing is no"),
        ([" 1 2"], "nothing is no"),
        (["1 2\n"], "is no whole number"),
        ([""], "placement 0, block 0: nothing is no"),
        (["1;2"], "'1;2' is no"),
        (["1 2; "], "block 1: nothing is no"),
        (["1 \x1b[31m"], r"'\\x1b\[31m' is no"),
        (["1 2; 3"], "placement 0: its blocks are of unequal length"),
        (["1 2; 3 4 5; 6"], "of unequal length"),
        (["1 2; 3 4", "1 2"], "placement 1: 1 blocks of 2 samples where placement 0 has 2 blocks of 2 samples"),
        (["1 2", "1"], "placement 1: 1 blocks of 1 samples where"),
        ([" ".join(["1"] * (MOST_SAMPLES + 1))], "more than 500,000 samples"),
    ],
)
def test_what_is_no_sample_is_refused_by_its_place(texts: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_samples(texts)


@pytest.mark.parametrize("times", [[[[1, 2], [3]]], [[[1]], [[1], [2]]], [[1, 2]], [1], [[[2**64]]]])
def test_times_of_another_shape_are_not_written(times: object) -> None:
    with pytest.raises(ValueError, match=r"unequal|levels"):
        write_samples(times)


@given(st.lists(st.text("0123456789 ;x-\n", max_size=12), min_size=1, max_size=3))
def test_a_text_is_refused_or_is_the_only_one_for_its_times(texts: list[str]) -> None:
    """Otherwise two files of one meaning had two digests."""
    try:
        times = read_samples(check_samples(texts))
    except ValueError:
        return

    assert write_samples(times) == texts


def one_by_one(texts: list[str]) -> bool:
    """Whether each text is in order, and has the shape of the first."""
    try:
        return len({_shape(text, number) for number, text in enumerate(texts)}) == 1
    except ValueError:
        return False


@given(st.lists(st.from_regex(r"([1-3]0?(; |;| |  )){0,3}[0-2é]", fullmatch=True), min_size=1, max_size=3))
@example(["1 2; 3", "4 5 6; 7 8"])
@example(["1;", "2"])
@example(["1" * 18])
@example(["1" * 19])
def test_one_look_at_all_texts_says_what_a_look_at_each_does(texts: list[str]) -> None:
    assert _are_in_order(texts, [text.count(" ") + 1 for text in texts]) == one_by_one(texts)
