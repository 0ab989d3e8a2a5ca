"""Which layers bear fewer bits: measured, one layer at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.dataloader import TensorDataset, as_dataset
from tinytorch.core.layers import inference
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.weights import weighted_layers
from tinytorch.errors import UsageError
from tinytorch.perf.quantization.codes import Bits
from tinytorch.perf.quantization.models import quantize_model


def sensitivity(model: Any, data: TensorDataset, *, bits: Bits = 4, **options: Any) -> dict[str, float]:
    """How far outputs move when one layer alone has codes of `bits`: name -> relative error, the largest first.

    The error is the length of the difference over that of the outputs, for the inputs of `data`, which should be of the
    training split. `options` are those of `quantize_model`. Raises UsageError for data without a sample.
    """
    data = as_dataset(data)
    if not len(data):
        raise UsageError("a sensitivity needs at least one sample to be measured on")
    names = [name for name, _, _ in weighted_layers(model)]
    plain = _outputs(model, data)
    length = float(np.linalg.norm(plain)) or 1.0
    errors = {}
    for name in names:
        others = [other for other in names if other != name]
        moved = _outputs(quantize_model(model, bits=bits, skip=others, **options), data)
        errors[name] = float(np.linalg.norm(moved - plain)) / length
    return dict(sorted(errors.items(), key=lambda item: -item[1]))


def choose_layers(errors: dict[str, float], count: int) -> list[str]:
    """The `count` most sensitive layers, to be kept as they are; UsageError when there are not so many."""
    if not 0 <= count <= len(errors):
        raise UsageError(f"count must lie in 0..{len(errors)}, the number of layers, not {count}")
    return sorted(errors, key=lambda name: -errors[name])[:count]


def _outputs(model: Any, data: TensorDataset) -> np.ndarray[Any, Any]:
    with inference(model), no_grad():
        return np.asarray(model(Tensor(data.inputs)), np.float64)
