"""Losses: how wrong outputs are, as one number to be made smaller."""

from __future__ import annotations

import numpy as np

from tinytorch.core.conversion import whole_numbers
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, apply
from tinytorch.errors import ShapeError, UsageError


class Loss:
    """Base: write `forward`, which gives a tensor of one element."""

    def __call__(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """`forward`."""
        return self.forward(outputs, targets)

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """How far `outputs` are from `targets`."""
        raise NotImplementedError(f"{type(self).__qualname__} has no forward()")

    def fitting(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """The targets as a tensor of the outputs' type; ShapeError unless both have one shape, and elements."""
        truth = targets if isinstance(targets, Tensor) else Tensor(targets, dtype=outputs.dtype)
        if truth.shape != outputs.shape or not truth.size:
            shapes = f"{outputs.shape} and {truth.shape}"
            name = type(self).__qualname__
            raise ShapeError(f"{name} needs outputs and targets of one shape, not empty, got {shapes}")
        return truth


class MSELoss(Loss):
    """Mean of (output - target)^2 over all elements."""

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """Both of one shape, else ShapeError -> tensor of one element."""
        difference = outputs - self.fitting(outputs, targets)
        return (difference * difference).mean()


class CrossEntropyLoss(Loss):
    """Mean of -log(softmax(logits)[label]) over a batch; or of -sum(probability * log(softmax(logits)))."""

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """Logits (N, ..., classes), labels (N, ...), whole numbers of any type -> tensor of one element, in nats.

        Labels may also be probabilities (N, ..., classes), one-hot rows for example. Raises ShapeError when they do not
        fit together, UsageError for labels that are not in 0..classes-1, or are no probabilities.
        """
        if outputs.ndim > 1 and outputs.size and np.shape(targets) == outputs.shape:
            return -(log_softmax(outputs) * _probabilities(targets)).sum(axis=-1).mean()
        classes = whole_numbers(targets)
        if outputs.ndim < 2 or classes.shape != outputs.shape[:-1] or not classes.size:
            raise ShapeError(
                f"CrossEntropyLoss needs logits (N, classes) and labels (N,), got {outputs.shape} and {classes.shape}"
            )
        if classes.dtype.kind not in "iu" or classes.min() < 0 or classes.max() >= outputs.shape[-1]:
            raise UsageError(f"labels must be integers 0..{outputs.shape[-1] - 1}, for logits {outputs.shape}")
        rows = outputs if outputs.ndim == 2 else outputs.reshape(-1, outputs.shape[-1])
        return apply("cross_entropy", rows, labels=classes.ravel())


class BinaryCrossEntropyLoss(Loss):
    """Mean of -(t log p + (1 - t) log(1 - p)) over all elements; each logarithm is at least -100, as in PyTorch."""

    def forward(self, outputs: Tensor, targets: Tensor | Array) -> Tensor:
        """Probabilities p and targets t of one shape, both in 0..1 -> tensor of one element, in nats.

        Raises ShapeError when they do not fit together, UsageError for values outside 0..1.
        """
        truth = self.fitting(outputs, targets).data
        for name, values in (("probabilities", outputs.data), ("targets", truth)):
            if not values.size or not (values.min() >= 0 and values.max() <= 1):
                raise UsageError(
                    f"BinaryCrossEntropyLoss needs {name} in 0..1", mend="put a Sigmoid behind the last layer"
                )
        return apply("binary_cross_entropy", outputs, targets=truth)


def _probabilities(targets: Tensor | Array) -> Array:
    """Rows that are not negative and add up to 1; UsageError for others."""
    rows: Array = np.asarray(targets)
    if not (rows.min() >= 0 and np.allclose(rows.sum(axis=-1), 1, atol=1e-4)):
        raise UsageError("labels in the shape of the logits must be probabilities: rows from 0 on that add up to 1")
    return rows


def log_softmax(inputs: Tensor, dim: int = -1) -> Tensor:
    """Logarithm of softmax along the axis `dim`, exact where the softmax itself would round to 0."""
    return apply("log_softmax", inputs, axis=dim)
