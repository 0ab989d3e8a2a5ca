"""Quantization-aware fine-tuning: a model learns to live with its codes (Jacob et al. 2018, section 3).

Outputs and gradients are computed with the weights as their codes stand for them, and the gradients change the weights
as they were before rounding: the straight-through estimator (Bengio, Leonard & Courville 2013).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

from tinytorch.core.dataloader import DataLoader, TensorDataset, as_dataset
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.model import trainable_tensors
from tinytorch.core.ops import Array
from tinytorch.core.optimizers import Adam
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.core.weights import check_names, weighted_layers
from tinytorch.errors import UsageError
from tinytorch.perf.quantization.codes import Bits, Ranges, quantize_weight
from tinytorch.perf.quantization.models import quantize_model
from tinytorch.progress import Progress, silent


class StraightThroughAdam(Adam):
    """Adam on weights that everybody else sees rounded: `rounded` makes of an array what its codes stand for."""

    def __init__(
        self, params: list[Tensor], lr: float, rounding: list[tuple[Tensor, Callable[[Array], Array]]]
    ) -> None:
        super().__init__(params, lr)
        self._rounding = rounding
        self._exact = [weight.data for weight, _ in rounding]
        self._round()

    def step(self) -> None:
        """Change the exact weights, and show them rounded."""
        self.show_exact()
        super().step()
        self._exact = [weight.data for weight, _ in self._rounding]
        self._round()

    def show_exact(self) -> None:
        """Put the exact weights in the place of the rounded ones."""
        for (weight, _), exact in zip(self._rounding, self._exact, strict=True):
            weight.data = exact

    def _round(self) -> None:
        for (weight, rounded), exact in zip(self._rounding, self._exact, strict=True):
            weight.data = rounded(exact)


def quantization_aware_tune(
    model: Any,
    train_data: TensorDataset,
    *,
    bits: Bits = 4,
    symmetric: bool = True,
    per_channel: bool = True,
    ranges: Ranges = "min-max",
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    skip: Collection[str] = (),
    progress: Progress = silent,
) -> Any:
    """A quantized copy of `model`, fine-tuned with its codes on (N, ...) with labels (Adam, cross entropy).

    The other arguments are those of `quantize_model`. Raises UsageError for a model without a weight to quantize.
    """
    check_names(skip, model)
    tuned = copy.deepcopy(model)

    def rounded(axis: int) -> Callable[[Array], Array]:
        channel = axis if per_channel else None
        return lambda weight: quantize_weight(weight, channel, bits=bits, symmetric=symmetric, ranges=ranges).dense()

    weights = {id(layer.weight): (layer.weight, rounded(axis)) for name, layer, axis in weighted_layers(tuned)
               if name not in skip}  # fmt: skip
    if not weights:
        raise UsageError(f"quantization_aware_tune needs a weight to quantize; {type(model).__qualname__} has none")
    parameters = trainable_tensors(tuned)
    optimizer = StraightThroughAdam(parameters, learning_rate, list(weights.values()))
    loader = DataLoader(as_dataset(train_data), batch_size, shuffle=True, seed=seed)
    Trainer(tuned, optimizer, CrossEntropyLoss(), progress=progress).fit(loader, epochs)
    optimizer.show_exact()
    return quantize_model(tuned, bits=bits, symmetric=symmetric, per_channel=per_channel, ranges=ranges, skip=skip)
