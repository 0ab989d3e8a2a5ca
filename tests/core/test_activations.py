"""Activations: values, axes, large numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.layers import (
    Layer,
)
from tinytorch.core.tensor import Tensor


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (ReLU(), [0, 2]),
        (Sigmoid(), [0.26894142, 0.88079708]),
        (Tanh(), [-0.76159416, 0.96402758]),
        (GELU(), [-0.15880801, 1.9545977]),
    ],
)
def test_activations(layer: Layer, expected: list[float]) -> None:
    np.testing.assert_allclose(layer(np.array([-1.0, 2.0])), expected, rtol=1e-6)


def test_softmax_adds_up_to_one() -> None:
    np.testing.assert_allclose(Softmax()(np.ones((2, 4))), 0.25)


def test_softmax_takes_its_axis_at_the_call_too() -> None:
    x = Tensor(np.ones((2, 4)))
    np.testing.assert_array_equal(Softmax()(x, dim=0), np.full((2, 4), 0.5))
    np.testing.assert_array_equal(Softmax(dim=0)(x), Softmax().forward(x, 0))


@pytest.mark.parametrize("layer", [Softmax(), Sigmoid(), Tanh(), GELU()])
def test_activations_of_large_numbers_are_finite(layer: Layer) -> None:
    x = Tensor([[1e4, -1e4]], requires_grad=True)
    layer(x).sum().backward()
    assert np.isfinite(x.grad).all()
