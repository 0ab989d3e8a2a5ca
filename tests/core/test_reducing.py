"""Many elements made one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.errors import RangeError, UsageError

ROWS = np.array([[3.0, 1.0, 3.0], [0.0, 5.0, 2.0]], np.float32)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64, np.float32])
def test_the_smallest_element_of_any_type(kind: Any) -> None:
    lowest = np.iinfo(kind).min if np.issubdtype(kind, np.integer) else -np.inf
    assert Tensor(np.array([3, lowest, 7], kind)).min().item() == lowest


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "argmax", "argmin", "all", "any"])
def test_an_axis_has_two_names(name: str) -> None:
    by_numpy, by_torch = (getattr(Tensor(ROWS), name)(**names) for names in (
        {"axis": 1, "keepdims": True}, {"dim": 1, "keepdim": True}
    ))  # fmt: skip
    assert by_numpy.shape == (2, 1)
    np.testing.assert_array_equal(by_numpy.data, by_torch.data)


def test_the_extremes_along_a_dim_have_places() -> None:
    largest, smallest = Tensor(ROWS).max(dim=1), Tensor(ROWS).min(dim=0, keepdim=True)
    np.testing.assert_array_equal(largest.values.data, [3, 5])
    np.testing.assert_array_equal(largest.indices.data, [0, 1])
    np.testing.assert_array_equal(smallest.indices.data, [[1, 0, 1]])


def test_the_gradient_of_a_largest_element_goes_to_its_place() -> None:
    tensor = Tensor(ROWS, requires_grad=True)
    values, _ = tensor.max(dim=1)
    values.sum().backward()
    np.testing.assert_array_equal(tensor.grad, [[1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint8])
@pytest.mark.parametrize(("largest", "places"), [(True, [[0, 2], [1, 2]]), (False, [[1, 0], [0, 2]])])
def test_the_best_few_and_the_first_of_equals(kind: Any, largest: bool, places: list[list[int]]) -> None:
    found = Tensor(ROWS.astype(kind)).topk(2, largest=largest)
    np.testing.assert_array_equal(found.indices.data, places)
    np.testing.assert_array_equal(found.values.data, np.take_along_axis(ROWS, np.array(places), 1))


@pytest.mark.parametrize("k", [4, -1, 1.0])
def test_a_number_of_best_that_there_is_not_is_refused(k: Any) -> None:
    with pytest.raises((RangeError, UsageError), match=r"topk\(\)"):
        Tensor(ROWS).topk(k)


def test_an_axis_is_named_once() -> None:
    with pytest.raises(UsageError, match="or dim and keepdim, and got both"):
        Tensor(ROWS).sum(0, dim=1)


def test_a_word_that_no_reduction_knows_is_named() -> None:
    with pytest.raises(UsageError, match="got keep"):
        Tensor(ROWS).sum(keep=True)


def test_an_axis_that_is_not_there_is_refused() -> None:
    with pytest.raises(RangeError, match="argmax of a tensor of shape"):
        Tensor(ROWS).argmax(2)


def test_a_dim_of_numpy_s_has_places_too() -> None:
    values, places = Tensor(ROWS).max(dim=np.int64(1))
    assert (values.tolist(), places.tolist()) == ([3, 5], [0, 1])


@pytest.mark.parametrize("call", [lambda t: t.argmax((0, 1)), lambda t: t.flatten("a"), lambda t: t.unsqueeze(1.0)])
def test_an_axis_that_makes_no_sense_is_refused(call: Any) -> None:
    with pytest.raises(UsageError, match=r"argmax of a tensor|an axis must be an integer"):
        call(Tensor(ROWS))
