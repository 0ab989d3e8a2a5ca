"""The curriculum's names for module 16, with its contract: models are changed in place.

Functions say sparsity in per cent, and `Compressor` as a share, of all weights of two axes and more: not of biases.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinytorch.core.model import parameters_of
from tinytorch.core.ops import Array
from tinytorch.core.weights import weighted_layers
from tinytorch.errors import UsageError
from tinytorch.perf.compression.magnitude import prune_in_place

OTHER_SPELLINGS = {"magnitude_sparsity": "magnitude_prune", "structured_prune_ratio": "structured_prune"}


def measure_sparsity(model: Any) -> float:
    """Per cent of zeros among the model's weights of two axes and more, frozen ones too."""
    return 100.0 * _share_of_zeros(model)


def _share_of_zeros(model: Any) -> float:
    arrays = [tensor.data for tensor in parameters_of(model) if tensor.ndim > 1]
    total = sum(array.size for array in arrays)
    return sum(array.size - int(np.count_nonzero(array)) for array in arrays) / total if total else 0.0


def magnitude_prune(model: Any, sparsity: float = 0.5) -> Any:
    """Set that share of all weights, the smallest of the whole model, to zero in place; the model."""
    prune_in_place(model, sparsity, "model")
    return model


def structured_prune(model: Any, prune_ratio: float = 0.5) -> Any:
    """Set that share of each layer's outputs, those with the shortest weights, to zero in place; the model.

    Their biases, too: such an output says 0, whatever goes in. `prune_neurons` takes them out instead.
    """
    if not 0 <= prune_ratio <= 1:
        raise UsageError(f"prune_ratio must be a share of the outputs (0..1), not {prune_ratio}")
    layers = list(weighted_layers(model))
    if not layers:
        mend = "keep its weights in Linear or Conv2d layers"
        raise UsageError(f"{type(model).__qualname__} needs layers with weights to be pruned, and has none", mend=mend)
    for _, layer, axis in layers:
        by_output = np.moveaxis(layer.weight.data, axis, 0)  # a view
        lengths = np.square(by_output, dtype=np.float64).sum(axis=tuple(range(1, by_output.ndim)))
        silenced = np.argsort(lengths, kind="stable")[: _part(prune_ratio, len(lengths))]
        by_output[silenced] = 0
        if getattr(layer, "bias", None) is not None:
            layer.bias.data[silenced] = 0
    return model


def low_rank_approximate(weight_matrix: Any, rank_ratio: float = 0.5) -> tuple[Array, Array, Array]:
    """The largest singular values of a matrix with their vectors, U (m, k), S (k,), V (k, n): U * S @ V is near it."""
    matrix = np.asarray(weight_matrix)
    if matrix.ndim != 2 or not 0 < rank_ratio <= 1:
        raise UsageError(f"needs a matrix and a rank_ratio of 0..1, got shape {matrix.shape} and {rank_ratio}")
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    rank = max(1, _part(rank_ratio, len(singular)))
    return left[:, :rank], singular[:rank], right[:rank]


def _part(share: float, count: int) -> int:
    """So many of `count`, rounded down; 0.29 of 100 are 29, though floating point says 28.999999999999996."""
    return math.floor(share * count + 1e-9)


def compress_model(model: Any, compression_config: Mapping[str, float]) -> dict[str, Any]:
    """Apply `magnitude_prune` and `structured_prune`, where the configuration has them, in place; what became of it.

    The configuration may call them `magnitude_sparsity` and `structured_prune_ratio`, too.
    """
    known = {"magnitude_prune": magnitude_prune, "structured_prune": structured_prune}
    twice = [name for name, new in OTHER_SPELLINGS.items() if {name, new} <= {*compression_config}]
    if twice:
        raise UsageError(f"{twice[0]} and {OTHER_SPELLINGS[twice[0]]} are one thing", mend="give one of them")
    amounts = {OTHER_SPELLINGS.get(name, name): amount for name, amount in compression_config.items()}
    unknown = [name for name in amounts if name not in known]
    if unknown:
        mend = "low rank needs other layers: call low_rank_approximate or factorize" if "low_rank" in unknown else (
            f"choose from {', '.join((*known, *OTHER_SPELLINGS))}"
        )  # fmt: skip
        raise UsageError(f"compress_model cannot do {', '.join(unknown)}", mend=mend)
    for name, amount in amounts.items():  # before anything is changed
        if not 0 <= amount <= 1:
            raise UsageError(f"{name} must be a share (0..1), not {amount}")
    stats: dict[str, Any] = {
        "original_params": sum(tensor.size for tensor in parameters_of(model)),
        "original_sparsity": measure_sparsity(model),
        "applied_techniques": [],
    }
    for name, apply in known.items():
        if name in amounts:
            apply(model, amounts[name])
            stats["applied_techniques"].append(f"{name}_{amounts[name]}")
    final = measure_sparsity(model)
    return {**stats, "final_sparsity": final, "sparsity_increase": final - stats["original_sparsity"]}


class Compressor:
    """The curriculum's front: functions of one class."""

    measure_sparsity = staticmethod(_share_of_zeros)
    magnitude_prune = staticmethod(magnitude_prune)
    structured_prune = staticmethod(structured_prune)

    @staticmethod
    def compress_model(model: Any, compression_config: Mapping[str, float]) -> tuple[Any, dict[str, float]]:
        """The model, and shares of zeros before and after with what would be saved if zeros took no room."""
        before = _share_of_zeros(model)
        compress_model(model, compression_config)
        after = _share_of_zeros(model)
        ratio = 1 / (1 - after) if after < 1 else math.inf
        return model, {"original_sparsity": before, "final_sparsity": after, "compression_ratio": ratio}
