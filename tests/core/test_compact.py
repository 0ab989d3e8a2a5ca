"""Compact weights: they stand in for tensors, and nothing is lost in packing."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinytorch.core.compact import CompactWeight, looked_up, pack, unpack
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.layers import Layer, Linear, Sequential, parameter_count
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import dense_weights, with_weights
from tinytorch.errors import UsageError


class Doubled(CompactWeight):
    """Keeps halves."""

    def __init__(self, weight: np.ndarray) -> None:
        self.halves, self.shape = weight / 2, weight.shape

    def dense(self) -> np.ndarray:
        return self.halves * 2


def doubled(weight: Tensor, axis: int | None) -> CompactWeight:
    return Doubled(weight.data)


@given(st.sampled_from([1, 2, 4, 8]), st.data())
def test_packing_loses_nothing_and_takes_no_bit_too_many(bits: int, data: st.DataObject) -> None:
    codes = data.draw(arrays(np.uint8, array_shapes(max_dims=3), elements=st.integers(0, 2**bits - 1)))
    packed, values = pack(codes, bits), np.linspace(-1, 1, 2**bits)

    np.testing.assert_array_equal(looked_up(packed, bits, values, codes.shape), values[codes])
    np.testing.assert_array_equal(unpack(packed, bits, codes.shape), codes)
    assert packed.nbytes == -(-codes.size * bits // 8)


RNG = np.random.default_rng(0)
LAYERS = {
    "Linear": (Linear(4, 3, rng=RNG), np.ones((2, 4))),
    "Linear without bias": (Linear(4, 3, bias=False, rng=RNG), np.ones((2, 4))),
    "Conv2d": (Conv2d(1, 2, 3, rng=RNG), np.ones((2, 1, 5, 5))),
    "Embedding": (Embedding(5, 3, rng=RNG), np.array([[1, 4, 1]])),
    "PositionalEncoding": (PositionalEncoding(6, 3, rng=RNG), np.ones((2, 4, 3))),
}


@pytest.mark.parametrize(("layer", "inputs"), LAYERS.values(), ids=LAYERS.keys())
def test_a_layer_computes_the_same_with_a_compact_weight(layer: Layer, inputs: np.ndarray) -> None:
    compact = with_weights(Sequential(layer), doubled)

    assert isinstance(compact[0].weight, Doubled)
    assert type(compact[0]) is type(layer)
    np.testing.assert_allclose(compact(inputs).data, layer(inputs).data, rtol=1e-6)
    assert parameter_count(compact) == parameter_count(layer)


def test_the_given_model_stays_as_it_is() -> None:
    model = Sequential(Linear(4, 3)).train()
    compact = with_weights(model, doubled)

    assert isinstance(model[0].weight, Tensor)
    assert (model.training, compact.training) == (True, False)
    assert [tensor.requires_grad for tensor in model.parameters()] == [True, True]
    assert [tensor.requires_grad for tensor in compact.parameters()] == [False]


def test_a_weight_that_two_layers_share_stays_one() -> None:
    first, second = Linear(4, 4), Linear(4, 4)
    second.weight = first.weight
    compact = with_weights(Sequential(first, second), doubled)

    assert compact[0].weight is compact[1].weight
    assert parameter_count(compact) == 16 + 4 + 4


def test_what_is_left_as_it_is_stays_a_tensor() -> None:
    model = Sequential(Linear(4, 3), Linear(3, 2))
    kept = with_weights(model, doubled, skip=["layers.0"])
    left = with_weights(model, lambda weight, axis: doubled(weight, axis) if weight.shape == (3, 2) else None)

    for compact in (kept, left):
        assert [type(layer.weight) for layer in compact] == [Tensor, Doubled]
        assert dense_weights(compact) == ["layers.0"]


def test_a_name_to_keep_that_no_layer_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no layer 'layer.0'") as caught:
        with_weights(Sequential(Linear(4, 3)), doubled, skip=["layer.0"])

    assert "layers.0" in caught.value.mend


def test_a_form_that_cannot_be_combined_is_left_alone() -> None:
    once = with_weights(Sequential(Linear(4, 3)), doubled)

    assert isinstance(with_weights(once, lambda weight, axis: None)[0].weight, Doubled)


def test_a_form_of_one_s_own_is_copied_and_saved() -> None:
    once = with_weights(Sequential(Linear(4, 3)), doubled)
    inputs = np.ones((1, 4))

    for again in (copy.deepcopy(once), copy.copy(once)):
        np.testing.assert_array_equal(again(inputs).data, once(inputs).data)
    found = copy.copy(once[0].weight)
    assert vars(found).keys() == vars(once[0].weight).keys()


def test_it_is_read_like_an_array() -> None:
    weight = Doubled(np.arange(6.0).reshape(2, 3))

    assert (weight.size, weight.ndim, len(weight)) == (6, 2, 2)
    np.testing.assert_array_equal(np.asarray(weight), np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(weight[1].data, [3, 4, 5])


def test_gradients_of_inputs_go_through() -> None:
    inputs = Tensor(np.ones((1, 4)), requires_grad=True)
    layer = Linear(4, 3, rng=np.random.default_rng(0))
    with_weights(layer, doubled)(inputs).sum().backward()

    np.testing.assert_allclose(inputs.grad[0], layer.weight.data.sum(axis=1), rtol=1e-6)
