"""Whether a plan gives what its model gives, on inputs that are not the example."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.embeddings import Embedding
from tinytorch.core.model import as_call, find_layers, inference
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import UsageError

BEYOND = 5
CODES_TOLERANCE = 0.1  # the same where keys and values are codes of 8 bits
TOLERANCE = 1e-3  # of the largest output: beyond that a plan computes something else, and no rounding explains it


def check_plan(model: Any, compiled: Any, example: Array) -> None:
    """UsageError where a plan gives something else than its model on inputs that are not the example."""
    for inputs in inputs_like(example, model):
        with inference(model), no_grad():
            wanted = np.asarray(as_call(model)(Tensor(inputs.copy())))
        found = compiled(inputs).data
        if found.shape != wanted.shape or not np.allclose(found, wanted, TOLERANCE, TOLERANCE, equal_nan=True):
            name = type(model).__qualname__
            raise UsageError(
                f"{name} cannot be compiled: on other inputs than the example its plan gives other outputs",
                mend="compute with tensors alone, and let no step depend on values otherwise than by operations",
            )


def inputs_like(example: Array, model: Any) -> tuple[Array, Array]:
    """Other inputs of the same shape, type and size: numbers and their opposites, or integers twice.

    Those are any tokens that the model's embeddings have; without such they reach a little beyond the example's.
    """
    rng = np.random.default_rng(0)
    if example.dtype.kind == "f":
        size = float(np.abs(example).mean()) or 1.0
        drawn = (size * rng.standard_normal(example.shape)).astype(example.dtype)
        return drawn, -drawn
    tokens = vocabularies(model)
    low, high = (0, min(tokens)) if tokens else (int(example.min()) - BEYOND, int(example.max()) + BEYOND)
    first, second = rng.integers(low, high, (2, *example.shape))
    return first, second


def vocabularies(model: Any) -> list[int]:
    """How many tokens each embedding in a model knows."""
    return [layer.vocab_size for layer in find_layers(model) if isinstance(layer, Embedding)]
