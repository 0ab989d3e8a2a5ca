"""Losses: how wrong outputs are, as one number to be made smaller."""

from __future__ import annotations

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, apply
from tinytorch.errors import ShapeError, UsageError


class CrossEntropyLoss:
    """Mean of -log(softmax(logits)[label]) over a batch."""

    def __call__(self, logits: Tensor, labels: Tensor | Array) -> Tensor:
        """logits (N, classes), integer labels (N,) -> tensor of one element, in nats.

        Raises ShapeError when they do not fit together, UsageError for labels that are not integers 0..classes-1.
        """
        classes = np.asarray(labels)
        if logits.ndim != 2 or not len(classes.shape) or classes.shape != logits.shape[:1] or not len(classes):
            raise ShapeError(f"needs logits (N, classes) and labels (N,), got {logits.shape} and {classes.shape}")
        if classes.dtype.kind not in "iu" or classes.min() < 0 or classes.max() >= logits.shape[1]:
            raise UsageError(f"labels must be integers 0..{logits.shape[1] - 1}, for logits {logits.shape}")
        return apply("cross_entropy", logits, labels=classes)
