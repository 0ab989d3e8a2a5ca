"""What the course promises of module 01, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor

A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])


@pytest.mark.parametrize("data", [[1, 2], [[1.5, 2.5]], 3, np.arange(4.0), np.ones((2, 2))])
def test_whatever_goes_in_becomes_float32(data: object) -> None:
    tensor = Tensor(data)

    assert (tensor.data.dtype, tensor.shape, tensor.size) == (np.float32, np.shape(data), np.size(data))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda a, b: a + b, A + B),
        (lambda a, b: a - b, A - B),
        (lambda a, b: a * b, A * B),
        (lambda a, b: a / b, A / B),
        (lambda a, b: a @ b, A @ B),
        (lambda a, b: a.matmul(b), A @ B),
        (lambda a, b: a + 1, A + 1),
        (lambda a, b: a * 2, A * 2),
        (lambda a, b: a.reshape(4), A.reshape(4)),
        (lambda a, b: a.reshape(-1, 1), A.reshape(-1, 1)),
        (lambda a, b: a.transpose(), A.T),
        (lambda a, b: a[0], A[0]),
        (lambda a, b: a.sum(), A.sum()),
        (lambda a, b: a.sum(axis=0), A.sum(axis=0)),
        (lambda a, b: a.mean(axis=1, keepdims=True), A.mean(axis=1, keepdims=True)),
        (lambda a, b: a.max(axis=0), A.max(axis=0)),
    ],
)
def test_an_operation_gives_a_tensor_with_numpy_s_values(result, expected) -> None:
    found = result(Tensor(A), Tensor(B))

    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.data, expected, rtol=1e-6)


def test_transpose_swaps_two_axes() -> None:
    assert Tensor(np.zeros((2, 3, 4))).transpose(1, 2).shape == (2, 4, 3)


def test_a_smaller_shape_is_broadcast() -> None:
    np.testing.assert_array_equal((Tensor(A) + Tensor([10, 20])).data, A + np.array([10, 20]))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every implementation has words of its own
        Tensor(np.ones((2, 3))) @ Tensor(np.ones((2, 3)))


def test_a_tensor_is_an_array_when_asked() -> None:
    np.testing.assert_array_equal(Tensor(A).numpy(), A)
