"""Huffman coding: nothing is lost, no code of symbols is shorter, and memory stays as it is."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential, layer_kinds
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.compression import huffman, huffman_code, prune_weights, share_weights, sparsify
from tinytorch.perf.compression.huffman import LONGEST_CODE, CodedWeight, code_lengths, encode
from tinytorch.perf.quantization import quantize_model

BYTES = arrays(
    np.uint8, array_shapes(max_dims=2, max_side=60), elements=st.one_of(st.integers(0, 3), st.integers(0, 255))
)


@given(array=BYTES)
def test_nothing_is_lost(array: np.ndarray) -> None:
    found = encode(array).decoded()

    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)


@pytest.mark.parametrize(
    "array", [np.zeros(0, np.uint8), np.full(1000, 7, np.uint8), np.arange(-128, 128).astype(np.int8)]
)
def test_extremes_are_no_exception(array: np.ndarray) -> None:
    np.testing.assert_array_equal(encode(array).decoded(), array)


@given(counts=st.lists(st.integers(0, 1000), min_size=2, max_size=40).filter(lambda counts: sum(map(bool, counts)) > 1))
def test_lengths_are_those_of_a_complete_code_near_the_entropy(counts: list[int]) -> None:
    counted, lengths = np.array(counts), code_lengths(np.array(counts)).astype(int)
    shares = counted[counted > 0] / counted.sum()
    entropy = -(shares * np.log2(shares)).sum()
    mean = (counted * lengths).sum() / counted.sum()

    assert sum(2.0 ** -lengths[counted > 0]) == pytest.approx(1)  # Kraft's sum
    assert entropy <= mean + 1e-9 < entropy + 1


def test_a_code_known_from_textbooks() -> None:
    assert code_lengths(np.array([45, 13, 12, 16, 9, 5])).tolist() == [1, 3, 3, 3, 4, 4]


def test_no_code_is_longer_than_the_table_has_bits() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 30:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])

    assert code_lengths(np.array(fibonacci)).max() <= LONGEST_CODE


def compressed() -> Sequential:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(300, 200, rng=rng), ReLU(), Linear(200, 10, rng=rng)).eval()
    return share_weights(sparsify(prune_weights(model, sparsity=0.93)), clusters=16)


INPUTS = np.random.default_rng(1).standard_normal((3, 300))


def test_the_file_gets_smaller_and_the_model_stays() -> None:
    plain = compressed()
    coded = huffman_code(plain)
    loaded = pickle.loads(pickle.dumps(coded, 5))

    assert len(pickle.dumps(coded, 5)) < 0.88 * len(pickle.dumps(plain, 5))
    np.testing.assert_array_equal(loaded(INPUTS).data, plain(INPUTS).data)
    assert abs(footprint(loaded).kept_bytes - footprint(plain).kept_bytes) < 200
    assert layer_kinds(loaded) == layer_kinds(plain)


def test_saving_changes_nothing_in_memory() -> None:
    coded = huffman_code(compressed())
    before = footprint(coded).kept_bytes
    pickle.dumps(coded, 5)

    assert footprint(coded).kept_bytes == before
    assert isinstance(coded[0].weight.form.places, np.ndarray)


def test_copying_codes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = huffman_code(compressed())
    monkeypatch.setattr(huffman, "encode", None)  # would fail

    np.testing.assert_array_equal(copy.deepcopy(coded)(INPUTS).data, coded(INPUTS).data)


def test_dense_weights_stay_and_nothing_is_coded_twice() -> None:
    model = Sequential(Linear(4, 3), *quantize_model(Sequential(Linear(3, 2))))
    coded = huffman_code(huffman_code(model))

    assert isinstance(coded[0].weight, Tensor)
    assert isinstance(coded[1].weight, CodedWeight)
    assert not isinstance(coded[1].weight.form, CodedWeight)


def test_it_multiplies_and_gives_rows_as_its_form_does() -> None:
    coded = huffman_code(compressed())[0].weight

    np.testing.assert_array_equal(coded.rows(3), coded.form.rows(3))
    np.testing.assert_array_equal(coded.dense(), coded.form.dense())
    assert coded.nbytes == coded.form.nbytes


def test_a_stream_that_ends_too_early_is_refused() -> None:
    coded = encode(np.arange(200, dtype=np.uint8))
    with pytest.raises(UsageError, match="ends before all of it is there"):
        replace(coded, stream=coded.stream[:50]).decoded()


@pytest.mark.parametrize("step", [encode, lambda array: encode(array).decoded()])
def test_coding_takes_little_memory_beside_the_weights(step: Callable[[np.ndarray], object]) -> None:
    array = np.random.default_rng(0).normal(0, 12, 400_000).astype(np.int8)
    step(array)  # what is imported and cached at first
    tracemalloc.start()
    step(array)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 25 * array.nbytes
