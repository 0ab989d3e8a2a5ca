"""numpy's functions on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import ShapeError, UsageError

ROWS = np.array([[3.0, 1.0, 4.0], [1.0, 5.0, 9.0]], np.float32)

WITH_GRADIENT: dict[str, Any] = {
    "where": lambda x: np.where(ROWS > 2, x, 0.0),
    "concatenate": lambda x: np.concatenate([x, ROWS], axis=1),
    "stack": lambda x: np.stack([ROWS, x], axis=-1),
    "clip": lambda x: np.clip(x, 2, 5),
    "dot": lambda x: np.dot(ROWS.T, x),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "transpose": lambda x: np.transpose(x),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "ravel": lambda x: np.ravel(x),
    "squeeze": lambda x: np.squeeze(x),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "sum": lambda x: np.sum(x, axis=0),
    "mean": lambda x: np.mean(x, axis=1, keepdims=True),
    "max": lambda x: np.max(x, 1),
    "min": lambda x: np.min(x),
    "var": lambda x: np.var(x, 0),
    "std": lambda x: np.std(x, 0),
    "copy": lambda x: np.copy(x),
}


@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_a_function_with_an_operation_keeps_the_gradient(name: str) -> None:
    tensor = Tensor(ROWS, requires_grad=True)
    result = WITH_GRADIENT[name](tensor)
    np.testing.assert_allclose(result.data, WITH_GRADIENT[name](ROWS), rtol=1e-6)
    result.sum().backward()
    assert tensor.grad is not None


@pytest.mark.parametrize("name", ["all", "any", "argmax", "argmin"])
def test_a_question_is_answered(name: str) -> None:
    function = getattr(np, name)
    np.testing.assert_array_equal(function(Tensor(ROWS, requires_grad=True), 1).data, function(ROWS, 1))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.einsum("ij->i", x),
        lambda x: np.tensordot(x, x.T, 1),
        np.linalg.norm,
        lambda x: np.vstack([x, ROWS]),
        lambda x: np.split(x, 3, axis=1),
    ],
)
def test_a_function_that_would_lose_a_gradient_is_refused(call: Any) -> None:
    with pytest.raises(UsageError, match=r"numpy.* has no gradient here") as caught:
        call(Tensor(ROWS, requires_grad=True))
    assert ".data" in caught.value.mend


def test_without_a_gradient_to_lose_every_function_computes() -> None:
    tensor = Tensor(ROWS, requires_grad=True)
    assert np.allclose(tensor, ROWS)
    assert np.zeros_like(tensor).shape == (2, 3)
    with no_grad():
        assert np.linalg.norm(tensor) == np.linalg.norm(ROWS)
    assert np.linalg.norm(Tensor(ROWS)) == np.linalg.norm(ROWS)


@pytest.mark.parametrize("names", [{"out": np.zeros(3)}, {"dtype": np.float64}, {"initial": 0}])
def test_an_argument_that_the_operation_does_not_take_is_named(names: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=rf"numpy.sum of a tensor: .*{next(iter(names))}"):
        np.sum(Tensor(ROWS), axis=0, **names)


def test_a_product_of_many_axes_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"np\.dot of tensors takes up to two axes"):
        np.dot(Tensor(ROWS[None]), Tensor(ROWS.T))


def test_where_of_a_condition_alone_gives_places() -> None:
    np.testing.assert_array_equal(np.where(Tensor([3.0, 1.0]) > 2)[0], [0])
