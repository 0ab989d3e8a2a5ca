"""Tensor: operators, shapes, indices, joining."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor, concatenate, stack, where
from tinytorch.errors import ShapeError, UsageError


def leaf(*values: float) -> Tensor:
    return Tensor(list(values), requires_grad=True)


def test_an_explicit_type_is_kept_by_arithmetic_with_numbers() -> None:
    assert (2 * Tensor([1.0], dtype=np.float64) + 0.1).dtype == np.float64


def test_float32_stays_float32_through_numbers() -> None:
    assert (1 / (Tensor([1.0]) * 0.5 - 3) ** 2).mean().dtype == np.float32


@pytest.mark.parametrize("other", [2, np.array([2.0, 2.0]), np.float32(2)])
def test_operators_take_numbers_and_arrays_on_either_side(other: object) -> None:
    a = Tensor([4.0, 8.0])
    results = [a + other, other + a, a - other, other - a, a * other, other * a, a / other, other / a]
    expected = [[6, 10], [6, 10], [2, 6], [-2, -6], [8, 16], [8, 16], [2, 4], [0.5, 0.25]]
    assert all(isinstance(result, Tensor) for result in results)
    np.testing.assert_array_equal([result.numpy() for result in results], expected)


def test_an_array_multiplies_a_tensor_from_the_left() -> None:
    result = np.eye(2) @ Tensor([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(np.asarray(result), [[1, 2], [3, 4]])


def test_shape_methods() -> None:
    x = Tensor(np.arange(6).reshape(2, 3))
    shapes = [x.T.shape, x.reshape(3, 2).shape, x.reshape((-1,)).shape, x.transpose(1, 0).shape, x[:, None].shape]
    assert shapes == [(3, 2), (3, 2), (6,), (3, 2), (2, 1, 3)]


def test_a_tensor_indexes_a_tensor() -> None:
    np.testing.assert_array_equal(Tensor([1.0, 2.0, 3.0])[Tensor(np.array([2, 0]))], [3, 1])


def test_iteration_ends() -> None:
    assert [row.item() for row in Tensor([1.0, 2.0])] == [1, 2]


def test_creation() -> None:
    tensors = [Tensor.zeros(2, 3), Tensor.ones((2, 3)), Tensor.randn(2, 3), Tensor.rand(2, 3)]
    assert [(tensor.shape, tensor.dtype) for tensor in tensors] == [((2, 3), np.float32)] * 4
    np.testing.assert_array_equal(Tensor.arange(1, 7, 2), [1, 3, 5])


def test_draws_come_from_the_generator_given() -> None:
    first, second = (Tensor.randn(3, rng=np.random.default_rng(5), requires_grad=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.requires_grad


def test_reductions() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 6.0]])
    results = [x.sum(), x.mean(), x.max(), x.min(), x.var()]
    assert [result.item() for result in results] == [12, 3, 6, 1, 3.5]
    np.testing.assert_array_equal(x.min(axis=1, keepdims=True), [[1], [3]])


def test_roots_and_products() -> None:
    np.testing.assert_array_equal(Tensor([4.0, 9.0]).sqrt(), [2, 3])
    assert Tensor([1.0, 2.0]).matmul(Tensor([3.0, 4.0])).item() == 11


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ((), (2, 4, 3)),
        ((1, 2), (2, 4, 3)),
        ((0, -1), (4, 3, 2)),
        ((1, 0), (3, 2, 4)),
        ((2, 0, 1), (4, 2, 3)),
        (((2, 0, 1),), (4, 2, 3)),
    ],
)
def test_transpose_exchanges_two_axes_or_orders_all(axes: Any, shape: tuple[int, ...]) -> None:
    assert Tensor(np.zeros((2, 3, 4))).transpose(*axes).shape == shape


def test_transpose_takes_its_axes_by_name() -> None:
    assert Tensor(np.zeros((2, 3, 4))).transpose(dim0=0, dim1=1).shape == (3, 2, 4)
    with pytest.raises(UsageError, match="exchanges two axes"):
        Tensor([[1.0]]).transpose(1)


def test_transpose_of_two_axes_in_their_order_is_an_exchange_too() -> None:
    assert Tensor(np.zeros((2, 3))).transpose(0, 1).shape == (3, 2)
    assert Tensor([1.0, 2.0]).transpose().shape == (2,)


def test_permute_orders_all_axes() -> None:
    x = Tensor(np.zeros((2, 3, 4)))
    assert [x.permute(0, 2, 1).shape, x.permute((2, 1, 0)).shape, x.T.shape] == [(2, 4, 3), (4, 3, 2), (4, 3, 2)]


def test_absolute_values_and_powers() -> None:
    x = leaf(-1, 3)
    np.testing.assert_array_equal(abs(x), x.abs())
    np.testing.assert_array_equal(2**x, [0.5, 8])
    np.testing.assert_array_equal(Tensor([2.0, 3.0]) ** x, [0.5, 27])


@pytest.mark.parametrize("other", [np.float64(2), np.int64(2), np.array([2, 2]), np.array([True, True])])
def test_float32_stays_float32_beside_integers_and_numpy_scalars(other: Any) -> None:
    x = Tensor([1.0, 2.0])
    assert [result.dtype for result in (x * other, other + x, x / other, x**other)] == [np.float32] * 4


@pytest.mark.parametrize("index", [[2, 0], (2, 0), Tensor([2, 0]), np.array([2.0, 0.0])])
def test_lists_and_whole_numbers_are_indices(index: Any) -> None:
    x = leaf(1, 2, 3)
    rows = index if not isinstance(index, tuple) else list(index)
    x[rows].sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 0, 1])


def test_concatenate_and_stack() -> None:
    a, b = leaf(1, 2), leaf(3, 4)
    np.testing.assert_array_equal(concatenate([a, b]), [1, 2, 3, 4])
    np.testing.assert_array_equal(stack([a, b], axis=-1), [[1, 3], [2, 4]])
    concatenate([a, a, b])[1:].sum().backward()
    np.testing.assert_array_equal(a.grad, [1, 2])


@pytest.mark.parametrize("join", [concatenate, stack])
def test_joining_nothing_is_refused(join: object) -> None:
    with pytest.raises(UsageError, match="at least one"):
        join([])  # type: ignore[operator]


def test_pieces_that_do_not_fit_are_named() -> None:
    with pytest.raises(ShapeError, match=r"concatenate of shapes \(2,\), \(1, 2\)"):
        concatenate([Tensor([1, 2]), Tensor([[1, 2]])])


def test_where_takes_from_either() -> None:
    a, b = leaf(1, 2), leaf(3, 4)
    where(np.array([True, False]), a, b).sum().backward()
    np.testing.assert_array_equal([a.grad, b.grad], [[1, 0], [0, 1]])


def test_a_masked_element_has_no_gradient() -> None:
    x = leaf(1, 2)
    filled = x.masked_fill(Tensor(np.array([False, True])), -np.inf)
    filled.exp().sum().backward()
    np.testing.assert_array_equal(filled, [1, -np.inf])
    assert x.grad is not None
    assert x.grad[1] == 0
