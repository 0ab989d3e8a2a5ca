"""What operations cost: hand-counted FLOPs and bytes."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, log_softmax
from tinytorch.core.ops import OPERATIONS
from tinytorch.core.tensor import Tensor, apply, concatenate, where
from tinytorch.perf.profiling.costs import COSTS, Work, observing

A, B = Tensor(np.ones((2, 3))), Tensor(np.full((2, 3), 2.0))
P = Tensor(np.full((2, 3), 0.5))
IMAGES, KERNELS = Tensor(np.ones((1, 2, 5, 5))), Tensor(np.ones((4, 2, 3, 3)))

# operation -> FLOPs and bytes moved
COUNTED = {
    "add": (lambda: A + B, 6, 3 * 24),
    "a scalar": (lambda: A * 2.0, 6, 2 * 24 + 4),
    "matmul": (lambda: A @ B.transpose(), 2 * 2 * 2 * 3, 24 + 24 + 16),
    "linear": (lambda: apply("linear", A, Tensor(np.ones((3, 4))), Tensor(np.ones(4))), 2 * 8 * 3, 24 + 48 + 16 + 32),
    "conv2d": (lambda: apply("conv2d", IMAGES, KERNELS, stride=1, padding=0), 2 * 36 * 18, 4 * (50 + 72 + 36)),
    "max_pool2d": (lambda: apply("max_pool2d", IMAGES, kernel=(2, 2), stride=2, padding=0), 8 * 4, 4 * (50 + 8)),
    "avg_pool2d": (lambda: apply("avg_pool2d", IMAGES, kernel=(2, 2), stride=2, padding=0), 8 * 4, 4 * (50 + 8)),
    "softmax": (lambda: apply("softmax", A, axis=-1), 30, 48),
    "normalize": (lambda: apply("normalize", A, axis=-1, epsilon=1e-5), 30, 48),
    "sum": (lambda: A.sum(), 6, 24 + 4),
    "var": (lambda: A.var(), 4 * 6, 24 + 4),
    "log_softmax": (lambda: log_softmax(A), 30, 48),
    "cross_entropy": (lambda: CrossEntropyLoss()(A, np.array([0, 1])), 30, 24 + 4),
    "binary_cross_entropy": (lambda: BinaryCrossEntropyLoss()(P, np.ones((2, 3))), 36 + 6, 2 * 24 + 24 + 4),
    "sigmoid": (lambda: apply("sigmoid", A), 24, 48),
    "gelu": (lambda: apply("gelu", A), 48, 48),
    "where": (lambda: where(np.ones((2, 3), bool), A, B), 6, 72),
    "concatenate": (lambda: concatenate([A, B]), 0, 24 + 24 + 48),
    "a view": (lambda: A.reshape(3, 2).transpose(), 0, 0),
    "rows of a table": (lambda: A[np.array([1, 1, 0])], 0, 2 * 36),
}  # fmt: skip


def counted(compute) -> Work:
    works: list[Work] = []
    with observing(works.append):
        compute()
    return sum(works, Work())


@pytest.mark.parametrize(("compute", "flops", "moved_bytes"), COUNTED.values(), ids=COUNTED.keys())
def test_an_operation_costs_what_a_hand_counts(compute, flops: int, moved_bytes: int) -> None:
    work = counted(compute)

    assert (work.flops, work.moved_bytes) == (flops, moved_bytes)


def test_every_operation_of_the_framework_has_a_cost() -> None:
    assert COSTS.keys() == OPERATIONS.keys()


def test_what_is_written_is_the_output_alone() -> None:
    assert counted(lambda: A + B).written_bytes == 24


def test_the_table_of_operations_is_afterwards_what_it_was() -> None:
    before = dict(OPERATIONS)
    with pytest.raises(ZeroDivisionError), observing(lambda work: None):
        raise ZeroDivisionError

    assert before == OPERATIONS


def test_a_gradient_costs_as_much_as_its_operation() -> None:
    weight, works = Tensor(np.ones((3, 4)), requires_grad=True), []
    with observing(lambda work: None, works.append):
        CrossEntropyLoss()(A @ weight, np.array([0, 1])).backward()

    assert [work.flops for work in works] == [5 * 8, 2 * 8 * 3]


def test_results_and_gradients_are_the_same_while_somebody_looks() -> None:
    def gradient() -> np.ndarray:
        weight = Tensor(np.ones((3, 4)), requires_grad=True)
        (A @ weight).exp().sum().backward()
        return np.asarray(weight.grad)

    plain = gradient()
    with observing(lambda work: None, lambda work: None):
        np.testing.assert_array_equal(gradient(), plain)
