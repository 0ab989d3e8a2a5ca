"""Knowledge distillation: the loss by hand, and a student that learns from answers alone."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.metrics import accuracy
from tinytorch.core.tensor import Tensor
from tinytorch.datasets import load_digits
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.compression import KnowledgeDistillation, fine_tune

STUDENT, TEACHER, LABELS = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[2.0, 0.0], [3.0, 0.0]]), np.array([0, 0])


def softmax(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 1.0), (3.0, 0.7), (2.0, 0.0)])
def test_the_loss_is_what_a_hand_computes(temperature: float, alpha: float) -> None:
    teacher, student = softmax(TEACHER / temperature), softmax(STUDENT / temperature)
    divergence = (teacher * np.log(teacher / student)).sum(axis=1).mean()
    hard = -np.log(softmax(STUDENT)[:, 0]).mean()
    loss = KnowledgeDistillation(None, None, temperature, alpha).distillation_loss(Tensor(STUDENT), TEACHER, LABELS)

    assert float(loss) == pytest.approx(alpha * temperature**2 * divergence + (1 - alpha) * hard, rel=1e-5)


def test_a_student_that_answers_as_its_teacher_has_no_divergence() -> None:
    loss = KnowledgeDistillation(None, None, 3.0, 1.0).distillation_loss(Tensor(TEACHER), Tensor(TEACHER), LABELS)

    assert float(loss) == pytest.approx(0, abs=1e-6)


def test_a_student_learns_from_its_teacher_alone() -> None:
    train, test = load_digits()
    rng = np.random.default_rng(0)
    teacher = Sequential(Linear(64, 64, rng=rng), ReLU(), Linear(64, 10, rng=rng))
    fine_tune(teacher, train, epochs=8)
    unlabelled = TensorDataset(train.inputs, np.zeros(len(train), int))
    student = Sequential(Linear(64, 16, rng=rng), ReLU(), Linear(16, 10, rng=rng))
    taught = KnowledgeDistillation(teacher, student, alpha=1.0).train(unlabelled, epochs=10)

    assert taught is student
    assert accuracy(student, test) > 0.9


def test_gradients_reach_the_student() -> None:
    logits = Tensor(STUDENT, requires_grad=True)
    KnowledgeDistillation(None, None).distillation_loss(logits, TEACHER, LABELS).backward()
    plain = Tensor(STUDENT, requires_grad=True)
    CrossEntropyLoss()(plain, LABELS).backward()

    assert np.isfinite(logits.grad).all()
    assert not np.allclose(logits.grad, plain.grad)


@pytest.mark.parametrize("options", [{"temperature": 0}, {"alpha": 1.5}, {"alpha": -0.1}])
def test_values_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(UsageError, match="distillation needs"):
        KnowledgeDistillation(None, None, **options)


def test_models_that_answer_differently_are_refused() -> None:
    with pytest.raises(ShapeError, match="scores of one shape"):
        KnowledgeDistillation(None, None).distillation_loss(Tensor(STUDENT), TEACHER[:1], LABELS)
