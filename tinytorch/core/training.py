"""Training: the loop over epochs and batches, what keeps it steady, and what lets it go on another day."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tinytorch.core.checkpoint import Checkpoint
from tinytorch.core.dataloader import DataLoader
from tinytorch.core.layers import inference, set_training_mode
from tinytorch.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss
from tinytorch.core.metrics import right_answers
from tinytorch.core.ops import Array
from tinytorch.core.state import generators, load_state_dict, state_dict
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import RunError, UsageError
from tinytorch.progress import Progress, part_of, silent

__all__ = ["BinaryCrossEntropyLoss", "CosineSchedule", "CrossEntropyLoss", "MSELoss", "Trainer", "clip_grad_norm"]

LARGEST_KEPT_BYTES = 31 * 2**20
Batches = Iterable[Any]  # each (*inputs, labels): a DataLoader, a list of pairs


class Schedule(Protocol):
    """What sets the learning rate of each epoch."""

    def get_lr(self, epoch: int, /) -> float:
        """The learning rate of epoch number `epoch`, from 0."""


@dataclass(frozen=True)
class CosineSchedule:
    """A learning rate that rises to `max_lr` in a line, then falls to `min_lr` along half a cosine wave.

    Loshchilov & Hutter 2017, without restarts; the rise is Goyal et al. 2017. Epochs may be fractions.
    Raises UsageError for epochs that leave nothing to fall along, and for rates below 0.
    """

    max_lr: float = 0.1
    min_lr: float = 0.01
    total_epochs: float = 100
    warmup_epochs: float = 0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup_epochs < self.total_epochs or min(self.max_lr, self.min_lr) < 0:
            raise UsageError(f"a schedule needs rates from 0 on and fewer warm-up epochs than epochs, got {self}")

    def get_lr(self, epoch: float) -> float:
        """The learning rate after `epoch` epochs; `min_lr` from `total_epochs` on."""
        if epoch < self.warmup_epochs:
            return self.max_lr * (epoch + 1) / (self.warmup_epochs + 1)  # the first epoch learns, too
        share = min(1.0, (epoch - self.warmup_epochs) / (self.total_epochs - self.warmup_epochs))
        return self.min_lr + (self.max_lr - self.min_lr) * (1 + math.cos(math.pi * share)) / 2


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float = 1.0) -> float:
    """Shorten all gradients together to the length `max_norm` when they are longer; their length before.

    The gradients are taken as one vector (Pascanu, Mikolov & Bengio 2013). Raises RunError when it is not finite.
    """
    gradients: list[Array] = [np.asarray(parameter.grad) for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(gradient, gradient)) for gradient in gradients))
    if not math.isfinite(norm):
        raise RunError(f"training diverged: the gradients' norm is {norm}", mend="use a smaller learning rate")
    if norm > max_norm:
        for gradient in gradients:
            gradient *= max_norm / norm
    return norm


class Trainer:
    """Makes `loss_fn(model(inputs), labels)` smaller, by `optimizer`.

    `scheduler` sets the learning rate of each epoch, `grad_clip_norm` limits the length of the gradients. Model,
    optimizer and loss may be of any class. `epoch` counts finished epochs, `history` keeps their figures.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss_fn: Any,
        scheduler: Schedule | None = None,
        grad_clip_norm: float | None = None,
        progress: Progress = silent,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.scheduler = scheduler
        self.grad_clip_norm = grad_clip_norm
        self.progress = progress
        self.epoch = 0
        self.history: dict[str, list[float]] = {"train_loss": [], "eval_loss": [], "learning_rates": []}

    def fit(self, loader: Batches, epochs: int) -> list[float]:
        """Train for `epochs` passes over `loader`; mean loss of each. The model stays switched to training.

        Raises RunError when the loss is no longer a finite number.
        """
        return [self._epoch(loader, 1, part_of(self.progress, "train", number, epochs)) for number in range(epochs)]

    def train_epoch(self, loader: Batches, accumulation_steps: int = 1) -> float:
        """Train for one pass over `loader`, each step by the mean gradient of `accumulation_steps` batches; mean loss.

        Raises UsageError without batches, RunError when the loss is no longer a finite number.
        """
        if accumulation_steps < 1:
            raise UsageError(f"a step needs at least 1 batch, not accumulation_steps={accumulation_steps}")
        return self._epoch(loader, accumulation_steps, self.progress)

    def evaluate(self, loader: Batches) -> tuple[float, float]:
        """Mean loss over the batches, and the fraction of answers that are right; the model keeps its mode.

        The fraction is nan where outputs are no answers to choose from (`metrics.right_answers`).
        """
        losses, right = [], []
        with inference(self.model), no_grad():
            for batch in loader:
                loss, outputs, labels = self._loss(batch)
                losses.append(float(loss))
                right.append(right_answers(np.asarray(outputs), np.asarray(labels)))
        self.history["eval_loss"].append(_mean(losses))
        return self.history["eval_loss"][-1], float(np.concatenate(right).mean())

    def _epoch(self, loader: Batches, accumulation_steps: int, progress: Progress) -> float:
        _keep_freed_memory()
        set_training_mode(self.model, True)
        if self.scheduler:
            self.optimizer.lr = self.scheduler.get_lr(self.epoch)
        self.optimizer.zero_grad()
        batches, losses = operator.length_hint(loader), list[float]()
        for batch in loader:
            losses.append(self._add_gradients(batch))
            if not len(losses) % accumulation_steps:
                self._step(accumulation_steps)
            if batches:
                progress("train", len(losses) / batches)
        if len(losses) % accumulation_steps:
            self._step(len(losses) % accumulation_steps)
        self.history["train_loss"].append(_mean(losses))
        self.history["learning_rates"].append(self.optimizer.lr)
        self.epoch += 1
        return self.history["train_loss"][-1]

    def _add_gradients(self, batch: Any) -> float:
        loss, _, _ = self._loss(batch)
        value = float(loss)
        if not math.isfinite(value):
            raise RunError(f"training diverged: the loss is {value}", mend="use a smaller learning rate")
        loss.backward()
        return value

    def _step(self, batches: int) -> None:
        """Change the weights by gradients that were summed over `batches`."""
        for param in self.optimizer.params if batches > 1 else ():
            if param.grad is not None:
                param.grad /= batches
        if self.grad_clip_norm is not None:
            clip_grad_norm(self.optimizer.params, self.grad_clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def _loss(self, batch: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, outputs and labels of (*inputs, labels)."""
        *inputs, labels = (field if isinstance(field, Tensor) else Tensor(field) for field in batch)
        outputs = _callable(self.model)(*inputs)
        return _callable(self.loss_fn)(outputs, labels), outputs, labels

    def save_checkpoint(self, path: str | Path, loader: DataLoader | None = None) -> None:
        """Write all that training goes on from: weights, optimizer, history, and the state of the random generators.

        With `loader` the orders of its batches go on, too. The file holds arrays and JSON, nothing that is executed.
        Raises UsageError for an optimizer that cannot tell its state, and for a path that cannot be written.
        """
        if not hasattr(self.optimizer, "state_dict"):
            raise UsageError(f"{type(self.optimizer).__name__} has no state_dict()", mend="derive it from Optimizer")
        Checkpoint(
            weights=state_dict(self.model),
            optimizer=self.optimizer.state_dict(),
            generators={name: item.bit_generator.state for name, item in self._generators(loader).items()},
            epoch=self.epoch,
            history=self.history,
        ).write(Path(path))

    def load_checkpoint(self, path: str | Path, loader: DataLoader | None = None) -> None:
        """Go on from what `save_checkpoint` wrote of the same model and optimizer, which stay the same objects.

        Nothing changes unless all of it fits. Raises UsageError for a file that is missing, damaged or no checkpoint,
        or that is of another model or optimizer.
        """
        found, before = Checkpoint.read(Path(path)), state_dict(self.model)
        load_state_dict(self.model, found.weights)
        try:
            self.optimizer.load_state_dict(found.optimizer)
        except UsageError:
            load_state_dict(self.model, before)
            raise
        for name, item in self._generators(loader).items():
            if name in found.generators:
                item.bit_generator.state = found.generators[name]
        self.epoch, self.history = found.epoch, found.history

    def _generators(self, loader: DataLoader | None) -> dict[str, np.random.Generator]:
        own = {f"model.{name}": item for name, item in generators(self.model).items()}
        return own if loader is None else {**own, "loader": loader.generator}


def _callable(item: Any) -> Callable[..., Any]:
    """What calls a model or loss, which may have `forward` alone."""
    found: Callable[..., Any] = item if callable(item) else item.forward
    return found


def _mean(losses: list[float]) -> float:
    if not losses:
        raise UsageError("training and evaluating need data: the loader gave no batch")
    return math.fsum(losses) / len(losses)


def _keep_freed_memory() -> None:
    """Let the C library keep what one step frees for the next one, which would else get it page by page anew.

    glibc hands back to the system what is larger than its thresholds, and raises them to the size of a block that was
    freed, up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD). The block is never written to, so that it costs no memory.
    """
    np.empty(LARGEST_KEPT_BYTES, np.uint8)
