"""Training learns, repeats itself, tells an observer, and refuses nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import SGD, Adam
from tinytorch.core.training import Observer, Trainer, accuracy, silent
from tinytorch.errors import RunError

POINTS = np.random.default_rng(3).standard_normal((200, 2)).astype(np.float32)
QUADRANTS = TensorDataset(POINTS, (POINTS[:, 0] * POINTS[:, 1] > 0).astype(np.int64))


def trained(observer: Observer = silent, epochs: int = 30) -> tuple[Sequential, list[float]]:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(2, 32, rng=rng), ReLU(), Linear(32, 2, rng=rng))
    trainer = Trainer(model, Adam(model.parameters(), 0.01), CrossEntropyLoss(), observer)
    return model, trainer.fit(DataLoader(QUADRANTS, 20, shuffle=True, seed=1), epochs)


def test_training_learns_what_no_line_can_separate() -> None:
    model, losses = trained()
    assert losses[-1] < 0.2 * losses[0]
    assert accuracy(model, QUADRANTS) > 0.95


def test_training_repeats_itself_exactly() -> None:
    first, second = trained(epochs=3)[0], trained(epochs=3)[0]
    for a, b in zip(first.weights(), second.weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_observer_hears_of_every_step() -> None:
    heard: list[tuple[int, int, float]] = []
    _, losses = trained(lambda step, total, loss: heard.append((step, total, loss)), epochs=2)
    assert [entry[:2] for entry in heard] == [(step, 20) for step in range(1, 21)]
    assert np.mean([loss for _, _, loss in heard[:10]]) == pytest.approx(losses[0])


def test_training_leaves_no_gradients_behind() -> None:
    assert all(tensor.grad is None for tensor in trained(epochs=1)[0].parameters())


def test_a_loss_that_is_no_number_ends_training() -> None:
    model = Sequential(Linear(2, 2))
    bad = TensorDataset(np.full((4, 2), np.nan), np.zeros(4, np.int64))
    trainer = Trainer(model, SGD(model.parameters()), CrossEntropyLoss())
    with pytest.raises(RunError, match="diverged"):
        trainer.fit(DataLoader(bad), 1)
