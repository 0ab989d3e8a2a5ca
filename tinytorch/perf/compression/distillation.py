"""Knowledge distillation: a small model learns what a large one answers (Hinton, Vinyals & Dean 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.arguments import checked
from tinytorch.core.dataloader import TensorDataset, as_dataset
from tinytorch.core.layers import inference
from tinytorch.core.losses import CrossEntropyLoss, log_softmax
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import ShapeError
from tinytorch.perf.compression.tuning import fine_tune


class KnowledgeDistillation:
    """A teacher, a student, and how much the student listens: `alpha` to the teacher, the rest to the labels.

    At a `temperature` above 1 the teacher's answers are softer. Raises UsageError for values out of range.
    """

    def __init__(self, teacher_model: Any, student_model: Any, temperature: float = 3.0, alpha: float = 0.7) -> None:
        checked("distillation needs a temperature", temperature, above=0)
        checked("distillation needs alpha", alpha, from_=0, to=1)
        self.teacher_model, self.student_model = teacher_model, student_model
        self.temperature, self.alpha = temperature, alpha

    def distillation_loss(self, student_logits: Tensor, teacher_logits: Any, labels: Any) -> Tensor:
        """alpha * T^2 * KL(teacher at T, student at T) + (1 - alpha) * cross entropy with the labels; means over rows.

        Scores (N, ..., classes) and labels (N, ...). The square keeps both parts' gradients of one size, whatever the
        temperature. Raises ShapeError when the scores do not have the same shape.
        """
        teacher = np.asarray(teacher_logits)
        if teacher.shape != student_logits.shape:
            raise ShapeError(
                f"both models must give scores of one shape, not {student_logits.shape} and {teacher.shape}"
            )
        known = _log_softmax(teacher / self.temperature)
        probabilities = np.exp(known).astype(np.float32)
        rows = max(1, teacher.size // teacher.shape[-1])
        constant = float((probabilities * known).sum()) / rows
        student = log_softmax(student_logits / self.temperature)
        divergence = constant - (student * probabilities).sum() / rows
        hard: Tensor = CrossEntropyLoss()(student_logits, labels)
        loss: Tensor = self.alpha * self.temperature**2 * divergence + (1 - self.alpha) * hard
        return loss

    def train(self, train_data: TensorDataset, **tuning: Any) -> Any:
        """Train the student, in place, on (N, ...) with labels, and hand it back; `tuning` as of `fine_tune`.

        The teacher answers once, in inference.
        """
        train_data = as_dataset(train_data)
        with inference(self.teacher_model), no_grad():
            answers = np.asarray(self.teacher_model(Tensor(train_data.inputs)))
        answered = TensorDataset(train_data.inputs, np.arange(len(train_data)))

        def loss(student_logits: Tensor, indices: Tensor) -> Tensor:
            rows = np.asarray(indices.data, np.int64)
            return self.distillation_loss(student_logits, answers[rows], train_data.labels[rows])

        fine_tune(self.student_model, answered, loss=loss, **tuning)
        return self.student_model


def _log_softmax(scores: Array) -> Array:
    shifted = scores.astype(np.float64) - scores.max(axis=-1, keepdims=True)
    logarithms: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logarithms
