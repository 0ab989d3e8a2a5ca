"""What the course promises of module 05 (06 in the newer edition), whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.autograd import Function, enable_autograd
from tinytorch.core.tensor import Tensor

OPERATIONS = {
    "x * x": (lambda x: x * x, [2.0, 4.0, 6.0]),
    "x + x": (lambda x: x + x, [2.0, 2.0, 2.0]),
    "x - 3": (lambda x: x - 3.0, [1.0, 1.0, 1.0]),
    "y - x": (lambda x: Tensor([5.0, 5.0, 5.0]) - x, [-1.0, -1.0, -1.0]),
    "x / 2": (lambda x: x / 2.0, [0.5, 0.5, 0.5]),
    "y / x": (lambda x: Tensor([1.0, 1.0, 1.0]) / x, [-1.0, -1 / 4, -1 / 9]),
    "x @ y": (lambda x: x.reshape(3, 1) @ Tensor([[2.0, 3.0]]), [5.0, 5.0, 5.0]),
    "y @ x": (lambda x: Tensor([[2.0, 3.0, 4.0]]) @ x.reshape(3, 1), [2.0, 3.0, 4.0]),
}


@pytest.fixture(autouse=True, scope="module")
def _enabled() -> None:
    enable_autograd(quiet=True)


@pytest.mark.parametrize(("compute", "expected"), OPERATIONS.values(), ids=OPERATIONS)
def test_a_gradient_is_the_derivative(compute, expected: list[float]) -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    compute(x).sum().backward()

    np.testing.assert_allclose(np.asarray(x.grad), expected, rtol=1e-5)


def test_what_is_used_twice_gets_both_gradients() -> None:
    x = Tensor([2.0], requires_grad=True)
    y = x * 3.0
    (y * y).sum().backward()

    np.testing.assert_allclose(np.asarray(x.grad), [36.0])


def test_an_operation_waits_for_all_gradients_of_its_result() -> None:
    x = Tensor([2.0], requires_grad=True)
    y = x * 3.0
    z = y * 5.0
    (z + y * z).sum().backward()  # 15 x + 45 x^2

    np.testing.assert_allclose(np.asarray(x.grad), [15 + 90 * 2])


def test_a_second_loss_adds_to_the_gradients() -> None:
    x = Tensor([2.0], requires_grad=True)
    for _ in range(2):
        (x * 3.0).sum().backward()

    np.testing.assert_allclose(np.asarray(x.grad), [6.0])


def test_a_broadcast_gradient_has_the_shape_of_its_tensor() -> None:
    bias = Tensor([1.0, 1.0], requires_grad=True)
    (Tensor(np.ones((5, 2))) + bias).sum().backward()

    np.testing.assert_array_equal(np.asarray(bias.grad), [5.0, 5.0])


def test_a_stretched_axis_is_summed_in_its_place() -> None:
    column = Tensor([[1.0], [2.0]], requires_grad=True)
    (Tensor(np.ones((2, 3))) * column).sum().backward()

    np.testing.assert_array_equal(np.asarray(column.grad), [[3.0], [3.0]])


def test_matrices_in_a_batch_have_gradients_one_by_one() -> None:
    left = Tensor(np.ones((4, 2, 3)), requires_grad=True)
    right = Tensor(np.arange(24.0).reshape(4, 3, 2), requires_grad=True)
    (left @ right).sum().backward()

    np.testing.assert_allclose(np.asarray(left.grad), np.ones((4, 2, 2)) @ np.swapaxes(right.data, 1, 2))
    np.testing.assert_allclose(np.asarray(right.grad), np.full((4, 3, 2), 2.0))


def test_a_gradient_may_be_given() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x * 2.0).backward(np.array([1.0, 10.0, 100.0], np.float32))

    np.testing.assert_allclose(np.asarray(x.grad), [2.0, 20.0, 200.0])


def test_what_is_not_to_learn_gets_none() -> None:
    x, y = Tensor([2.0], requires_grad=True), Tensor([3.0])
    (x * y).sum().backward()

    assert y.grad is None


def test_an_operation_of_one_s_own_has_its_gradient() -> None:
    class CubeBackward(Function):
        def apply(self, gradient):
            (x,) = self.saved_tensors
            return (np.asarray(gradient) * 3 * x.data**2,)

        backward = apply

    x = Tensor([1.0, 2.0], requires_grad=True)
    cube = Tensor(x.data**3, requires_grad=True)
    cube._grad_fn = CubeBackward(x)
    cube.sum().backward()

    np.testing.assert_allclose(np.asarray(x.grad), [3.0, 12.0])
