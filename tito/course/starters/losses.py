"""Module 04: losses, how wrong an answer is as one number.

loss(predictions, targets) and loss.forward(predictions, targets) do the same.
Test it:  tito module test losses
"""

import numpy as np

from tinytorch.core.tensor import Tensor


def log_softmax(x, dim=-1):
    """log(softmax(x)) without overflow: x - max - log(sum(exp(x - max)))."""
    raise NotImplementedError("log_softmax")


class MSELoss:
    """The mean of the squared differences."""

    def forward(self, predictions, targets):
        raise NotImplementedError("MSELoss.forward")

    def __call__(self, predictions, targets):
        return self.forward(predictions, targets)


class CrossEntropyLoss:
    """Scores (N, classes) and class numbers (N,), also as whole floats: the mean of -log_softmax at the right class."""


class BinaryCrossEntropyLoss:
    """Probabilities and labels of 0 or 1: the mean of -(y log p + (1 - y) log(1 - p)). log(0) must not happen."""
