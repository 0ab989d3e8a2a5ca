"""What the course promises of module 07 (08 in the newer edition), whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinytorch.core.layers import Layer, Linear
from tinytorch.core.losses import CrossEntropyLoss, MSELoss
from tinytorch.core.optimizers import SGD
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import CosineSchedule, Trainer, clip_grad_norm

X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(-1, 1)
BATCHES = [(Tensor(X[i : i + 5]), Tensor(2 * X[i : i + 5] + 1)) for i in range(0, 20, 5)]


def trainer(**options) -> Trainer:
    model = Linear(1, 1)
    return Trainer(model, SGD(model.parameters(), lr=0.1), MSELoss(), **options)


def test_a_line_is_learned() -> None:
    made = trainer()
    losses = [made.train_epoch(BATCHES) for _ in range(40)]

    assert losses[-1] < 0.01 < losses[0]


def test_an_epoch_is_one_step_for_each_batch() -> None:
    made = trainer()
    weight, bias = float(made.model.weight.data[0, 0]), 0.0
    made.model.bias.data = np.zeros(1, np.float32)
    for inputs, targets in BATCHES:
        wrong = weight * inputs.data + bias - targets.data
        weight, bias = weight - 0.1 * 2 * (wrong * inputs.data).mean(), bias - 0.1 * 2 * wrong.mean()
    made.train_epoch(BATCHES)

    assert float(made.model.weight.data[0, 0]) == pytest.approx(weight, abs=1e-4)
    assert float(made.model.bias.data[0]) == pytest.approx(bias, abs=1e-4)


def test_the_loss_of_an_epoch_is_the_mean_of_its_batches() -> None:
    made = trainer()
    made.optimizer.lr = 0.0
    losses = [float(MSELoss()(made.model(inputs), targets).data) for inputs, targets in BATCHES]

    assert float(made.train_epoch(BATCHES)) == pytest.approx(np.mean(losses), rel=1e-4)


class Scores(Layer):
    """Says class 1 for whatever is above zero, and notes whether it was in training."""

    def __init__(self) -> None:
        self.scale, self.seen = Tensor([1.0], requires_grad=True), []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(self.training)
        return Tensor(np.concatenate([-x.data, x.data], axis=1)) * self.scale


QUESTIONS = [(Tensor([[1.0], [-1.0]]), Tensor([1, 0])), (Tensor([[2.0], [-2.0]]), Tensor([0, 0]))]


def scoring() -> Trainer:
    model = Scores()
    return Trainer(model, SGD(model.parameters(), lr=0.1), CrossEntropyLoss())


def test_accuracy_is_the_share_of_right_answers() -> None:
    _, accuracy = scoring().evaluate(QUESTIONS)

    assert float(accuracy) == pytest.approx(0.75)


def test_the_loss_of_an_evaluation_is_a_mean_too() -> None:
    made = scoring()
    losses = [float(CrossEntropyLoss()(made.model(inputs), labels).data) for inputs, labels in QUESTIONS]

    assert float(made.evaluate(QUESTIONS)[0]) == pytest.approx(np.mean(losses), rel=1e-4)


def test_a_model_knows_whether_it_is_trained_or_asked() -> None:
    made = scoring()
    made.evaluate(QUESTIONS)
    assert made.model.seen == [False, False]
    made.train_epoch(QUESTIONS)
    assert made.model.seen[2:] == [True, True]


def test_gradients_of_several_batches_make_one_step() -> None:
    made, steps = trainer(), []
    step = made.optimizer.step
    made.optimizer.step = lambda: steps.append(step())
    made.train_epoch(BATCHES, accumulation_steps=2)

    assert len(steps) == 2


def test_a_scheduler_sets_the_learning_rate() -> None:
    made = trainer(scheduler=CosineSchedule(max_lr=0.05, min_lr=0.01, total_epochs=4))
    made.train_epoch(BATCHES)

    assert made.optimizer.lr in (pytest.approx(0.05), pytest.approx(0.05 - 0.04 * (1 - np.cos(np.pi / 4)) / 2))
    first = made.optimizer.lr
    made.train_epoch(BATCHES)
    assert made.optimizer.lr < first


def test_evaluating_changes_nothing() -> None:
    made = trainer()
    before = [np.array(parameter.data) for parameter in made.model.parameters()]
    loss, _ = made.evaluate(BATCHES)

    assert loss > 0
    assert all(np.array_equal(a, b.data) for a, b in zip(before, made.model.parameters(), strict=True))


@pytest.mark.parametrize(("epoch", "rate"), [(0, 0.1), (50, 0.055), (100, 0.01), (150, 0.01)])
def test_the_cosine_goes_from_most_to_least(epoch: int, rate: float) -> None:
    schedule = CosineSchedule(max_lr=0.1, min_lr=0.01, total_epochs=100)

    assert schedule.get_lr(epoch) == pytest.approx(rate)


def test_long_gradients_are_shortened_together() -> None:
    x, y = (Tensor([0.0], requires_grad=True) for _ in range(2))
    (x * 3.0 + y * 4.0).sum().backward()
    norm = clip_grad_norm([x, y], max_norm=1.0)

    assert float(norm) == pytest.approx(5)
    np.testing.assert_allclose([float(np.asarray(x.grad)[0]), float(np.asarray(y.grad)[0])], [0.6, 0.8], rtol=1e-3)


def test_short_gradients_stay_as_they_are() -> None:
    x = Tensor([0.0], requires_grad=True)
    (x * 0.5).sum().backward()

    assert float(clip_grad_norm([x], max_norm=1.0)) == pytest.approx(0.5)
    np.testing.assert_allclose(np.asarray(x.grad), [0.5])


def test_a_trainer_shortens_gradients_when_told_to() -> None:
    made = trainer(grad_clip_norm=1e-6)
    before = np.array(made.model.weight.data)
    made.train_epoch(BATCHES)

    np.testing.assert_allclose(made.model.weight.data, before, atol=1e-5)


def test_a_checkpoint_brings_the_weights_back(tmp_path: Path) -> None:
    made = trainer()
    made.train_epoch(BATCHES)
    expected = np.array(made.model.weight.data)
    made.save_checkpoint(str(tmp_path / "checkpoint.pkl"))
    made.train_epoch(BATCHES)
    made.load_checkpoint(str(tmp_path / "checkpoint.pkl"))

    np.testing.assert_array_equal(made.model.weight.data, expected)
