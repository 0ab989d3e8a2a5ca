"""1969: exclusive or. No line separates these four points, and with that the first winter of the field began.

A hidden layer folds the plane, so that a line suffices. Without it three of four is the best that training can do.
"""

from __future__ import annotations

import numpy as np

from tinytorch import SGD, BinaryCrossEntropyLoss, Linear, Sequential, Sigmoid, Tanh, Tensor
from tinytorch.progress import Progress

POINTS = Tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
LABELS = Tensor([[0], [1], [1], [0]])
STEPS = 500


def run(progress: Progress) -> float:
    """Train a network with a hidden layer; the share of the four points that it gets right."""
    generator = np.random.default_rng(4)
    hidden, output = Linear(2, 8, rng=generator), Linear(8, 1, rng=generator)
    return learned(Sequential(hidden, Tanh(), output, Sigmoid()), progress)


def without_hidden_layer(progress: Progress) -> float:
    """The same with a single neuron."""
    return learned(Sequential(Linear(2, 1, rng=np.random.default_rng(4)), Sigmoid()), progress)


def learned(model: Sequential, progress: Progress) -> float:
    """Train a model on the four points; its accuracy on them."""
    optimizer, loss_of = SGD(model.parameters(), lr=1.0), BinaryCrossEntropyLoss()
    for step in range(STEPS):
        optimizer.zero_grad()
        loss_of(model(POINTS), LABELS).backward()
        optimizer.step()
        progress("learn", (step + 1) / STEPS)
    return float(((model(POINTS).data > 0.5) == (LABELS.data > 0.5)).mean())
