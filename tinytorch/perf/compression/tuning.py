"""Fine-tuning: training what compression has left."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from tinytorch.core.arguments import is_whole, whole
from tinytorch.core.dataloader import DataLoader, TensorDataset, Transform, as_dataset
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.model import trainable_tensors
from tinytorch.core.ops import Array
from tinytorch.core.optimizers import Adam
from tinytorch.core.schedules import falling_rate
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.errors import UsageError
from tinytorch.progress import Progress, silent
from tinytorch.showing import nearest

Model = TypeVar("Model")
Masks = Sequence[tuple[Tensor, Array]]  # weights, each with its zeros and ones

SCHEDULES = ("constant", "cosine")


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


def check_tuning(train_data: TensorDataset | None, tuning: Mapping[str, Any], stages: int = 1) -> None:
    """UsageError for what is no option of fine-tuning, and for options where there is nothing to fine-tune on."""
    if whole("pruning needs stages", stages, 1) > 1 and train_data is None:
        raise UsageError("pruning in stages needs train_data to train on between them")
    known = list(inspect.signature(fine_tune).parameters)[2:]
    for name in tuning:
        if name not in known:
            raise UsageError(f"there is no option {name}= here", mend=nearest(name, known))
    if train_data is None and tuning:
        named = ", ".join(f"{name}=" for name in tuning)
        raise UsageError(f"{named} without train_data has no effect", mend="give train_data=, or leave it out")


def number_of(name: str, wanted: Any, there: int) -> int:
    """How many stay of those that are there: `wanted` of them, or that share, and one at least. UsageError for else."""
    if isinstance(wanted, (float, np.floating)) and 0 < wanted <= 1:
        return max(1, round(float(wanted) * there))
    if not is_whole(wanted) or wanted < 1:
        raise UsageError(f"{name} must be a number (an integer from 1 on) or a share (0 < float <= 1), not {wanted!r}")
    return min(int(wanted), there)


def on_the_way(sizes: Sequence[int], wanted: Sequence[int], share: float) -> list[int]:
    """Sizes after a share of the way from `sizes` to those `wanted`: each step of it makes them smaller by a factor."""
    return [round(size * (least / size) ** share) for size, least in zip(sizes, wanted, strict=True)]


def tuned_in_stages(
    model: Model,
    smaller: Callable[[Model, float], Model],
    train_data: TensorDataset | None,
    stages: int,
    stage_epochs: int,
    tuning: Mapping[str, Any],
) -> Model:
    """`smaller(model, share)` with shares of the way that end at 1, fine-tuned after each where there are data.

    What is removed little by little leaves the rest time to take over (Han et al. 2015, section 3.4).
    """
    for stage in range(1, stages + 1):
        model = smaller(model, stage / stages)
        if train_data is not None:
            fine_tune(model, train_data, **(tuning if stage == stages else {**tuning, "epochs": stage_epochs}))
    return model


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
    transforms: Sequence[Transform] = (),
    schedule: Literal["constant", "cosine"] = "constant",
    progress: Progress = silent,
) -> None:
    """Train `model` in place on a dataset, or a pair of inputs (N, ...) and labels: Adam on cross entropy or another
    `loss`, from the seed.

    Weights with a mask stay zero where it is. `transforms` change the inputs of every batch, at random: a small model
    that sees the same few samples again and again learns them by heart. With the schedule `cosine` the learning rate
    falls along one, to nearly nothing. UsageError for another one, and for data that are neither.
    """
    if schedule not in SCHEDULES:
        raise UsageError(f"there is no schedule {schedule!r}", mend=f"take one of {', '.join(SCHEDULES)}")
    parameters = trainable_tensors(model)
    optimizer = MaskedAdam(parameters, learning_rate, masks)
    loader = DataLoader(as_dataset(train_data), batch_size, shuffle=True, seed=seed, transforms=transforms)
    falling = falling_rate(learning_rate, epochs) if schedule == "cosine" else None
    Trainer(model, optimizer, loss or CrossEntropyLoss(), falling, progress=progress).fit(loader, epochs)
