"""Training: the loop over epochs and batches."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Layer
from tinytorch.core.optimizers import Optimizer
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import RunError


class Observer(Protocol):
    """Told after every step: how many are done, how many there will be, and the loss of the batch."""

    def __call__(self, step: int, total_steps: int, loss: float, /) -> None: ...


class Loss(Protocol):
    """Outputs of a model and labels -> tensor of one element."""

    def __call__(self, outputs: Tensor, labels: Tensor, /) -> Tensor: ...


def silent(step: int, total_steps: int, loss: float, /) -> None:
    """The observer that does nothing."""


class Trainer:
    """Makes `loss` of `model` smaller, by `optimizer`."""

    def __init__(self, model: Layer, optimizer: Optimizer, loss: Loss, observer: Observer = silent) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.observer = observer

    def fit(self, loader: DataLoader, epochs: int) -> list[float]:
        """Train for `epochs` passes over `loader`; mean loss of each. The model stays switched to training.

        Raises RunError when the loss is no longer a finite number.
        """
        self.model.train()
        total_steps, step, history = epochs * len(loader), 0, []
        for _ in range(epochs):
            losses = []
            for inputs, labels in loader:
                losses.append(self._step(inputs, labels))
                step += 1
                self.observer(step, total_steps, losses[-1])
            history.append(math.fsum(losses) / len(losses))
        self.optimizer.zero_grad()
        return history

    def _step(self, inputs: Tensor, labels: Tensor) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(self.model(inputs), labels)
        value = float(loss.item())
        if not math.isfinite(value):
            raise RunError(f"training diverged: the loss is {value}", mend="use a smaller learning rate")
        loss.backward()
        self.optimizer.step()
        return value


def accuracy(model: Layer, dataset: TensorDataset) -> float:
    """Fraction of samples whose largest output is at their label; `model` is switched to inference."""
    model.eval()
    with no_grad():
        scores = model(Tensor(dataset.inputs)).data
    return float(np.mean(scores.argmax(axis=-1) == dataset.labels))
