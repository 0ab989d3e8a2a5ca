"""Schedules: the learning rate as training goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from tinytorch.core.arguments import checked

LEAST_RATE = 0.01  # of its first rate that a falling one ends at


class Schedule(Protocol):
    """What sets the learning rate of each epoch, or step."""

    def get_lr(self, epoch: Any, /) -> float:
        """The learning rate of epoch number `epoch`, from 0; a fraction says how much of it is done."""


@dataclass(frozen=True)
class CosineSchedule:
    """A learning rate that rises to `max_lr` in a line, then falls to `min_lr` along half a cosine wave.

    Loshchilov & Hutter 2017, without restarts; the rise is Goyal et al. 2017. Epochs may be fractions.
    Raises UsageError for epochs that leave nothing to fall along, and for rates below 0, or that are no numbers.
    """

    max_lr: float = 0.1
    min_lr: float = 0.01
    total_epochs: float = 100
    warmup_epochs: float = 0

    def __post_init__(self) -> None:
        needs = "a schedule needs"
        checked(f"{needs} max_lr", self.max_lr, from_=0)
        checked(f"{needs} min_lr", self.min_lr, from_=0)
        checked(f"{needs} total_epochs", self.total_epochs, above=0)
        checked(f"{needs} warmup_epochs", self.warmup_epochs, from_=0, below=self.total_epochs)

    def get_lr(self, epoch: float) -> float:
        """The learning rate after `epoch` epochs; `min_lr` from `total_epochs` on."""
        if epoch < self.warmup_epochs:
            return self.max_lr * (epoch + 1) / (self.warmup_epochs + 1)  # the first epoch learns, too
        share = min(1.0, (epoch - self.warmup_epochs) / (self.total_epochs - self.warmup_epochs))
        return self.min_lr + (self.max_lr - self.min_lr) * (1 + math.cos(math.pi * share)) / 2


def falling_rate(learning_rate: float, epochs: int, warmup_epochs: int = 0) -> CosineSchedule:
    """A learning rate that falls along a cosine, after warming up, to nearly nothing: the hundredth part of itself."""
    return CosineSchedule(learning_rate, learning_rate * LEAST_RATE, epochs, warmup_epochs)
