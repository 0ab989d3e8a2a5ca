"""Training learns, repeats itself, tells an observer, and refuses nonsense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.metrics import accuracy
from tinytorch.core.optimizers import SGD, Adam, AdamW
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import (
    CosineSchedule,
    Trainer,
    clip_grad_norm,
    load_checkpoint,
    save_checkpoint,
)
from tinytorch.errors import RunError, UsageError
from tinytorch.progress import Progress, silent

POINTS = np.random.default_rng(3).standard_normal((200, 2)).astype(np.float32)
QUADRANTS = TensorDataset(POINTS, (POINTS[:, 0] * POINTS[:, 1] > 0).astype(np.int64))


def trained(progress: Progress = silent, epochs: int = 30) -> tuple[Sequential, list[float]]:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(2, 32, rng=rng), ReLU(), Linear(32, 2, rng=rng))
    trainer = Trainer(model, Adam(model.parameters(), 0.01), CrossEntropyLoss(), progress)
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
    heard: list[tuple[str, float]] = []
    trained(lambda *told: heard.append(told), epochs=2)
    assert heard == [("train", step / 20) for step in range(1, 21)]


def test_training_leaves_no_gradients_behind() -> None:
    assert all(tensor.grad is None for tensor in trained(epochs=1)[0].parameters())


def test_a_loss_that_is_no_number_ends_training() -> None:
    model = Sequential(Linear(2, 2))
    bad = TensorDataset(np.full((4, 2), np.nan), np.zeros(4, np.int64))
    trainer = Trainer(model, SGD(model.parameters()), CrossEntropyLoss())
    with pytest.raises(RunError, match="diverged"):
        trainer.fit(DataLoader(bad), 1)


def noisy_trainer() -> tuple[Trainer, DataLoader]:
    """Everything that has a state: momenta, a schedule, dropout and shuffling."""
    rng = np.random.default_rng(0)
    model = Sequential(Linear(2, 16, rng=rng), ReLU(), Dropout(0.2, rng=rng), Linear(16, 2, rng=rng))
    schedule = CosineSchedule(0.02, 0.001, total_epochs=6, warmup_epochs=1)
    optimizer = AdamW(model.parameters())
    trainer = Trainer(model, optimizer, CrossEntropyLoss(), lambda *_: None, schedule=schedule, max_norm=1.0)
    return trainer, DataLoader(QUADRANTS, 20, shuffle=True, seed=1)


def test_a_resumed_training_goes_exactly_the_same_way(tmp_path: Path) -> None:
    whole, whole_loader = noisy_trainer()
    expected = whole.fit(whole_loader, 6)

    first, loader = noisy_trainer()
    losses = first.fit(loader, 2)
    save_checkpoint(tmp_path / "checkpoint", first, loader)
    fresh = DataLoader(QUADRANTS, 20, shuffle=True, seed=99)
    resumed = load_checkpoint(tmp_path / "checkpoint", fresh)
    losses += resumed.fit(fresh, 4)

    assert losses == expected
    for a, b in zip(resumed.model.weights(), whole.model.weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    trainer, loader = noisy_trainer()
    save_checkpoint(path, trainer, loader)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UsageError, match="damaged"):
        load_checkpoint(path, loader)


def test_a_trainer_with_a_nameless_loss_cannot_be_saved(tmp_path: Path) -> None:
    trainer, loader = noisy_trainer()
    trainer.loss = lambda outputs, labels: outputs.mean()
    with pytest.raises(UsageError, match="cannot be saved"):
        save_checkpoint(tmp_path / "checkpoint", trainer, loader)


def test_the_learning_rate_rises_then_falls() -> None:
    schedule = CosineSchedule(1.0, 0.1, total_epochs=12, warmup_epochs=2)
    rates = [schedule.get_lr(epoch) for epoch in (0, 1, 2, 7, 12, 99)]
    assert rates == pytest.approx([0, 0.5, 1, 0.55, 0.1, 0.1])


def test_the_schedule_sets_the_rate_of_every_step() -> None:
    trainer, loader = noisy_trainer()
    trainer.fit(loader, 1)
    assert trainer.optimizer.learning_rate == pytest.approx(0.02 * 9 / 10)


def test_long_gradients_are_shortened_together_and_short_ones_stay() -> None:
    tensors = [Tensor(np.zeros(1), requires_grad=True) for _ in range(3)]
    tensors[0].grad, tensors[1].grad = np.array([3.0], np.float32), np.array([4.0], np.float32)

    assert clip_grad_norm(tensors, 1.0) == 5
    assert [tensors[0].grad[0], tensors[1].grad[0]] == pytest.approx([0.6, 0.8])
    assert clip_grad_norm(tensors, 2.0) == pytest.approx(1)
    assert tensors[1].grad[0] == pytest.approx(0.8)


def test_gradients_that_are_no_numbers_end_training() -> None:
    tensor = Tensor([0.0], requires_grad=True)
    tensor.grad = np.array([np.nan])
    with pytest.raises(RunError, match="diverged"):
        clip_grad_norm([tensor], 1.0)
