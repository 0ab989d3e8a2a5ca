"""What the course promises of module 03, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core import layers
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.tensor import Tensor

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
ONES = np.ones((200, 200), np.float32)


def test_a_linear_layer_is_a_product_and_a_bias() -> None:
    layer = Linear(4, 3)
    layer.bias.data = np.array([1.0, 2.0, 3.0], np.float32)
    found = layer(Tensor(X))

    assert layer.weight.shape == (4, 3)
    np.testing.assert_allclose(found.data, X @ layer.weight.data + layer.bias.data, rtol=1e-5, atol=1e-6)


def test_without_a_bias_it_is_the_product_alone() -> None:
    layer = Linear(4, 3, bias=False)

    np.testing.assert_allclose(layer(Tensor(X)).data, X @ layer.weight.data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("bias", "count"), [(True, 2), (False, 1)])
def test_its_parameters_are_what_it_learns(bias: bool, count: int) -> None:
    parameters = list(Linear(4, 3, bias=bias).parameters())

    assert len(parameters) == count
    assert all(parameter.requires_grad for parameter in parameters)


def test_two_layers_begin_differently() -> None:
    assert not np.array_equal(Linear(4, 3).weight.data, Linear(4, 3).weight.data)


def test_the_first_weights_are_neither_dead_nor_wild() -> None:
    assert 0.01 < np.std(Linear(100, 100).weight.data) < 0.5


def test_more_inputs_begin_with_smaller_weights() -> None:
    assert 2 * np.std(Linear(1000, 50).weight.data) < np.std(Linear(10, 50).weight.data)


def test_layers_in_a_row_are_applied_in_a_row() -> None:
    first, second = Linear(4, 3), Linear(3, 2)
    network = Sequential(first, second)

    np.testing.assert_array_equal(network(Tensor(X)).data, second(first(Tensor(X))).data)
    assert len(list(network.parameters())) == 4


def test_dropout_does_nothing_outside_of_training() -> None:
    np.testing.assert_array_equal(Dropout(0.5)(Tensor(X), training=False).data, X)


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_dropout_keeps_the_mean_in_training(p: float) -> None:
    found = Dropout(p)(Tensor(ONES), training=True).data

    np.testing.assert_allclose(np.unique(found), [0, 1 / (1 - p)], rtol=1e-5)
    assert abs(found.mean() - 1) < 0.05
    assert abs((found == 0).mean() - p) < 0.05


def test_dropout_draws_anew_each_time() -> None:
    layer = Dropout(0.5)

    assert not np.array_equal(layer(Tensor(ONES), training=True).data, layer(Tensor(ONES), training=True).data)


class OfOneOwn:
    """A model of a class that knows nothing of layers but that it has some."""

    def __init__(self) -> None:
        self.parts = [layers.Linear(4, 4), layers.Dropout(0.9)]


if "set_training_mode" in vars(layers):  # the edition of 2025 has none

    @pytest.mark.parametrize("training", [True, False])
    def test_a_mode_reaches_every_layer_inside(training: bool) -> None:
        model = OfOneOwn()
        layers.set_training_mode(model, training)

        assert np.array_equal(model.parts[1](Tensor(X)).data, X) is not training


def test_a_layer_of_one_s_own_writes_forward_and_is_called() -> None:
    class Double(Layer):
        def forward(self, x: Tensor) -> Tensor:
            return x * 2

    np.testing.assert_array_equal(Double()(Tensor(X)).data, 2 * X)
    assert list(Double().parameters()) == []
