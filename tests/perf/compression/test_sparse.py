"""Sparse storage: nothing is lost, nothing is kept twice, and it combines with the other forms."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential, layer_kinds, parameter_count
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.compression import SharedWeight, SparseWeight, prune_weights, share_weights, sparsify
from tinytorch.perf.compression.sparse import CsrWeight, csr, sparse
from tinytorch.perf.quantization import QuantizedWeight, quantize_model


def pruned(shape: tuple[int, ...], sparsity: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.where(rng.random(shape) < sparsity, 0, rng.standard_normal(shape)).astype(np.float32)


SPARSE = arrays(np.float32, array_shapes(max_dims=3, max_side=40), elements=st.sampled_from([0, 0, 0, 0, 0, 1.5]))


@given(weight=SPARSE)
def test_nothing_is_lost(weight: np.ndarray) -> None:
    found = sparse(weight)

    assert found is None or found.nbytes < weight.nbytes
    if found is not None:
        np.testing.assert_array_equal(found.dense(), weight)


@pytest.mark.parametrize("gap", [1, 2, 254, 255, 256, 257, 510, 511, 1000])
def test_gaps_of_any_length_are_bridged(gap: int) -> None:
    weight = np.zeros(3000, np.float32)
    weight[[5, 5 + gap, 2999]] = 1, 2, 3
    found = sparse(weight)

    assert not found.is_mask
    np.testing.assert_array_equal(found.dense(), weight)


@pytest.mark.parametrize(("sparsity", "is_mask"), [(0.5, True), (0.8, True), (0.95, False), (0.99, False)])
def test_the_smaller_of_both_forms_is_kept(sparsity: float, is_mask: bool) -> None:
    weight = pruned((200, 100), sparsity)
    found, left = sparse(weight), np.count_nonzero(weight)

    assert found.is_mask == is_mask
    assert found.nbytes <= min(4 * left + 2500, 5 * left + 5 * 20_000 / 255)


def test_a_dense_weight_stays_as_it_is() -> None:
    model = sparsify(Sequential(Linear(4, 3)))

    assert isinstance(model[0].weight, Tensor)
    assert sparse(pruned((20, 20), 0.0)) is None


@pytest.mark.parametrize("weight", [np.zeros((30, 20), np.float32), pruned((1, 1), 1.0), pruned((4, 0), 0.5)])
def test_nothing_but_zeros_takes_next_to_nothing(weight: np.ndarray) -> None:
    found = sparse(weight)

    assert found is None or (found.nbytes == 0 and (found.dense() == weight).all())


def model() -> Sequential:
    rng = np.random.default_rng(0)
    whole = Sequential(Linear(60, 50, rng=rng), ReLU(), Linear(50, 30, rng=rng)).eval()
    return prune_weights(whole, sparsity=0.9)


INPUTS = np.random.default_rng(1).standard_normal((5, 60))


def test_a_pruned_model_computes_the_same() -> None:
    small = sparsify(model())

    np.testing.assert_allclose(small(INPUTS).data, model()(INPUTS).data, rtol=1e-5, atol=1e-6)
    assert (layer_kinds(small), parameter_count(small)) == (layer_kinds(model()), parameter_count(model()))


COMBINED = {
    "shared": (lambda model: share_weights(model, clusters=16), SharedWeight),
    "int8": (quantize_model, QuantizedWeight),
    "int4": (lambda model: quantize_model(model, bits=4), QuantizedWeight),
}


@pytest.mark.parametrize(("combine", "form"), COMBINED.values(), ids=COMBINED.keys())
def test_what_is_left_takes_another_form(combine, form: type) -> None:
    small, plain = sparsify(model()), combine(model())
    both = combine(small)

    assert isinstance(both[0].weight, SparseWeight)
    assert isinstance(both[0].weight.values, form)
    assert (both[0].weight.dense() == 0).sum() >= 2700
    sizes = [sum(layer.weight.nbytes for layer in (each[0], each[2])) for each in (both, small, plain)]
    assert sizes[0] < min(sizes[1:])
    error = np.linalg.norm(both(INPUTS).data - model()(INPUTS).data) / np.linalg.norm(model()(INPUTS).data)
    assert error < 0.3


def test_a_form_that_is_combined_already_is_left_alone() -> None:
    both = share_weights(sparsify(model()))
    again = quantize_model(Sequential(*both, Linear(30, 2)))

    assert isinstance(again[0].weight.values, SharedWeight)


def test_a_saved_model_is_as_small() -> None:
    small = share_weights(sparsify(model()), clusters=16)
    kept = sum(layer.weight.nbytes + layer.bias.data.nbytes for layer in (small[0], small[2]))

    assert len(pickle.dumps(small, 5)) < kept + 2500
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(small))(INPUTS).data, small(INPUTS).data)


def test_compressed_rows_multiply_without_becoming_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    small = sparsify(model(), form="csr")
    plain = model()(INPUTS).data
    monkeypatch.setattr(CsrWeight, "dense", None)

    assert isinstance(small[0].weight, CsrWeight)
    np.testing.assert_allclose(small(INPUTS).data, plain, rtol=1e-4, atol=1e-5)


def test_gradients_of_inputs_go_through_compressed_rows() -> None:
    inputs = Tensor(INPUTS, requires_grad=True)
    sparsify(model(), form="csr")(inputs).sum().backward()

    assert np.isfinite(inputs.grad).all()


@pytest.mark.parametrize("weight", [pruned((4, 3, 3, 3), 0.9), pruned((20, 20), 0.0), pruned((5,), 0.9)])
def test_what_is_no_matrix_or_too_full_has_no_rows(weight: np.ndarray) -> None:
    assert csr(weight) is None


@given(
    weight=arrays(
        np.float32, array_shapes(min_dims=2, max_dims=2, max_side=30), elements=st.sampled_from([0, 0, 0, 2.5])
    )
)
def test_nothing_is_lost_in_rows(weight: np.ndarray) -> None:
    found = csr(weight)

    assert found is None or (found.dense() == weight).all()


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(UsageError, match="no form"):
        sparsify(model(), form="coo")  # type: ignore[arg-type]


@pytest.mark.parametrize(("columns", "kind"), [(2**16, np.uint16), (2**16 + 1, np.uint32)])
def test_columns_take_two_bytes_as_long_as_they_can(columns: int, kind: type) -> None:
    weight = np.zeros((2, columns), np.float32)
    weight[1, -1] = 3
    found = csr(weight)

    assert found.columns.dtype == kind
    np.testing.assert_array_equal(found.dense(), weight)
