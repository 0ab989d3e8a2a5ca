"""Accuracy: which answers are right, and labels that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Dropout, Layer, Sequential
from tinytorch.core.metrics import accuracy, correctness, right_answers
from tinytorch.errors import ShapeError, UsageError

SCORES = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], np.float32)


@pytest.mark.parametrize(
    ("outputs", "labels", "expected"),
    [
        (SCORES, np.array([1, 1, 1]), [True, False, True]),
        (np.array([1, 2, 3]), np.array([1, 0, 3]), [True, False, True]),
        (np.array([[1, 2], [3, 4]]), np.array([[1, 2], [0, 4]]), [[True, True], [False, True]]),
        (np.stack([SCORES, SCORES]), np.array([[1, 0, 1], [0, 0, 0]]), [[True, True, True], [False, True, False]]),
    ],
    ids=["scores", "answers", "several answers", "several scores"],
)
def test_the_largest_score_or_the_answer_itself_counts(outputs, labels, expected) -> None:
    assert correctness(outputs, labels).tolist() == expected


@pytest.mark.parametrize(
    "labels",
    [np.array([[1], [0], [1]]), np.eye(2, dtype=int)[[1, 0, 1]], np.eye(2)[[1, 0, 1]], np.array([1.5, 0.0, 1.0]),
     np.array([1, 0]), np.array([True, False, True]), np.array(1)],
    ids=["a column", "one-hot", "one-hot floats", "floats", "too few", "truth values", "a number"],
)  # fmt: skip
def test_labels_that_do_not_fit_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(ShapeError):
        correctness(SCORES, labels)


ONE_COLUMN = np.array([[0.9], [0.2], [0.7]])


@pytest.mark.parametrize(
    ("outputs", "labels", "expected"),
    [
        (SCORES, np.array([1, 1, 1]), [1, 0, 1]),
        (SCORES, np.array([1.0, 1.0, 1.0]), [1, 0, 1]),
        (SCORES, np.eye(2)[[1, 1, 1]], [1, 0, 1]),
        (np.stack([SCORES, SCORES]), np.array([[1, 0, 1], [0, 0, 0]]), [1, 1, 1, 0, 1, 0]),
        (ONE_COLUMN, np.array([[1], [1], [1]]), [1, 0, 1]),
        (ONE_COLUMN[:, 0], np.array([1.0, 1.0, 0.0]), [1, 0, 0]),
        (ONE_COLUMN, np.array([[0.5], [0.1], [2.0]]), [np.nan] * 3),
        (SCORES, SCORES, [np.nan] * 3),
        (SCORES, np.array([0.5, 1, 1]), [np.nan] * 3),
    ],
)
def test_right_answers_of_any_outputs(outputs, labels, expected) -> None:
    np.testing.assert_array_equal(right_answers(outputs, labels), expected)


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(UsageError, match="1 are NaN"):
        correctness(np.array([[0.0, np.nan]]), np.array([0]))


def test_accuracy_is_the_share_in_inference_and_leaves_the_mode() -> None:
    model: Layer = Sequential(Dropout(0.9))

    assert accuracy(model, TensorDataset(SCORES, np.array([1, 0, 0]))) == pytest.approx(2 / 3)
    assert model.training
