"""Quantization: error bound, bytes, kinds, and what it leaves alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear, Sequential, find_layers, layer_kinds, parameter_count
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.quantization import QuantizedLinear, quantize_array, quantize_model

WEIGHTS = arrays(np.float32, array_shapes(min_dims=2, max_dims=2), elements=st.floats(-100, 100, width=32))


def model() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(6, 16, rng=rng), ReLU(), Sequential(Linear(16, 3, bias=False, rng=rng)))


@given(weight=WEIGHTS)
@example(weight=np.array([[1e-45]], np.float32))  # its scale would underflow to zero
def test_no_weight_moves_by_more_than_half_a_step(weight: np.ndarray) -> None:
    codes, scale = quantize_array(weight)
    assert (np.abs(codes * scale.astype(np.float64) - weight) <= 0.5001 * scale).all()


def test_zeros_stay_zeros() -> None:
    codes, scale = quantize_array(np.zeros((3, 2), np.float32))
    assert not codes.any()
    assert np.isfinite(scale).all()


def test_weights_are_really_stored_as_bytes() -> None:
    layer = QuantizedLinear.from_linear(Linear(100, 10))
    assert layer.bias is not None
    assert (layer.codes.nbytes, layer.scale.nbytes, layer.bias.nbytes) == (1000, 40, 40)


def test_a_pickled_quantized_model_is_small() -> None:
    big = Sequential(Linear(300, 300))
    assert len(pickle.dumps(quantize_model(big))) < 0.3 * len(pickle.dumps(big))


def test_outputs_stay_close() -> None:
    original, inputs = model(), np.random.default_rng(1).standard_normal((20, 6))
    np.testing.assert_allclose(quantize_model(original)(inputs), original(inputs), atol=0.1)


def test_kinds_and_logical_weights_stay() -> None:
    original = model()
    quantized = quantize_model(original)
    assert layer_kinds(quantized) == layer_kinds(original)
    assert parameter_count(quantized) == parameter_count(original) == 6 * 16 + 16 + 16 * 3


def test_nothing_is_left_to_train() -> None:
    assert quantize_model(model()).parameters() == []


def test_the_original_is_untouched() -> None:
    original = model()
    before = [array.copy() for array in original.weights()]
    quantized = quantize_model(original)
    assert all((a == b).all() for a, b in zip(original.weights(), before, strict=True))
    assert not any(np.shares_memory(a, b) for a in original.weights() for b in quantized.weights())


def test_weights_that_are_not_finite_are_refused() -> None:
    with pytest.raises(UsageError, match="NaN"):
        quantize_array(np.array([[np.nan]]))


def test_a_model_without_linear_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a Linear"):
        quantize_model(Sequential(ReLU()))


class Net(Layer):
    """A student's model, with its own forward."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.first, self.second = Linear(6, 6, rng=rng), Linear(6, 6, rng=rng)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.second(self.first(inputs))


class Doubled(Linear):
    """A Linear that does more."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) * 2


@pytest.mark.parametrize("wrap", [lambda net: net, Sequential, lambda net: Sequential(Sequential(net))])
def test_a_model_of_any_class_is_quantized_and_keeps_its_forward(wrap) -> None:
    original, inputs = wrap(Net()), np.random.default_rng(1).standard_normal((20, 6))
    quantized = quantize_model(original)

    assert [type(layer) for layer in find_layers(quantized)].count(QuantizedLinear) == 2
    assert [type(layer) for layer in find_layers(quantized)].count(Linear) == 0
    np.testing.assert_allclose(quantized(inputs).data, original(inputs).data, atol=0.1)


def test_a_layer_that_is_used_twice_stays_one() -> None:
    layer = Linear(6, 6)
    quantized = quantize_model(Sequential(layer, ReLU(), layer))

    assert quantized[0] is quantized[2]


def test_a_linear_with_a_forward_of_its_own_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="Doubled has a forward of its own"):
        quantize_model(Sequential(Doubled(2, 2)))
