"""Tensor: types, operators, the graph and its end."""

from __future__ import annotations

import copy
import pickle
import threading
import weakref

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor, concatenate, no_grad, stack, where
from tinytorch.errors import ShapeError, UsageError


def leaf(*values: float) -> Tensor:
    return Tensor(list(values), requires_grad=True)


@pytest.mark.parametrize("data", [1, 2.5, [1, 2], np.ones(2), np.float64(1), np.ones(2, np.float16)])
def test_numbers_become_float32(data: object) -> None:
    assert Tensor(data).dtype == np.float32


def test_integer_arrays_stay_integers() -> None:
    assert Tensor(np.array([1, 2])).dtype == np.int64


def test_an_explicit_type_is_kept_by_arithmetic_with_numbers() -> None:
    assert (2 * Tensor([1.0], dtype=np.float64) + 0.1).dtype == np.float64


def test_float32_stays_float32_through_numbers() -> None:
    assert (1 / (Tensor([1.0]) * 0.5 - 3) ** 2).mean().dtype == np.float32


def test_a_float32_array_is_shared() -> None:
    array = np.zeros(2, np.float32)
    assert Tensor(array).data is array


@pytest.mark.parametrize("data", ["text", [[1], [1, 2]], None, [1j]])
def test_what_is_not_numeric_is_refused(data: object) -> None:
    with pytest.raises(UsageError):
        Tensor(data)


def test_integers_have_no_gradients() -> None:
    with pytest.raises(UsageError, match="floating"):
        Tensor(np.array([1]), requires_grad=True)


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


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ShapeError, match=r"add of shapes \(2,\), \(3,\)"):
        Tensor([1, 2]) + Tensor([1, 2, 3])


def test_an_index_out_of_range_is_a_shape_error() -> None:
    with pytest.raises(ShapeError):
        Tensor([1, 2])[2]


def test_a_tensor_used_twice_gets_both_gradients() -> None:
    x = leaf(3)
    (x * x + x).sum().backward()
    assert x.grad == 7


def test_gradients_accumulate_over_backward_calls() -> None:
    x = leaf(3)
    for _ in range(2):
        (x * 2).backward()
    assert x.grad == 4


def test_leaves_never_share_a_gradient() -> None:
    a, b = leaf(1), leaf(2)
    (a + b).backward()
    assert a.grad is not None
    a.grad *= 10
    assert b.grad == 1


def test_backward_of_a_leaf_is_one() -> None:
    x = leaf(3)
    x.backward()
    assert x.grad == 1


def test_backward_takes_a_gradient() -> None:
    x = leaf(1, 2)
    (x * 3).backward([1, 10])
    np.testing.assert_array_equal(x.grad, [3, 30])


def test_backward_of_many_elements_needs_a_gradient() -> None:
    with pytest.raises(UsageError, match="needs a gradient"):
        (leaf(1, 2) * 2).backward()


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError):
        (leaf(1, 2) * 2).backward([1, 2, 3])


def test_backward_without_a_graph_is_refused() -> None:
    with pytest.raises(UsageError, match="requires_grad"):
        Tensor(1).backward()


def test_a_graph_is_released_by_backward() -> None:
    x = leaf(1)
    middle = x * 2
    loss, alive = middle.sum(), weakref.ref(middle)
    loss.backward()
    del middle
    assert alive() is None


def test_a_released_graph_cannot_be_walked_again() -> None:
    loss = leaf(1) * 2
    loss.backward()
    with pytest.raises(UsageError, match="released"):
        loss.backward()


def test_deep_graphs_do_not_recurse() -> None:
    x = leaf(1)
    y = x
    for _ in range(5000):
        y = y + 1
    y.backward()
    assert x.grad == 1


def test_no_grad_keeps_no_graph() -> None:
    with no_grad():
        assert not (leaf(1) * 2).requires_grad


def test_no_grad_ends_also_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), no_grad(), no_grad():
        raise ZeroDivisionError
    assert (leaf(1) * 2).requires_grad


def test_no_grad_is_for_its_own_thread_only() -> None:
    seen: list[bool] = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((leaf(1) * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tensor: pickle.loads(pickle.dumps(tensor))])
def test_copies_carry_neither_gradient_nor_graph(copied: object) -> None:
    x = leaf(1)
    (x * 2).backward()
    twin = copied(x)  # type: ignore[operator]
    assert (twin.data, twin.grad, twin.requires_grad) == (1, None, True)


def test_shape_methods() -> None:
    x = Tensor(np.arange(6).reshape(2, 3))
    shapes = [x.T.shape, x.reshape(3, 2).shape, x.reshape((-1,)).shape, x.transpose(1, 0).shape, x[:, None].shape]
    assert shapes == [(3, 2), (3, 2), (6,), (3, 2), (2, 1, 3)]


def test_a_tensor_indexes_a_tensor() -> None:
    np.testing.assert_array_equal(Tensor([1.0, 2.0, 3.0])[Tensor(np.array([2, 0]))], [3, 1])


def test_item_is_for_one_element() -> None:
    assert Tensor([[2.5]]).item() == 2.5
    with pytest.raises(UsageError):
        Tensor([1, 2]).item()


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


def test_two_axes_of_many_are_exchanged() -> None:
    x = Tensor(np.zeros((2, 3, 4)))
    assert (x.transpose(1, 2).shape, x.transpose(0, -1).shape) == ((2, 4, 3), (4, 3, 2))


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
