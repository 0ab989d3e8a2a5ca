"""What layers are given while a model runs: for techniques that look at inputs, not at weights alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.core.layers import Linear
from tinytorch.core.model import as_call, inference, replaced
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import Completion
from tinytorch.core.windows import padded
from tinytorch.errors import UsageError

SAMPLES, SEQUENCES = 1024, 128  # that are enough: of a sequence every token is a row
AT_ONCE = 64


def batches_of(inputs: Array, samples: int | None = None) -> Iterator[Array]:
    """The first samples of inputs (N, ...), some at a time; enough of them unless `samples` says how many."""
    enough = SEQUENCES if inputs.dtype.kind in "iu" else SAMPLES
    count = min(len(inputs), enough if samples is None else samples)
    return (inputs[start : min(start + AT_ONCE, count)] for start in range(0, count, AT_ONCE))


@contextmanager
def heard(layer: Any, hear: Callable[[Array], None]) -> Iterator[None]:
    """For a while `hear` is told the inputs of every call of a layer."""
    forward = layer.forward

    def listening(inputs: Tensor, *others: Any, **options: Any) -> Any:
        output = forward(inputs, *others, **options)  # first: a layer says what does not fit it
        hear(inputs.data)
        return output

    with replaced(layer, "forward", listening):
        yield


def run_over(model: Any, batches: Iterable[Array]) -> None:
    """Run a model in inference; one that generates reads whole sequences, as in training."""
    with inference(model), no_grad():
        for batch in batches:
            if isinstance(model, Completion):
                model.gpt(Tensor(batch[:, : model.gpt.max_seq_len]))
            else:
                as_call(model)(Tensor(batch))


def input_products(layer: Any, model: Any, inputs: Array) -> Array | None:
    """Sums of products (height, height) of what goes into a Linear or Conv2d, while `model` runs over inputs (N, ...).

    Over all samples and places; of a convolution every window, in the order of its weights. None where nothing does,
    and for convolutions in groups or with gaps.
    """
    if not isinstance(layer, (Linear, Conv2d)) or (isinstance(layer, Conv2d) and not layer.is_plain):
        return None
    totals: list[Array] = []

    def hear(seen: Array) -> None:
        rows = _rows(layer, seen)
        totals[:] = [rows.T @ rows + (totals[0] if totals else 0)]

    if not len(inputs):
        raise UsageError("what a layer is given shows in at least one sample, and there is none")
    with heard(layer, hear), np.errstate(invalid="ignore", over="ignore"):  # what comes of it is looked at
        run_over(model, batches_of(inputs))
    if totals and not np.isfinite(totals[0]).all():
        raise UsageError("inputs of layers must be finite numbers, and not huge: some of the training data's are not")
    return totals[0] if totals else None


def _rows(layer: Linear | Conv2d, seen: Array) -> Array:
    """Inputs as rows that meet the weight: of a convolution every window."""
    if isinstance(layer, Linear):
        return seen.reshape(-1, layer.in_features)
    windows = sliding_window_view(padded(seen, layer.padding), layer.kernel_size, axis=(2, 3))
    windows = windows[:, :, :: layer.stride, :: layer.stride].transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(math.prod(windows.shape[:3]), -1)
