"""What a tensor has of an array: types, comparisons, numbers, numpy."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor, apply, no_grad
from tinytorch.errors import ShapeError, UsageError


def leaf(*values: float) -> Tensor:
    return Tensor(list(values), requires_grad=True)


@pytest.mark.parametrize("data", [1, 2.5, [1, 2], np.ones(2), np.float64(1), np.ones(2, np.float16)])
def test_numbers_become_float32(data: object) -> None:
    assert Tensor(data).dtype == np.float32


def test_integer_arrays_stay_integers() -> None:
    assert Tensor(np.array([1, 2])).dtype == np.int64


def test_a_float32_array_is_shared() -> None:
    array = np.zeros(2, np.float32)
    assert Tensor(array).data is array


@pytest.mark.parametrize("data", ["text", [[1], [1, 2]], None, [1j]])
def test_what_is_not_numeric_is_refused(data: object) -> None:
    with pytest.raises(UsageError):
        Tensor(data)


def test_integers_that_want_gradients_become_float32() -> None:
    assert Tensor(np.array([1, 2]), requires_grad=True).dtype == np.float32
    with pytest.raises(UsageError, match="floating"):
        Tensor([1], requires_grad=True, dtype=np.int64)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tensor: pickle.loads(pickle.dumps(tensor))])
def test_copies_carry_neither_gradient_nor_graph(copied: object) -> None:
    x = leaf(1)
    (x * 2).backward()
    twin = copied(x)  # type: ignore[operator]
    assert (twin.data, twin.grad, twin.requires_grad) == (1, None, True)


def test_item_is_for_one_element() -> None:
    assert Tensor([[2.5]]).item() == 2.5
    with pytest.raises(UsageError):
        Tensor([1, 2]).item()


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


def test_numbers_are_as_exact_as_the_tensor_beside_them() -> None:
    assert (Tensor([1.0], dtype=np.float64) * 0.1).item() == 0.1


def test_numpy_sees_the_array_and_copies_it_where_it_copies() -> None:
    x = Tensor([1.0])
    assert np.asarray(x) is x.data
    assert not np.shares_memory(np.array(x), x.data)


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


def test_a_number_has_no_length() -> None:
    with pytest.raises(UsageError, match="at least one axis"):
        len(Tensor(1.0))


def test_truth_values_stay_truth_values_and_choose() -> None:
    mask = Tensor([True, False, True])
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(Tensor([3.0, 4.0, 5.0])[mask].data, [3, 5])


def _endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ma.masked_array([1.0, 2.0], [True, False]), "has no mask"),
        (_endless(), "64 deep"),
        (Tensor([1.0], requires_grad=True), "would lose their gradients"),
        ([Tensor([1.0], requires_grad=True), Tensor([2.0])], "would lose their gradients"),
        ([[Tensor(1.0, requires_grad=True)]], "would lose their gradients"),
    ],
)
def test_data_that_would_lose_something_are_refused(data: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Tensor(data)


def test_numbers_of_tensors_without_gradients_make_a_tensor() -> None:
    np.testing.assert_array_equal(Tensor([Tensor([1.0]), Tensor([2.0])]).data, [[1], [2]])
    with no_grad():
        assert not Tensor([Tensor([1.0], requires_grad=True)]).requires_grad


def test_lists_come_out() -> None:
    assert Tensor([[1.0, 2.0]]).tolist() == [[1.0, 2.0]]


def test_a_parameter_stays_one_when_it_is_frozen() -> None:
    tensor = Tensor([1.0], requires_grad=True)
    tensor.requires_grad = False
    assert tensor.is_parameter
    assert pickle.loads(pickle.dumps(tensor)).is_parameter
    assert not Tensor([1.0]).is_parameter
    assert not (tensor * 2).is_parameter


def test_what_is_told_later_to_require_a_gradient_is_a_parameter() -> None:
    tensor = Tensor([1.0])
    tensor.requires_grad = True
    tensor.requires_grad = False
    assert tensor.is_parameter


def test_a_copy_of_a_result_is_no_parameter() -> None:
    result = leaf(1.0) * 2
    for copied in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert (copied.requires_grad, copied.is_parameter) == (False, False)


def test_a_change_of_type_that_would_lose_a_gradient_is_refused() -> None:
    with pytest.raises(UsageError, match="a change of type has no gradient"):
        leaf(1.0).long()
    assert leaf(1.0).float().requires_grad
