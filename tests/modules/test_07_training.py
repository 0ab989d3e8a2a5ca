"""What the course promises of module 07 (08 in the newer edition), whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinytorch.core.layers import Linear
from tinytorch.core.losses import MSELoss
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


def test_evaluating_changes_nothing() -> None:
    made = trainer()
    before = [np.array(parameter.data) for parameter in made.model.parameters()]
    loss, _ = made.evaluate(BATCHES)

    assert loss > 0
    assert all(np.array_equal(a, b.data) for a, b in zip(before, made.model.parameters(), strict=True))


@pytest.mark.parametrize(("epoch", "rate"), [(0, 0.1), (50, 0.055), (100, 0.01)])
def test_the_cosine_goes_from_most_to_least(epoch: int, rate: float) -> None:
    schedule = CosineSchedule(max_lr=0.1, min_lr=0.01, total_epochs=100)

    assert schedule.get_lr(epoch) == pytest.approx(rate)


def test_long_gradients_are_shortened_together() -> None:
    x, y = (Tensor([0.0], requires_grad=True) for _ in range(2))
    (x * 3.0 + y * 4.0).sum().backward()
    norm = clip_grad_norm([x, y], max_norm=1.0)

    assert float(norm) == pytest.approx(5)
    np.testing.assert_allclose([float(np.asarray(x.grad)[0]), float(np.asarray(y.grad)[0])], [0.6, 0.8], rtol=1e-3)


def test_a_checkpoint_brings_the_weights_back(tmp_path: Path) -> None:
    made = trainer()
    made.train_epoch(BATCHES)
    expected = np.array(made.model.weight.data)
    made.save_checkpoint(str(tmp_path / "checkpoint.pkl"))
    made.train_epoch(BATCHES)
    made.load_checkpoint(str(tmp_path / "checkpoint.pkl"))

    np.testing.assert_array_equal(made.model.weight.data, expected)
