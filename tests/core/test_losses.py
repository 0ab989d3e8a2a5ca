"""Losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.losses import (
    BCEWithLogitsLoss,
    BinaryCrossEntropyLoss,
    CrossEntropyLoss,
    Loss,
    MSELoss,
    log_softmax,
)
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError


def test_equal_logits_cost_the_logarithm_of_the_classes() -> None:
    assert CrossEntropyLoss()(Tensor(np.zeros((3, 4))), np.array([0, 1, 3])).item() == pytest.approx(np.log(4))


def test_the_gradient_is_probability_minus_truth() -> None:
    logits = Tensor(np.zeros((2, 2)), requires_grad=True)
    CrossEntropyLoss()(logits, Tensor(np.array([0, 1]))).backward()
    np.testing.assert_allclose(logits.grad, [[-0.25, 0.25], [0.25, -0.25]])


def test_sure_and_wrong_stays_finite() -> None:
    assert CrossEntropyLoss()(Tensor([[1e4, 0.0]]), np.array([1])).item() == pytest.approx(1e4)


@pytest.mark.parametrize(("shape", "labels"), [((2, 3), [0]), ((3,), [0, 1, 2]), ((0, 3), []), ((2, 3), 1)])
def test_shapes_must_fit(shape: tuple[int, ...], labels: object) -> None:
    with pytest.raises(ShapeError):
        CrossEntropyLoss()(Tensor(np.zeros(shape)), np.array(labels))


@pytest.mark.parametrize("labels", [[0.5, 1.0], [0, 3], [-1, 0], [float("nan"), 0]])
def test_labels_must_be_classes(labels: list[float]) -> None:
    with pytest.raises(UsageError, match=r"0\.\.2"):
        CrossEntropyLoss()(Tensor(np.zeros((2, 3))), np.array(labels))


def test_squares_are_averaged_over_all_elements() -> None:
    assert MSELoss()(Tensor([[1.0, 2.0]]), np.array([[3.0, 2.0]])).item() == 2


def test_binary_cross_entropy_of_a_coin_is_the_logarithm_of_two() -> None:
    loss = BinaryCrossEntropyLoss()(Tensor([0.5, 0.5]), np.array([0, 1]))
    assert loss.item() == pytest.approx(np.log(2))


def test_a_sure_and_wrong_probability_costs_a_hundred() -> None:
    assert BinaryCrossEntropyLoss()(Tensor([0.0]), Tensor([1.0])).item() == 100


@pytest.mark.parametrize(("outputs", "targets"), [([1.5], [1]), ([0.5], [2]), ([np.nan], [1])])
def test_probabilities_and_targets_lie_between_zero_and_one(outputs: list[float], targets: list[float]) -> None:
    with pytest.raises(UsageError, match=r"0\.\.1"):
        BinaryCrossEntropyLoss()(Tensor(outputs), np.array(targets))


@pytest.mark.parametrize("loss", [MSELoss(), BinaryCrossEntropyLoss()])
def test_targets_have_the_shape_of_the_outputs(loss: Loss) -> None:
    with pytest.raises(ShapeError, match="one shape"):
        loss(Tensor([0.5, 0.5]), np.array([[1.0, 0.0]]))


@pytest.mark.parametrize("loss", [MSELoss(), BinaryCrossEntropyLoss()])
def test_there_must_be_outputs(loss: Loss) -> None:
    with pytest.raises(ShapeError, match="not empty"):
        loss(Tensor([]), Tensor([]))


@pytest.mark.parametrize("labels", [[0, 2], [0.0, 2.0], np.array([0, 2]), Tensor([0, 2]), Tensor(np.array([0, 2]))])
def test_labels_are_whole_numbers_of_any_type(labels: object) -> None:
    logits = Tensor([[1.0, 2.0, 0.5], [0.0, 0.1, 3.0]])
    expected = -log_softmax(logits).data[[0, 1], [0, 2]].mean()
    assert CrossEntropyLoss().forward(logits, labels).item() == pytest.approx(expected)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_losses_of_large_scores_are_finite(size: float) -> None:
    logits = Tensor([[size, 0.0, -size]], requires_grad=True)
    loss = CrossEntropyLoss()(logits, [2])
    loss.backward()
    assert np.isfinite(loss.item())
    assert np.isfinite(logits.grad).all()
    assert np.isfinite(MSELoss()(logits, logits.detach()).item())


def test_log_softmax_works_along_any_axis() -> None:
    scores = Tensor([[1.0, 2.0], [3.0, 5.0]])
    np.testing.assert_allclose(log_softmax(scores, dim=0).exp().sum(axis=0), 1, rtol=1e-6)


def test_labels_may_be_probabilities() -> None:
    logits = Tensor([[1.0, 2.0, 0.5], [0.0, 0.1, 3.0]], requires_grad=True)
    by_number, one_hot = CrossEntropyLoss()(logits, [1, 2]), CrossEntropyLoss()(logits, np.eye(3)[[1, 2]])
    assert one_hot.item() == pytest.approx(by_number.item())
    even = CrossEntropyLoss()(logits, np.full((2, 3), 1 / 3))
    assert even.item() == pytest.approx(-log_softmax(logits).data.mean())
    even.backward()
    assert logits.grad is not None


@pytest.mark.parametrize("rows", [[[0.5, 0.4]], [[1.5, -0.5]], [[np.nan, 1]]])
def test_rows_that_are_no_probabilities_are_refused(rows: list[list[float]]) -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        CrossEntropyLoss()(Tensor([[0.0, 1.0]]), np.array(rows))


def test_a_loss_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Loss has no forward"):
        Loss()(Tensor([1.0]), Tensor([1.0]))


LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]], np.float32)


def test_ignored_labels_count_for_nothing() -> None:
    both = Tensor(LOGITS, requires_grad=True)
    loss = CrossEntropyLoss()(both, np.array([1, -100]))
    loss.backward()
    assert loss.item() == pytest.approx(CrossEntropyLoss()(Tensor(LOGITS[:1]), np.array([1])).item())
    assert both.grad is not None
    assert not both.grad[1].any()
    assert CrossEntropyLoss(ignore_index=2)(Tensor(LOGITS), np.array([1, 2])).item() == pytest.approx(loss.item())


def test_labels_that_are_all_ignored_are_refused() -> None:
    with pytest.raises(UsageError, match="every label is -100"):
        CrossEntropyLoss()(Tensor(LOGITS), np.array([-100, -100]))


def test_smoothing_labels_and_smoothing_probabilities_are_one() -> None:
    loss = CrossEntropyLoss(label_smoothing=0.2)
    by_labels, by_rows = loss(Tensor(LOGITS), np.array([0, 2])), loss(Tensor(LOGITS), np.eye(3)[[0, 2]])
    assert by_labels.item() == pytest.approx(by_rows.item(), rel=1e-6)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_smoothing_is_a_share(share: float) -> None:
    with pytest.raises(UsageError, match="label_smoothing"):
        CrossEntropyLoss(label_smoothing=share)


@pytest.mark.parametrize(
    ("kind", "targets"),
    [(MSELoss, LOGITS + 1), (BCEWithLogitsLoss, LOGITS > 0), (CrossEntropyLoss, np.array([0, 1]))],
)
def test_losses_are_added_up_or_left_as_they_are(kind: Any, targets: Any) -> None:
    each = kind(reduction="none")(Tensor(LOGITS), targets)
    assert each.shape == targets.shape
    assert kind(reduction="sum")(Tensor(LOGITS), targets).item() == pytest.approx(each.data.sum(), rel=1e-6)
    assert kind()(Tensor(LOGITS), targets).item() == pytest.approx(each.data.mean(), rel=1e-6)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(UsageError, match="MSELoss has no reduction 'average'"):
        MSELoss(reduction="average")  # type: ignore[arg-type]


@pytest.mark.parametrize("logit", [-20.0, 20.0, 200.0])
def test_logits_keep_the_digits_that_probabilities_lose(logit: float) -> None:
    tensor = Tensor([logit], requires_grad=True)
    loss = BCEWithLogitsLoss()(tensor, np.array([logit < 0]))
    loss.backward()
    assert loss.item() == pytest.approx(abs(logit), rel=1e-6)
    assert tensor.grad == pytest.approx([np.sign(logit)], rel=1e-6)


def test_logits_need_targets_between_zero_and_one() -> None:
    with pytest.raises(UsageError, match=r"BCEWithLogitsLoss needs targets in 0\.\.1"):
        BCEWithLogitsLoss()(Tensor([0.0]), np.array([2.0]))


@pytest.mark.parametrize("kind", [MSELoss, BinaryCrossEntropyLoss])
def test_truth_values_are_targets(kind: Any) -> None:
    outputs = Tensor([0.25, 0.75], requires_grad=True)
    for truth in (Tensor([True, False]), np.array([True, False]), Tensor([1.0, 0.0])):
        assert kind()(outputs, truth).item() == pytest.approx(kind()(outputs, np.array([1.0, 0.0])).item())


@pytest.mark.parametrize("row", [[-np.inf, 1.0, 2.0], [np.nan, 1.0, 2.0]])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_an_ignored_row_may_hold_anything(row: list[float], reduction: Any) -> None:
    logits = Tensor([row, [0.0, 1.0, 2.0]], requires_grad=True)
    losses = CrossEntropyLoss(reduction=reduction)(logits, np.array([-100, 1]))
    losses.sum().backward()
    assert losses.sum().item() == pytest.approx(1.407606, rel=1e-5)
    assert logits.grad is not None
    np.testing.assert_array_equal(logits.grad[0], 0)


def test_no_label_is_ignored_where_none_is_named() -> None:
    with pytest.raises(UsageError, match=r"labels must be integers 0\.\.2, .* these reach -100\.\.1"):
        CrossEntropyLoss(ignore_index=None)(Tensor(LOGITS), np.array([1, -100]))


def test_integers_are_outputs_too() -> None:
    assert MSELoss()(Tensor(np.array([1, 2])), np.array([1.5, 2])).item() == pytest.approx(0.125)


@pytest.mark.parametrize("kind", [BCEWithLogitsLoss, CrossEntropyLoss, BinaryCrossEntropyLoss])
def test_targets_that_want_a_gradient_are_refused(kind: Any) -> None:
    targets = Tensor([[1.0, 0.0]], requires_grad=True)
    with pytest.raises(UsageError, match="cannot give targets a gradient"):
        kind()(Tensor([[0.5, 0.5]]), targets)


def test_outputs_are_a_tensor() -> None:
    with pytest.raises(UsageError, match="CrossEntropyLoss needs outputs as a tensor, and got a list"):
        CrossEntropyLoss()([[1.0, 2.0]], [0])  # type: ignore[arg-type]


def test_classes_stand_last() -> None:
    with pytest.raises(ShapeError, match="got") as caught:
        CrossEntropyLoss()(Tensor(np.ones((2, 3, 5))), np.ones((2, 5), int))
    assert "transpose(1, 2)" in caught.value.mend
