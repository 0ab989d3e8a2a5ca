"""Fine-tuning: training what compression has left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.model import trainable_tensors
from tinytorch.core.ops import Array
from tinytorch.core.optimizers import Adam
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.progress import Progress, silent

Masks = Sequence[tuple[Tensor, Array]]  # weights, each with its zeros and ones


class MaskedAdam(Adam):
    """Adam, after which weights are zero wherever the `masks` of their tensors are."""

    def __init__(self, params: list[Tensor], lr: float, masks: Masks) -> None:
        super().__init__(params, lr)
        self.masks = masks

    def step(self) -> None:
        """Change every weight that is left."""
        super().step()
        apply_masks(self.masks)


def apply_masks(masks: Masks) -> None:
    """Set to zero, in place, what each tensor's mask has as zero."""
    for weight, mask in masks:
        weight.data *= mask


def fine_tune(
    model: Any,
    train_data: TensorDataset,
    *,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
    seed: int = 0,
    masks: Masks = (),
    loss: Any = None,
    progress: Progress = silent,
) -> None:
    """Train `model` in place on (N, ...) with labels: Adam on cross entropy or another `loss`, from the seed.

    Weights with a mask stay zero where it is.
    """
    parameters = trainable_tensors(model)
    optimizer = MaskedAdam(parameters, learning_rate, masks)
    loader = DataLoader(train_data, batch_size, shuffle=True, seed=seed)
    Trainer(model, optimizer, loss or CrossEntropyLoss(), progress=progress).fit(loader, epochs)
