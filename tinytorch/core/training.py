"""Training: the loop over epochs and batches, what keeps it steady, and what lets it go on another day."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.core.dataloader import DataLoader
from tinytorch.core.layers import Layer
from tinytorch.core.optimizers import Optimizer
from tinytorch.core.tensor import Tensor
from tinytorch.errors import RunError, UsageError
from tinytorch.files import atomic_write, sha256
from tinytorch.progress import Progress, silent

DIGEST_CHARACTERS = 64  # of a SHA-256 in hexadecimal
LARGEST_KEPT_BYTES = 31 * 2**20
LossFunction = Callable[[Tensor, Tensor], Tensor]  # outputs of a model and labels -> tensor of one element


@dataclass(frozen=True)
class CosineSchedule:
    """A learning rate that rises to `max_lr` in a line, then falls to `min_lr` along half a cosine wave.

    Loshchilov & Hutter 2017, without restarts; the rise is Goyal et al. 2017. Epochs may be fractions.
    """

    max_lr: float
    min_lr: float
    total_epochs: float
    warmup_epochs: float = 0

    def get_lr(self, epoch: float) -> float:
        """The learning rate after `epoch` epochs; `min_lr` from `total_epochs` on."""
        if epoch < self.warmup_epochs:
            return self.max_lr * epoch / self.warmup_epochs
        share = min(1.0, (epoch - self.warmup_epochs) / (self.total_epochs - self.warmup_epochs))
        return self.min_lr + (self.max_lr - self.min_lr) * (1 + math.cos(math.pi * share)) / 2


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Shorten all gradients together to the length `max_norm` when they are longer; their length before.

    The gradients are taken as one vector (Pascanu, Mikolov & Bengio 2013). Raises RunError when it is not finite.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(gradient, gradient)) for gradient in gradients))
    if not math.isfinite(norm):
        raise RunError(f"training diverged: the gradients' norm is {norm}", mend="use a smaller learning rate")
    if norm > max_norm:
        for gradient in gradients:
            gradient *= max_norm / norm
    return norm


class Trainer:
    """Makes `loss` of `model` smaller, by `optimizer`.

    `schedule` sets the learning rate before every step, `max_norm` limits the length of the gradients.
    """

    def __init__(
        self,
        model: Layer,
        optimizer: Optimizer,
        loss: LossFunction,
        progress: Progress = silent,
        schedule: CosineSchedule | None = None,
        max_norm: float | None = None,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.progress = progress
        self.schedule = schedule
        self.max_norm = max_norm
        self.epochs = 0

    def fit(self, loader: DataLoader, epochs: int) -> list[float]:
        """Train for `epochs` passes over `loader`; mean loss of each. The model stays switched to training.

        Raises RunError when the loss is no longer a finite number.
        """
        _keep_freed_memory()
        self.model.train()
        total_steps, step, history = epochs * len(loader), 0, []
        for _ in range(epochs):
            losses: list[float] = []
            for inputs, labels in loader:
                if self.schedule:
                    self.optimizer.learning_rate = self.schedule.get_lr(self.epochs + len(losses) / len(loader))
                losses.append(self._step(inputs, labels))
                step += 1
                self.progress("train", step / total_steps)
            history.append(math.fsum(losses) / len(losses))
            self.epochs += 1
        self.optimizer.zero_grad()
        return history

    def _step(self, inputs: Tensor, labels: Tensor) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(self.model(inputs), labels)
        value = float(loss.item())
        if not math.isfinite(value):
            raise RunError(f"training diverged: the loss is {value}", mend="use a smaller learning rate")
        loss.backward()
        if self.max_norm is not None:
            clip_grad_norm(self.optimizer.parameters, self.max_norm)
        self.optimizer.step()
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "progress": silent}


def _keep_freed_memory() -> None:
    """Let the C library keep what one step frees for the next one, which would else get it page by page anew.

    glibc hands back to the system what is larger than its thresholds, and raises them to the size of a block that was
    freed, up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD). The block is never written to, so that it costs no memory.
    """
    np.empty(LARGEST_KEPT_BYTES, np.uint8)


def save_checkpoint(path: Path, trainer: Trainer, loader: DataLoader) -> None:
    """Write all that training goes on from exactly: the trainer and the state of the loader's generator.

    Neither the dataset is in the file, nor who watches. Raises UsageError for a model or loss that cannot be pickled.
    """
    try:
        content = pickle.dumps((trainer, loader.generator), protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        mend = "define classes and functions at the top of a module"
        raise UsageError(f"this trainer cannot be saved: {error}", mend=mend) from error
    atomic_write(path, sha256(content).encode() + content)


def load_checkpoint(path: Path, loader: DataLoader) -> Trainer:
    """The trainer of the file, with `loader` set to where it was. It executes what the file names: only for one's own.

    The model is `trainer.model`. Raises UsageError for a file that is damaged or no checkpoint.
    """
    stored = path.read_bytes()
    digest, content = stored[:DIGEST_CHARACTERS], stored[DIGEST_CHARACTERS:]
    if sha256(content).encode() != digest:
        raise UsageError(f"{path} is damaged or no checkpoint", mend="train from the start")
    trainer: Trainer
    trainer, loader.generator = pickle.loads(content)
    return trainer
