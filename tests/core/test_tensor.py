"""Tensor: types, operators, the graph and its end."""

from __future__ import annotations

import copy
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch.core.autograd import MulBackward
from tinytorch.core.optimizers import SGD
from tinytorch.core.tensor import Tensor, apply, concatenate, no_grad, stack, where
from tinytorch.errors import GraphError, RangeError, ShapeError, UsageError


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


def test_an_index_out_of_range_is_an_index_error_of_our_tree() -> None:
    with pytest.raises(RangeError, match="out of bounds"):
        Tensor([1, 2])[2]
    with pytest.raises(IndexError):
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


def test_backward_without_a_graph_changes_nothing_and_says_so() -> None:
    with pytest.warns(RuntimeWarning, match="requires_grad"):
        Tensor(1).backward()


def test_what_is_computed_on_the_way_keeps_its_gradient() -> None:
    x = leaf(3)
    middle = x * x
    middle.retain_grad()
    loss = (middle * 2).sum()
    loss.backward()
    assert (middle.grad, loss.grad) == (2, 1)


def test_a_graph_that_is_kept_can_be_walked_again() -> None:
    x = leaf(3)
    middle = x * x
    loss = middle * 2
    loss.backward(retain_graph=True)
    loss.backward()
    assert (x.grad, middle.grad) == (24, 4)
    with pytest.raises(RuntimeError, match="released"):
        loss.backward()


LARGE = np.random.default_rng(0).standard_normal((300, 400)).astype(np.float32)


def _minus_one(array: Any) -> None:
    array -= 1


def _first(array: Any) -> None:
    array[0] = 5


@pytest.mark.parametrize("change", [_minus_one, _first])
@pytest.mark.parametrize("array", [np.arange(4.0), LARGE, LARGE.T, LARGE[::2]])
def test_an_array_that_was_changed_in_place_is_refused(array: Any, change: Callable[[Any], None]) -> None:
    x = Tensor(array.copy("K"), requires_grad=True)
    loss = (x * x).sum()
    change(x.data)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("changed", ["x", "middle", "result"])
def test_a_change_anywhere_in_the_graph_is_refused_before_any_gradient_is_given(changed: str) -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    middle = x.exp()
    result = middle.exp() + y
    {"x": x, "middle": middle, "result": result}[changed].data[...] = 7
    with pytest.raises(GraphError, match="changed in place"):
        result.backward([1, 1])
    assert y.grad is None


def test_what_a_student_s_operation_gave_is_watched_too() -> None:
    x = leaf(2)
    middle = Tensor(x.data * 3, requires_grad=True)
    middle._grad_fn = MulBackward(x, Tensor([3.0]))
    result = middle * middle
    middle.data[...] = 0
    with pytest.raises(GraphError, match="changed in place"):
        result.backward()


def test_an_optimizer_s_step_before_backward_is_refused() -> None:
    x = leaf(1, 2)
    loss = (x * x).sum()
    x.grad = np.ones(2, np.float32)
    SGD([x]).step()
    with pytest.raises(GraphError, match="changed in place"):
        loss.backward()


def test_an_array_that_was_replaced_does_no_harm() -> None:
    x = leaf(3)
    loss = x * x
    x.data = np.array([100], np.float32)
    loss.backward()
    assert x.grad == 6


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


@pytest.mark.parametrize("other", [2, [1, 2, 3], np.array([1, 2, 3]), Tensor([1.0, 2.0, 3.0])])
def test_comparisons_are_element_by_element(other: Any) -> None:
    x, y = Tensor([1.0, 3.0, 2.0]), np.asarray(other)
    results = [x == other, x != other, x < other, x <= other, x > other, x >= other]
    array = x.data
    for result, expected in zip(
        results, [array == y, array != y, array < y, array <= y, array > y, array >= y], strict=True
    ):
        assert isinstance(result, Tensor)
        assert result.dtype == bool
        np.testing.assert_array_equal(result, expected)


def test_nothing_that_is_not_numeric_is_equal_or_less() -> None:
    x = Tensor([1.0])
    assert (x == None, x != "text") == (False, True)  # noqa: E711 - it is what is tested
    with pytest.raises(TypeError):
        _ = x < None


def test_shapes_that_cannot_be_compared_are_named() -> None:
    with pytest.raises(ShapeError, match=r"compare shapes \(2,\) and \(3,\)"):
        _ = Tensor([1, 2]) == Tensor([1, 2, 3])


def test_tensors_are_keys_by_what_they_are_not_by_what_is_in_them() -> None:
    a, b = Tensor([1.0]), Tensor([1.0])
    assert len({a, b, a}) == 2


def test_the_largest_element_has_a_number() -> None:
    x = Tensor([[1.0, 5.0], [7.0, 2.0]])
    assert x.argmax().item() == 2
    np.testing.assert_array_equal(x.argmax(axis=1), [1, 0])


def test_a_detached_tensor_shares_the_array_and_has_no_graph() -> None:
    x = leaf(1, 2) * 2
    assert x.detach().data is x.data
    assert not x.detach().requires_grad


def test_numbers_come_out_as_python_has_them() -> None:
    loss = leaf(2.5) * 1
    assert (float(loss), int(loss), f"{loss:.2f}", bool(loss)) == (2.5, 2, "2.50", True)
    assert f"{loss}" == str(loss)


def test_absolute_values_and_powers() -> None:
    x = leaf(-1, 3)
    np.testing.assert_array_equal(abs(x), x.abs())
    np.testing.assert_array_equal(2**x, [0.5, 8])
    np.testing.assert_array_equal(Tensor([2.0, 3.0]) ** x, [0.5, 27])


@pytest.mark.parametrize("other", [np.float64(2), np.int64(2), np.array([2, 2]), np.array([True, True])])
def test_float32_stays_float32_beside_integers_and_numpy_scalars(other: Any) -> None:
    x = Tensor([1.0, 2.0])
    assert [result.dtype for result in (x * other, other + x, x / other, x**other)] == [np.float32] * 4


@pytest.mark.parametrize("reduce", [Tensor.mean, Tensor.exp, Tensor.var, lambda x: x / 2])
def test_integers_become_float32_where_they_must(reduce: Callable[[Tensor], Tensor]) -> None:
    assert reduce(Tensor(np.array([1, 2]))).dtype == np.float32


def test_a_gradient_has_the_type_of_its_data() -> None:
    x, y = leaf(1, 2), Tensor([1.0, 2.0], requires_grad=True, dtype=np.float64)
    (x * y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("index", [[2, 0], (2, 0), Tensor([2, 0]), np.array([2.0, 0.0])])
def test_lists_and_whole_numbers_are_indices(index: Any) -> None:
    x = leaf(1, 2, 3)
    rows = index if not isinstance(index, tuple) else list(index)
    x[rows].sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 0, 1])


def test_a_comparison_is_an_index() -> None:
    x = leaf(1, 2, 3)
    np.testing.assert_array_equal(x[x > 1.5], [2, 3])
    assert x[[]].shape == (0,)


def test_a_tensor_can_be_written_into_where_nothing_is_remembered() -> None:
    x = Tensor([1.0, 2.0])
    x[x > 1] = 0
    np.testing.assert_array_equal(x, [1, 0])
    with pytest.raises(UsageError, match="written into"):
        leaf(1, 2)[0] = 5


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


def test_numbers_are_as_exact_as_the_tensor_beside_them() -> None:
    assert (Tensor([1.0], dtype=np.float64) * 0.1).item() == 0.1


def test_numpy_sees_the_array_and_copies_it_where_it_copies() -> None:
    x = Tensor([1.0])
    assert np.asarray(x) is x.data
    assert not np.shares_memory(np.array(x), x.data)


def test_a_leaf_s_gradient_is_no_view_of_another_s() -> None:
    x = leaf(1, 2)
    y = x.reshape(2, 1)
    y.backward([[1], [1]])
    assert x.grad is not None
    x.grad *= 10
    np.testing.assert_array_equal(y.grad, [[1], [1]])


NUMPY_FUNCTIONS = [np.exp, np.log, np.sqrt, np.tanh, np.abs, np.negative]


@pytest.mark.parametrize("function", NUMPY_FUNCTIONS)
def test_numpy_s_functions_have_the_gradients_of_the_table(function: Any) -> None:
    x, y = leaf(1, 4), leaf(1, 4)
    row = "neg" if function is np.negative else "abs" if function is np.abs else function.__name__
    function(x).sum().backward()
    apply(row, y).sum().backward()
    np.testing.assert_array_equal(x.grad, y.grad)


def test_numpy_s_operators_between_arrays_and_tensors_have_gradients() -> None:
    x = leaf(1, 2)
    (np.multiply(x, 3) + np.matmul(np.eye(2), x) + np.float64(2) * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [6, 6])


def test_a_numpy_function_that_would_lose_a_gradient_is_refused() -> None:
    with pytest.raises(UsageError, match="numpy's sin has no gradient"):
        np.sin(leaf(1))
    with no_grad():
        assert np.sin(leaf(0)).item() == 0
    assert np.sin(Tensor([0.0])).item() == 0


def test_numpy_s_questions_need_no_gradient() -> None:
    assert np.isfinite(leaf(1)).dtype == bool
    assert (np.array([1.0, 2.0]) == leaf(1, 3)).data.tolist() == [True, False]


def test_an_array_that_a_tensor_is_taken_from_stays_an_array() -> None:
    x = leaf(1, 2)
    array = x.data
    x.data -= 0.5 * Tensor([2.0, 2.0])
    assert x.data is array
    np.testing.assert_array_equal(array, [0, 1])


def test_reductions_of_numpy_s_functions_are_computed() -> None:
    assert np.add.reduce(Tensor([1.0, 2.0])).item() == 3
    with pytest.raises(UsageError, match="numpy's add has no gradient"):
        np.add.reduce(leaf(1, 2))


def test_truth_values_are_summed_up() -> None:
    x = Tensor([[1.0, 0.0], [2.0, 3.0]])
    assert (bool(x.all()), bool(x.any()), bool((x >= 0).all())) == (False, True, True)
    assert (x.all(axis=1).data.tolist(), x.any(axis=0).data.tolist()) == ([False, True], [True, True])
