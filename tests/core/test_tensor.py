"""Tensor: operators, shapes, indices, joining."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from tinytorch.core.activations import ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.tensor import Tensor, apply, concatenate, no_grad, stack, where
from tinytorch.errors import RangeError, ShapeError, UsageError


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


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda p: p.__isub__(np.array([1, 2])), [3, 6]),
        (lambda p: p.__iadd__(1), [5, 9]),
        (lambda p: p.__imul__(Tensor([2.0, 0.5])), [8, 4]),
        (lambda p: p.__itruediv__(2), [2, 4]),
        (lambda p: p.__ipow__(2), [16, 64]),
    ],
)
def test_a_parameter_is_changed_in_place_where_nothing_is_remembered(change: Any, expected: list[float]) -> None:
    parameters = [leaf(4.0, 8.0)]
    with no_grad():
        for p in parameters:
            change(p)
    np.testing.assert_array_equal(parameters[0].data, expected)
    assert parameters[0].requires_grad


def test_a_parameter_is_not_changed_under_its_graph() -> None:
    with pytest.raises(UsageError, match="its graph would not know") as caught:
        leaf(1.0).__isub__(0.5)
    assert "no_grad()" in caught.value.mend


def test_buffers_in_a_list_are_changed_in_place() -> None:
    buffers = [Tensor([1.0, 2.0])]
    for buffer in buffers:
        buffer *= 2
    np.testing.assert_array_equal(buffers[0].data, [2, 4])


@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_result_is_not_changed_behind_who_holds_it(is_remembered: bool) -> None:
    def forward(weight: Tensor) -> Tensor:
        hidden = weight * 2
        shifted = hidden
        shifted += 1
        return shifted + hidden

    with nullcontext() if is_remembered else no_grad():
        assert forward(leaf(3.0)).item() == 13


def test_a_sum_of_losses_keeps_its_gradients() -> None:
    weight, total = leaf(2.0), Tensor(0.0)
    for _ in range(3):
        total += (weight * weight).sum()
    total.backward()
    np.testing.assert_array_equal(weight.grad, [12])


def test_the_array_that_a_tensor_was_made_of_is_not_changed() -> None:
    array = np.ones(2, np.float32)
    tensor = Tensor(array)
    tensor += 1
    np.testing.assert_array_equal(array, [1, 1])
    np.testing.assert_array_equal(tensor.data, [2, 2])


@pytest.mark.parametrize(("tensor", "other"), [(Tensor(np.arange(2)), 0.5), (Tensor([1.0]), [1.0, 2.0])])
def test_a_tensor_that_is_changed_keeps_type_and_shape(tensor: Tensor, other: Any) -> None:
    with pytest.raises(ShapeError, match="must keep type and shape"):
        tensor += other


def test_where_takes_numbers_and_arrays() -> None:
    tensor = leaf(1.0, -2.0)
    result = where(tensor > 0, tensor, 0.0)
    result.sum().backward()
    np.testing.assert_array_equal(result.data, [1, 0])
    np.testing.assert_array_equal(tensor.grad, [1, 0])
    assert where([True, False], np.zeros(2, np.float64), 1).shape == (2,)


@pytest.mark.parametrize("join", [concatenate, stack])
def test_joining_takes_arrays_and_names_what_is_no_list(join: Any) -> None:
    assert join([np.ones((1, 2)), leaf(1.0, 2.0).reshape(1, 2)]).requires_grad
    for wrong in (leaf(1.0), np.ones(2), 3):
        with pytest.raises(UsageError, match=r"needs a list of tensors"):
            join(wrong)


def test_a_place_to_stack_at_that_is_not_there_is_refused() -> None:
    with pytest.raises(RangeError, match="not 3"):
        stack([leaf(1.0), leaf(2.0)], 3)


def test_whole_numbers_have_no_negative_powers() -> None:
    for exponent in (-1, np.array([-1, 2])):
        with pytest.raises(UsageError, match="int64 to a negative power is a fraction") as caught:
            _ = Tensor(np.array([2, 4])) ** exponent
    assert "floating" in caught.value.mend


def test_an_operation_that_has_no_use_for_integers_says_so() -> None:
    with pytest.raises(UsageError, match="gelu cannot compute with int64"):
        apply("gelu", Tensor(np.array([1, 2])))


def test_a_clone_shares_nothing_and_hands_gradients_on() -> None:
    tensor = leaf(1.0, 2.0)
    copied = tensor.clone()
    copied.sum().backward()
    assert not np.shares_memory(copied.data, tensor.data)
    np.testing.assert_array_equal(tensor.grad, [1, 1])


def test_activations_are_methods_too() -> None:
    tensor = Tensor([[-1.0, 2.0]])
    for found, layer in (
        (tensor.relu(), ReLU()), (tensor.sigmoid(), Sigmoid()), (tensor.tanh(), Tanh()), (tensor.softmax(1), Softmax())
    ):  # fmt: skip
        np.testing.assert_array_equal(found.data, layer(tensor).data)
    np.testing.assert_allclose(tensor.log_softmax().exp().data, tensor.softmax().data, rtol=1e-6)


def test_clamping_needs_a_bound() -> None:
    np.testing.assert_array_equal(leaf(-2.0, 3.0).clamp(max=0).data, [-2, 0])
    with pytest.raises(UsageError, match="needs a bound"):
        leaf(1.0).clamp()


def test_integers_count_in_place_and_stay_integers() -> None:
    count = Tensor(np.array([1, 2]))
    count += 1
    count -= 3
    assert (count.dtype, count.tolist()) == (np.int64, [-1, 0])


def test_small_integers_do_not_wrap_beside_a_number() -> None:
    assert (Tensor(np.array([1], np.uint8)) - 2).tolist() == [-1]


def test_integers_stay_exact_beside_a_number() -> None:
    large = Tensor(np.array([2**24 + 1, 5]))
    assert where(large > 9, large, -100).tolist() == [2**24 + 1, -100]
    assert large.masked_fill(large < 9, -1).tolist() == [2**24 + 1, -1]
    assert concatenate([large, [3]]).dtype == np.float32


def test_a_bound_that_is_a_tensor_has_a_gradient() -> None:
    values, bound = leaf(1.0, 5.0), leaf(2.0, 2.0)
    values.clamp(bound, Tensor([4.0, 4.0])).sum().backward()
    np.testing.assert_array_equal(values.grad, [0, 0])
    np.testing.assert_array_equal(bound.grad, [1, 0])


def test_truth_of_many_elements_says_what_to_write() -> None:
    with pytest.raises(UsageError, match="is not true or false") as caught:
        bool(leaf(1.0, 2.0) > 1)
    assert "where(" in caught.value.mend
