"""Quantization-aware fine-tuning: a model learns to live with its codes (Jacob et al. 2018, section 3).

Outputs and gradients are computed with the weights as their codes stand for them, and the gradients change the weights
as they were before rounding: the straight-through estimator (Bengio, Leonard & Courville 2013). The steps between codes
are learned as well ("LSQ", Esser et al. 2020).
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np

from tinytorch.core.dataloader import DataLoader, TensorDataset, Transform, as_dataset
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.model import as_call, trainable_tensors
from tinytorch.core.ops import Array
from tinytorch.core.optimizers import Adam
from tinytorch.core.schedules import falling_rate
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.core.weights import check_names, weighted_layers, with_weights
from tinytorch.errors import UsageError
from tinytorch.perf.quantization.codes import (
    Bits,
    QuantizedWeight,
    Ranges,
    along,
    by_channel,
    check_codes,
    coded,
    initial_steps,
    limits,
)
from tinytorch.perf.quantization.models import halve_biases
from tinytorch.progress import Progress, silent


class LearnedCodes:
    """A weight that shows itself as its codes stand for it, and learns behind that: its exact values and its steps.

    Steps are first ones times e^`stretch`, of each channel along `axis` or of all, so that they stay above zero and a
    learning rate is a share of them. Zero points stay.
    """

    def __init__(self, weight: Tensor, axis: int | None, bits: Bits, symmetric: bool, ranges: Ranges) -> None:
        check_codes(weight.data, bits, ranges)
        self.weight, self.exact = weight, weight.data
        self.bits, self.symmetric = bits, symmetric
        self._axis, self.place = axis, 0 if axis is None else axis
        self._first, self.zero_point = initial_steps(weight.data, axis, bits, symmetric, ranges)
        self.stretch = Tensor(np.zeros(len(self._first), np.float32), requires_grad=True)

    @property
    def steps(self) -> Array:
        """Steps between codes (channels,)."""
        steps: Array = self._first * np.exp(self.stretch.data)
        return steps

    def show_rounded(self) -> None:
        """Let everybody see what the codes stand for."""
        self.weight.data = self.coded().dense()

    def show_exact(self) -> None:
        """Put the exact weights in the place of the rounded ones."""
        self.weight.data = self.exact

    def coded(self) -> QuantizedWeight:
        """The exact weights as codes."""
        return coded(self.exact, self.place, self.steps, self.zero_point, self.bits, self.symmetric)

    def share_gradient(self) -> None:
        """Of the gradient of the rounded weights make that of the steps, and let no weight move beyond its codes.

        A rounded weight changes with its step by its code less the number that was rounded, beyond the codes by the
        last code (Esser et al. 2020, equation 3). Their sum is damped by the root of weights times codes (section 2.2).
        """
        if self.weight.grad is None:
            return
        gradient = np.asarray(self.weight.grad)
        steps, zero_point = (along(values, self.place, self.exact.ndim) for values in (self.steps, self.zero_point))
        least, largest = limits(self.bits, self.symmetric)
        numbers = self.exact / steps + zero_point
        is_inside = (numbers >= least) & (numbers <= largest)
        rounded = np.rint(numbers).clip(least, largest)
        slopes = gradient * np.where(is_inside, rounded - numbers, rounded - zero_point) * steps
        damping = np.sqrt(self.exact.size / len(self._first) * largest)
        self.stretch.grad = (by_channel(slopes, self._axis).sum(axis=1) / damping).astype(np.float32)
        self.weight.grad = gradient * is_inside


class StraightThroughAdam(Adam):
    """Adam on parameters of which some are seen rounded by everybody else, and on the steps of their codes."""

    def __init__(self, params: list[Tensor], lr: float, learned: Sequence[LearnedCodes]) -> None:
        super().__init__([*params, *(codes.stretch for codes in learned)], lr)
        self._learned = learned
        for codes in learned:
            codes.show_rounded()

    def step(self) -> None:
        """Change the exact weights, and show them rounded."""
        for codes in self._learned:
            codes.share_gradient()
            codes.show_exact()
        super().step()
        for codes in self._learned:
            codes.exact = codes.weight.data
            codes.show_rounded()


def quantization_aware_tune(
    model: Any,
    train_data: TensorDataset,
    *,
    bits: Bits = 4,
    symmetric: bool = True,
    per_channel: bool = True,
    ranges: Ranges = "mse",
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    schedule: Literal["constant", "cosine"] = "cosine",
    transforms: Sequence[Transform] = (),
    seed: int = 0,
    skip: Collection[str] = (),
    progress: Progress = silent,
) -> Any:
    """A quantized copy of `model`, fine-tuned with its codes on (N, ...) with labels (Adam, cross entropy).

    Steps begin as `ranges` says and are learned. The learning rate falls along a cosine wave, or stays `constant`;
    `transforms` change the inputs of every batch. The other arguments are those of `quantize_model`. Raises UsageError
    for a model without a weight to quantize.
    """
    check_names(skip, model)
    as_call(model)  # a list of models is none
    tuned = copy.deepcopy(model)
    learned = {
        id(layer.weight): LearnedCodes(layer.weight, axis if per_channel else None, bits, symmetric, ranges)
        for name, layer, axis in weighted_layers(tuned)
        if name not in skip
    }
    if not learned:
        raise UsageError(f"quantization_aware_tune needs a weight to quantize; {type(model).__qualname__} has none")
    optimizer = StraightThroughAdam(trainable_tensors(tuned), learning_rate, list(learned.values()))
    loader = DataLoader(as_dataset(train_data), batch_size, shuffle=True, seed=seed, transforms=transforms)
    falling = falling_rate(learning_rate, epochs) if schedule == "cosine" else None
    Trainer(tuned, optimizer, CrossEntropyLoss(), falling, progress=progress).fit(loader, epochs)
    small = with_weights(tuned, lambda weight, axis: learned[id(weight)].coded() if id(weight) in learned else None)
    halve_biases(small)
    return small
