"""Neurons of one size: the same function, and one scale for each layer."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import GELU, ReLU, Tanh
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.metrics import accuracy
from tinytorch.core.spatial import BatchNorm2d, Conv2d, Flatten, MaxPool2d
from tinytorch.core.tensor import Tensor
from tinytorch.datasets import load_digits
from tinytorch.errors import UsageError
from tinytorch.perf.compression import fine_tune
from tinytorch.perf.quantization import equalize, quantize_model

TRAIN, TEST = load_digits()
IMAGES = np.random.default_rng(0).standard_normal((3, 1, 8, 8)).astype(np.float32)


def perceptron() -> Sequential:
    hidden = (Linear(64, 20, rng=1), ReLU(), Dropout(0.1), Linear(20, 12, rng=2), ReLU())
    return Sequential(*hidden, Linear(12, 10, rng=3)).eval()


def convolutions() -> Sequential:
    first, second = Conv2d(1, 6, 3, padding=1, rng=1), Conv2d(6, 4, 3, rng=2)
    return Sequential(first, ReLU(), MaxPool2d(2), second, ReLU(), Flatten(), Linear(16, 10, rng=3)).eval()


@pytest.mark.parametrize(("make", "inputs"), [(perceptron, TEST.inputs), (convolutions, IMAGES)])
def test_outputs_stay_and_hidden_neurons_are_of_one_size(make, inputs: np.ndarray) -> None:
    model = make()
    model[0].bias.data[:] = np.arange(model[0].bias.size)
    before = [array.copy() for array in model.weights()]
    equal = equalize(model)
    np.testing.assert_allclose(equal(inputs).data, model(inputs).data, rtol=1e-3, atol=1e-3)
    weighted = [layer for layer in equal if hasattr(layer, "weight")]
    for layer in weighted[:-1]:
        axes = 0 if isinstance(layer, Linear) else (1, 2, 3)
        np.testing.assert_allclose(np.abs(layer.weight.data).max(axis=axes), 1, rtol=1e-5)
    assert all((a == b).all() for a, b in zip(model.weights(), before, strict=True))


def test_one_scale_serves_a_layer_then() -> None:
    small = quantize_model(equalize(perceptron()))
    assert [small[number].weight.scale.size for number in (0, 3, 5)] == [1, 1, 10]


def test_it_keeps_what_one_scale_loses() -> None:
    model = Sequential(Linear(64, 32, rng=1), ReLU(), Linear(32, 10, rng=2))
    fine_tune(model, TRAIN, epochs=15)
    model[0].weight.data[:, ::2] *= 50
    model[2].weight.data[::2] /= 50
    plain = quantize_model(model, bits=4, per_channel=False)
    equal = quantize_model(equalize(model), bits=4, per_channel=False)
    assert accuracy(equal, TEST) > accuracy(plain, TEST) + 0.1


@pytest.mark.parametrize("between", [GELU(), Tanh()])
def test_where_half_in_is_not_half_out_neurons_stay(between: Layer) -> None:
    model = Sequential(Linear(8, 5, rng=1), between, Linear(5, 2, rng=2)).eval()
    assert all((a == b).all() for a, b in zip(equalize(model).weights(), model.weights(), strict=True))


def test_a_normalization_between_leaves_neurons_alone() -> None:
    model = Sequential(Conv2d(1, 3, 3, rng=1), BatchNorm2d(3), ReLU(), Conv2d(3, 2, 3, rng=2)).eval()
    np.testing.assert_array_equal(equalize(model)[0].weight.data, model[0].weight.data)


def test_a_neuron_of_zeros_stays_one() -> None:
    model = perceptron()
    model[0].weight.data[:, 3] = 0
    assert np.isfinite(equalize(model)(TEST.inputs).data).all()


class Own(Layer):
    def __init__(self) -> None:
        self.a, self.b = Linear(8, 5, rng=1), Linear(5, 2, rng=2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.b(self.a(inputs).relu())


def test_a_class_of_somebodys_own_needs_an_example() -> None:
    with pytest.raises(UsageError, match="here is a Own"):
        equalize(Own())
    inputs = np.ones((1, 8), np.float32)
    np.testing.assert_allclose(equalize(Own(), inputs)(inputs).data, Own().eval()(inputs).data, rtol=1e-4)
