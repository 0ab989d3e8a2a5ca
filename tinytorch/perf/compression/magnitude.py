"""Magnitude pruning: the smallest weights become zero (Han et al. 2015), at once or little by little."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, Literal, get_args

import numpy as np

from tinytorch.core.arguments import whole
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.model import set_training_mode
from tinytorch.core.tensor import Tensor
from tinytorch.core.weights import all_weighted_layers, check_finite, check_names, weighted_layers
from tinytorch.errors import UsageError
from tinytorch.perf.compression.tuning import Masks, apply_masks, check_tuning, fine_tune
from tinytorch.showing import nearest

Scope = Literal["layer", "model"]


def prune_weights(
    model: Any,
    *,
    sparsity: float,
    scope: Scope = "layer",
    train_data: TensorDataset | None = None,
    gradual_epochs: int = 0,
    skip: Collection[str] = (),
    **tuning: Any,
) -> Any:
    """A copy of `model`, of any class, in which the share `sparsity` of the weights is zero: the smallest.

    Looked at are weights of Linear, Conv2d and embeddings, not biases: the smallest of each layer, or of the whole
    `model`; `skip` names layers that are left alone. With `train_data` what is left is fine-tuned, and zeros stay
    zeros; `tuning` are the options of `fine_tune`. With `gradual_epochs` sparsity grows over so many epochs of training
    before, fast at first (Zhu & Gupta 2017, equation 1). Nothing gets smaller by zeros alone: `sparsify` keeps them
    out. Raises UsageError for a share outside 0..1, and for a model without such weights.
    """
    _check(sparsity, scope)
    check_tuning(train_data, tuning)
    check_names(skip, model)
    if whole("pruning needs gradual_epochs", gradual_epochs, 0) and train_data is None:
        raise UsageError("pruning little by little needs train_data to train on meanwhile")
    pruned = copy.deepcopy(model)
    for epoch in range(gradual_epochs):
        reached = sparsity * (1 - (1 - (epoch + 1) / gradual_epochs) ** 3)
        fine_tune(pruned, train_data, masks=prune_in_place(pruned, reached, scope, skip), **{**tuning, "epochs": 1})  # type: ignore[arg-type]
    masks = prune_in_place(pruned, sparsity, scope, skip)
    if train_data is not None:
        fine_tune(pruned, train_data, masks=masks, **tuning)
    set_training_mode(pruned, False)
    return pruned


def sparsity_of(model: Any) -> float:
    """The share of zeros among the weights of Linear, Conv2d and embeddings; 0 for a model without any."""
    arrays = list({id(layer.weight): layer.weight.data for _, layer, _ in weighted_layers(model)}.values())
    total = sum(array.size for array in arrays)
    return sum(array.size - int(np.count_nonzero(array)) for array in arrays) / total if total else 0.0


def prune_in_place(model: Any, sparsity: float, scope: Scope, skip: Collection[str] = ()) -> Masks:
    """Set the smallest weights of a model to zero; the masks of what is left. Raises as `prune_weights` does."""
    _check(sparsity, scope)
    pruned = [layer.weight for name, layer, _ in weighted_layers(model) if name not in skip]
    weights = list({id(weight): weight for weight in pruned}.values())
    if not weights:
        mend = "prune first, then make weights compact" if list(all_weighted_layers(model)) else ""
        message = f"pruning needs a Linear, Conv2d or embedding of floats; {type(model).__qualname__} has none"
        raise UsageError(message, mend=mend)
    for weight in weights:
        check_finite(weight.data, "pruned")
    groups = [[weight] for weight in weights] if scope == "layer" else [weights]
    masks = [pair for group in groups for pair in _masks(group, sparsity)]
    apply_masks(masks)
    return masks


def _check(sparsity: float, scope: str) -> None:
    if not 0 <= sparsity <= 1:
        raise UsageError(f"sparsity must be a share of the weights (0..1), not {sparsity}")
    if scope not in get_args(Scope):
        raise UsageError(f"there is no scope {scope!r}", mend=nearest(scope, get_args(Scope)))


def _masks(weights: list[Tensor], sparsity: float) -> Masks:
    """Masks that take that share away, rounded, of all these weights together; all of them only where all is asked."""
    sizes = np.concatenate([np.abs(weight.data).ravel() for weight in weights])
    kept = np.ones(sizes.size, np.float32)
    most = sizes.size - (sparsity < 1)
    kept[np.argsort(sizes, kind="stable")[: min(round(sparsity * sizes.size), most)]] = 0
    parts = np.split(kept, np.cumsum([weight.size for weight in weights])[:-1])
    return [(weight, part.reshape(weight.shape)) for weight, part in zip(weights, parts, strict=True)]
