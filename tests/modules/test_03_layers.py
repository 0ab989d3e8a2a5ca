"""What the course promises of module 03, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.tensor import Tensor

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def test_a_linear_layer_is_a_product_and_a_bias() -> None:
    layer = Linear(4, 3)
    found = layer(Tensor(X))

    assert layer.weight.shape == (4, 3)
    np.testing.assert_allclose(found.data, X @ layer.weight.data + layer.bias.data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("bias", "count"), [(True, 2), (False, 1)])
def test_its_parameters_are_what_it_learns(bias: bool, count: int) -> None:
    assert len(list(Linear(4, 3, bias=bias).parameters())) == count


def test_two_layers_begin_differently() -> None:
    assert not np.array_equal(Linear(4, 3).weight.data, Linear(4, 3).weight.data)


def test_the_first_weights_are_neither_dead_nor_wild() -> None:
    assert 0.01 < np.std(Linear(100, 100).weight.data) < 0.5


def test_layers_in_a_row_are_applied_in_a_row() -> None:
    first, second = Linear(4, 3), Linear(3, 2)
    network = Sequential(first, second)

    np.testing.assert_array_equal(network(Tensor(X)).data, second(first(Tensor(X))).data)
    assert len(list(network.parameters())) == 4


def test_dropout_does_nothing_outside_of_training() -> None:
    np.testing.assert_array_equal(Dropout(0.5)(Tensor(X), training=False).data, X)


def test_dropout_keeps_the_mean_in_training() -> None:
    found = Dropout(0.5)(Tensor(np.ones((200, 200))), training=True).data

    assert {0.0, 2.0} == set(np.unique(found))
    assert abs(found.mean() - 1) < 0.05
