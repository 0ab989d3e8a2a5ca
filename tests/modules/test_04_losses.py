"""What the course promises of module 04, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss, log_softmax
from tinytorch.core.tensor import Tensor

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
CLASSES = np.array([0, 1])
SHIFTED = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))


def value(loss: Tensor) -> float:
    return float(np.asarray(loss.data))


def test_the_squared_error_is_a_mean() -> None:
    assert value(MSELoss()(Tensor([1.0, 2.0]), Tensor([0.0, 4.0]))) == pytest.approx(2.5)


def test_the_squared_error_is_a_mean_over_all_axes() -> None:
    assert value(MSELoss()(Tensor([[1.0, 2.0], [0.0, 0.0]]), Tensor([[0.0, 4.0], [0.0, 3.0]]))) == pytest.approx(3.5)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_log_softmax_is_the_logarithm_of_softmax(dim: int) -> None:
    expected = LOGITS - np.log(np.exp(LOGITS).sum(axis=dim, keepdims=True))

    np.testing.assert_allclose(log_softmax(Tensor(LOGITS), dim=dim).data, expected, rtol=1e-5)


LABELS = {"whole numbers": CLASSES, "whole floats": [0.0, 1.0]}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_cross_entropy_takes_classes_and_scores(labels) -> None:
    expected = -SHIFTED[np.arange(2), CLASSES].mean()

    assert value(CrossEntropyLoss()(Tensor(LOGITS), Tensor(labels))) == pytest.approx(expected, rel=1e-5)


def test_a_sure_and_wrong_answer_costs_much_and_stays_finite() -> None:
    loss = value(CrossEntropyLoss()(Tensor([[1000.0, 0.0]]), Tensor([1])))

    assert 100 < loss < np.inf


def test_binary_cross_entropy_takes_probabilities() -> None:
    loss = BinaryCrossEntropyLoss()(Tensor([[0.9], [0.2]]), Tensor([[1.0], [0.0]]))

    assert value(loss) == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2, rel=1e-4)


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_a_probability_of_zero_or_one_stays_finite(probability: float, label: float) -> None:
    assert np.isfinite(value(BinaryCrossEntropyLoss()(Tensor([[probability]]), Tensor([[label]]))))


@pytest.mark.parametrize("kind", [MSELoss, BinaryCrossEntropyLoss])
def test_forward_is_the_call(kind: type) -> None:
    x, y = Tensor([[0.3]]), Tensor([[1.0]])

    assert value(kind().forward(x, y)) == value(kind()(x, y))
