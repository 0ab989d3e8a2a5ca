"""What the course promises of module 01, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor

A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
OPERATIONS = {
    "x + y": (lambda x, y: x + y, A + B),
    "x - y": (lambda x, y: x - y, A - B),
    "x * y": (lambda x, y: x * y, A * B),
    "x / y": (lambda x, y: x / y, A / B),
    "x @ y": (lambda x, y: x @ y, A @ B),
    "x.matmul(y)": (lambda x, y: x.matmul(y), A @ B),
    "x + 1": (lambda x, y: x + 1, A + 1),
    "x - 1": (lambda x, y: x - 1, A - 1),
    "x * 2": (lambda x, y: x * 2, A * 2),
    "x / 2": (lambda x, y: x / 2, A / 2),
    "1 + x": (lambda x, y: 1 + x, 1 + A),
    "1 - x": (lambda x, y: 1 - x, 1 - A),
    "2 * x": (lambda x, y: 2 * x, 2 * A),
    "2 / x": (lambda x, y: 2 / x, 2 / A),
    "x.reshape(4)": (lambda x, y: x.reshape(4), A.reshape(4)),
    "x.reshape(-1, 1)": (lambda x, y: x.reshape(-1, 1), A.reshape(-1, 1)),
    "x.reshape((1, 4))": (lambda x, y: x.reshape((1, 4)), A.reshape(1, 4)),
    "x.transpose()": (lambda x, y: x.transpose(), A.T),
    "x[0]": (lambda x, y: x[0], A[0]),
    "x[:, 1]": (lambda x, y: x[:, 1], A[:, 1]),
    "x.sum()": (lambda x, y: x.sum(), A.sum()),
    "x.sum(axis=0)": (lambda x, y: x.sum(axis=0), A.sum(axis=0)),
    "x.mean()": (lambda x, y: x.mean(), A.mean()),
    "x.mean(axis=1, keepdims=True)": (lambda x, y: x.mean(axis=1, keepdims=True), A.mean(axis=1, keepdims=True)),
    "x.sum(axis=1, keepdims=True)": (lambda x, y: x.sum(axis=1, keepdims=True), A.sum(axis=1, keepdims=True)),
    "x.max(axis=1, keepdims=True)": (lambda x, y: x.max(axis=1, keepdims=True), A.max(axis=1, keepdims=True)),
    "x.max()": (lambda x, y: x.max(), A.max()),
    "x.max(axis=0)": (lambda x, y: x.max(axis=0), A.max(axis=0)),
}
DATA = {"a list": [1, 2], "rows": [[1.5, 2.5]], "a number": 3, "an array": np.arange(4.0), "ones": np.ones((2, 2))}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_whatever_goes_in_becomes_float32(data: object) -> None:
    tensor = Tensor(data)

    assert (tensor.data.dtype, tensor.shape, tensor.size) == (np.float32, np.shape(data), np.size(data))
    np.testing.assert_array_equal(tensor.data, data)


@pytest.mark.parametrize(("compute", "expected"), OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_gives_a_tensor_with_numpy_s_values(compute, expected) -> None:
    found = compute(Tensor(A), Tensor(B))

    assert isinstance(found, Tensor)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.data, expected, rtol=1e-6)


def test_an_operation_leaves_its_inputs_as_they_were() -> None:
    x, y = Tensor(A), Tensor(B)
    for compute, _ in OPERATIONS.values():
        compute(x, y)

    np.testing.assert_array_equal(x.data, A)
    np.testing.assert_array_equal(y.data, B)


@pytest.mark.parametrize(
    ("axes", "shape"),
    [((1, 2), (2, 4, 3)), ((0, 2), (4, 3, 2)), ((), (2, 4, 3))],
    ids=["transpose(1, 2)", "transpose(0, 2)", "transpose()"],
)
def test_transpose_swaps_two_axes_the_last_ones_unless_others_are_named(axes: tuple[int, ...], shape) -> None:
    assert Tensor(np.zeros((2, 3, 4))).transpose(*axes).shape == shape


def test_a_smaller_shape_is_broadcast() -> None:
    np.testing.assert_array_equal((Tensor(A) + Tensor([10, 20])).data, A + np.array([10, 20]))


def test_matrices_in_a_batch_are_multiplied_one_by_one() -> None:
    left, right = np.ones((5, 2, 3)), np.ones((5, 3, 4))

    np.testing.assert_array_equal((Tensor(left) @ Tensor(right)).data, left @ right)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every implementation has words of its own
        Tensor(np.ones((2, 3))) @ Tensor(np.ones((2, 3)))


def test_a_tensor_is_an_array_when_asked() -> None:
    np.testing.assert_array_equal(Tensor(A).numpy(), A)


@pytest.mark.parametrize("wanted", [True, False])
def test_it_remembers_whether_it_is_to_learn(wanted: bool) -> None:
    tensor = Tensor(A, requires_grad=wanted)

    assert (tensor.requires_grad, tensor.grad) == (wanted, None)
