"""The graph: gradients handed back, its end, and changes in between."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch.core.autograd import MulBackward
from tinytorch.core.optimizers import SGD
from tinytorch.core.tensor import Tensor, apply, no_grad
from tinytorch.errors import GraphError, RangeError, ShapeError, UsageError


def leaf(*values: float) -> Tensor:
    return Tensor(list(values), requires_grad=True)


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


@pytest.mark.parametrize("reduce", [Tensor.mean, Tensor.exp, Tensor.var, lambda x: x / 2])
def test_integers_become_float32_where_they_must(reduce: Callable[[Tensor], Tensor]) -> None:
    assert reduce(Tensor(np.array([1, 2]))).dtype == np.float32


def test_integers_that_are_told_later_have_floating_gradients() -> None:
    x = Tensor(np.array([1, 2]))
    x.requires_grad = True
    (x * 0.5).sum().backward()
    (x * x).backward([0.5, 0.5])
    np.testing.assert_array_equal(x.grad, [1.5, 2.5])


def test_a_gradient_has_the_type_of_its_data() -> None:
    x, y = leaf(1, 2), Tensor([1.0, 2.0], requires_grad=True, dtype=np.float64)
    (x * y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_a_leaf_s_gradient_is_no_view_of_another_s() -> None:
    x = leaf(1, 2)
    y = x.reshape(2, 1)
    y.backward([[1], [1]])
    assert x.grad is not None
    x.grad *= 10
    np.testing.assert_array_equal(y.grad, [[1], [1]])


def test_what_is_computed_on_the_way_owns_its_gradient() -> None:
    a, b = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    first = a * 2
    total = first + b
    total.backward()
    assert first.grad is not None
    assert total.grad is not None
    first.grad *= 5
    total.grad *= 7
    assert (a.grad, b.grad, first.grad, total.grad) == ([2], [1], [5], [7])


def test_the_gradient_given_to_backward_is_nobody_s_gradient() -> None:
    given = np.ones(1, np.float32)
    total = Tensor([1.0], requires_grad=True) * 2
    total.backward(given)
    given[:] = 7
    assert total.grad == [1]


@pytest.mark.parametrize("thing", [np.ones(2), [1.0, 2.0], 3])
def test_what_is_no_tensor_is_named(thing: Any) -> None:
    with pytest.raises(UsageError, match="relu needs tensors, and got a"):
        apply("relu", thing)
