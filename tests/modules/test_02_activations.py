"""What the course promises of module 02, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.tensor import Tensor

X = np.array([[-2.0, 0.0, 3.0]], np.float32)
GELU_OF_X = [[-0.0455, 0.0, 2.996]]
VALUES = {
    ReLU: [[0.0, 0.0, 3.0]],
    Sigmoid: 1 / (1 + np.exp(-X)),
    Tanh: np.tanh(X),
    GELU: GELU_OF_X,
    Softmax: np.exp(X) / np.exp(X).sum(),
}
NAMES = ["ReLU", "Sigmoid", "Tanh", "GELU", "Softmax"]


@pytest.mark.parametrize("kind", VALUES, ids=NAMES)
def test_it_has_its_formula_s_values(kind: type) -> None:
    found = kind()(Tensor(X))

    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.data, VALUES[kind], atol=0.02 if kind is GELU else 1e-6)


@pytest.mark.parametrize("kind", VALUES, ids=NAMES)
def test_forward_is_the_call(kind: type) -> None:
    np.testing.assert_array_equal(kind().forward(Tensor(X)).data, kind()(Tensor(X)).data)


@pytest.mark.parametrize("kind", VALUES, ids=NAMES)
def test_it_has_nothing_to_learn(kind: type) -> None:
    assert list(kind().parameters()) == []


@pytest.mark.parametrize("kind", VALUES, ids=NAMES)
def test_it_leaves_its_input_as_it_was(kind: type) -> None:
    x = Tensor(X)
    kind()(x)

    np.testing.assert_array_equal(x.data, X)


@pytest.mark.parametrize("kind", [Sigmoid, Softmax, Tanh], ids=["Sigmoid", "Softmax", "Tanh"])
def test_large_numbers_stay_finite(kind: type) -> None:
    assert np.isfinite(kind()(Tensor([[1000.0, -1000.0]])).data).all()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_adds_up_to_one_along_the_axis_that_is_asked_for(axis: int) -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(3, 4)))

    np.testing.assert_allclose(Softmax()(x, dim=axis).data.sum(axis=axis), 1, rtol=1e-6)


def test_softmax_takes_the_last_axis_when_none_is_named() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(3, 4)))

    np.testing.assert_allclose(Softmax()(x).data.sum(axis=1), 1, rtol=1e-6)
