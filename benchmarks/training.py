"""Training the network of `digits_mlp`: this framework against plain numpy without autograd, epoch by epoch in turns.

    python benchmarks/training.py [epochs]

Both sides start from the same weights and see the same batches, so their losses must agree too. The plain side is
written as one would by hand: out= where it is natural, no blocking.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.training import Trainer, accuracy
from tinytorch.datasets.digits import load_digits

WIDTHS = (64, 1024, 1024, 1024, 1024, 10)
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
EPOCHS = 8
Array = NDArray[Any]


class PlainNetwork:
    """The same network and optimizer, with its gradients written out."""

    def __init__(self, weights: list[Array], biases: list[Array]) -> None:
        self.depth = len(weights)
        self.arrays = [*weights, *biases]
        self.means = [np.zeros_like(array) for array in self.arrays]
        self.squares = [np.zeros_like(array) for array in self.arrays]
        self.steps = 0

    def train_epoch(self, batches: DataLoader) -> float:
        """One pass; mean loss."""
        losses = []
        for inputs, labels in batches:
            loss, gradients = self.gradients(inputs.data, labels.data)
            self.adam(gradients)
            losses.append(loss)
        return sum(losses) / len(losses)

    def gradients(self, inputs: Array, labels: Array) -> tuple[float, list[Array]]:
        """Loss and gradients of weights, then biases."""
        weights, biases = self.arrays[: self.depth], self.arrays[self.depth :]
        activations = [inputs]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            activations.append(np.maximum(activations[-1] @ weight + bias, 0))
        logits = activations[-1] @ weights[-1] + biases[-1]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        delta = powers / powers.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -float(np.log(delta[rows, labels]).mean())
        delta[rows, labels] -= 1
        delta /= len(labels)
        of_weights, of_biases = [], []
        for layer in reversed(range(self.depth)):
            of_weights.append(activations[layer].T @ delta)
            of_biases.append(delta.sum(axis=0))
            if layer:
                delta = (delta @ weights[layer].T) * (activations[layer] > 0)
        return loss, of_weights[::-1] + of_biases[::-1]

    def adam(self, gradients: list[Array]) -> None:
        """One step of Adam."""
        self.steps += 1
        for array, gradient, mean, square in zip(self.arrays, gradients, self.means, self.squares, strict=True):
            mean *= 0.9
            mean += 0.1 * gradient
            square *= 0.999
            square += 0.001 * gradient * gradient
            mean_hat = mean / (1 - 0.9**self.steps)
            square_hat = square / (1 - 0.999**self.steps)
            array -= LEARNING_RATE * mean_hat / (np.sqrt(square_hat) + 1e-8)


def timed(action: Callable[[], float]) -> tuple[float, float]:
    """Seconds that `action` took, and its result."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def main(epochs: int) -> None:
    """Train both in turns and print the ratio of their times."""
    train, test = load_digits()
    generator = np.random.default_rng(0)
    linears = [Linear(*sizes, rng=generator) for sizes in itertools.pairwise(WIDTHS)]
    plain = PlainNetwork(
        [layer.weight.data.copy() for layer in linears],
        [layer.bias.data.copy() for layer in linears if layer.bias is not None],
    )
    layers: list[Layer] = [layer for linear in linears for layer in (linear, ReLU())]
    model = Sequential(layers[:-1])
    trainer = Trainer(model, Adam(model.parameters(), LEARNING_RATE), CrossEntropyLoss())
    ours_batches, plain_batches = (DataLoader(train, BATCH_SIZE, shuffle=True, seed=0) for _ in range(2))
    ours, plains = [], []
    for epoch in range(epochs):
        ours_s, ours_loss = timed(lambda: trainer.fit(ours_batches, 1)[0])
        plain_s, plain_loss = timed(lambda: plain.train_epoch(plain_batches))
        ours.append(ours_s)
        plains.append(plain_s)
        print(f"epoch {epoch + 1}: {ours_s:.3f} s, loss {ours_loss:.5f}; plain {plain_s:.3f} s, loss {plain_loss:.5f}")
    ratio = statistics.median(a / b for a, b in zip(ours, plains, strict=True))
    print(f"total {sum(ours):.2f} s against {sum(plains):.2f} s; median ratio {ratio:.2f} (target: at most 1.5)")
    print(f"test accuracy {accuracy(model, test):.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EPOCHS)
