"""1958: a perceptron learns a line between two clouds of points.

One neuron: a weighted sum, squeezed to a probability. Each step moves the line a little to where the error is less.
"""

from __future__ import annotations

import numpy as np

from tinytorch import SGD, BinaryCrossEntropyLoss, Linear, Sequential, Sigmoid, Tensor
from tinytorch.core.ops import Array
from tinytorch.progress import Progress

STEPS = 50


def clouds(seed: int) -> tuple[Array, Array]:
    """Points (100, 2) around (1, 1) and (-1, -1), and to which cloud each belongs (100, 1)."""
    generator = np.random.default_rng(seed)
    labels = np.repeat([1.0, 0.0], 50).reshape(-1, 1)
    return generator.normal(2 * labels - 1, 0.5, (100, 2)), labels


def run(progress: Progress) -> float:
    """Train on some points; the share of others that it gets right."""
    model = Sequential(Linear(2, 1, rng=np.random.default_rng(0)), Sigmoid())
    optimizer, loss_of = SGD(model.parameters(), lr=0.5), BinaryCrossEntropyLoss()
    points, labels = clouds(seed=1)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss_of(model(Tensor(points)), Tensor(labels)).backward()
        optimizer.step()
        progress("learn", (step + 1) / STEPS)
    points, labels = clouds(seed=2)
    return float(((model(Tensor(points)).data > 0.5) == labels).mean())
