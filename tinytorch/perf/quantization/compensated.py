"""Rounding that compensates: what one weight loses, those that are rounded after it make up for.

Layer after layer, on inputs from training: the outputs are to stay, not the weights (Frantar et al. 2023, "GPTQ",
section 3; the rule is that of Hassibi & Stork 1993, "Optimal Brain Surgeon").
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import linalg

from tinytorch.core.layers import Linear
from tinytorch.core.model import as_call, inference, replaced
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import Completion
from tinytorch.core.windows import padded
from tinytorch.perf.quantization.codes import Round

SAMPLES, AT_ONCE = 1024, 64
DAMPING = 0.01  # of the mean square of inputs, added to each: the GPTQ paper's


def rounding_for(layer: Any, model: Any, inputs: Array) -> Round | None:
    """How weights of a layer of `model` are rounded, as it sees `inputs` (N, ...) of the model; None: to the nearest.

    That is so for layers that look up rows, which compensate for nothing, for convolutions in groups or with gaps, and
    for those that the model never calls.
    """
    is_convolution = isinstance(layer, Conv2d) and layer.is_plain
    products = _products(layer, model, inputs) if is_convolution or isinstance(layer, Linear) else None
    if products is None:
        return None

    def rounding(numbers: Array, least: int, largest: int) -> Array:
        rows = numbers.reshape(len(numbers), -1).T if is_convolution else numbers
        codes = compensated(rows, products, least, largest)
        return codes.T.reshape(numbers.shape) if is_convolution else codes

    return rounding


def compensated(rows: Array, products: Array, least: int, largest: int) -> Array:
    """Integers for numbers (inputs, outputs), such that sums over inputs stay; `products` (inputs, inputs) of inputs.

    Those of the largest inputs are rounded first, while many are left to make up for them. An input that was always
    zero takes the nearest.
    """
    order = np.argsort(-np.diag(products), kind="stable")
    curvature = products[np.ix_(order, order)].astype(np.float64)
    squares = np.diag(curvature).copy()
    np.fill_diagonal(curvature, squares + np.where(squares > 0, DAMPING * squares.mean(), 1))
    # row i of the factor: how what remains answers when number i is fixed, those before it being fixed already
    factor = linalg.cholesky(linalg.inv(curvature), lower=False)
    left, codes = rows[order].astype(np.float64), np.empty(rows.shape)
    for number, row in enumerate(factor):
        codes[number] = np.rint(left[number]).clip(least, largest)
        lost = (left[number] - codes[number]) / row[number]
        left[number + 1 :] -= row[number + 1 :, None] * lost
    restored = np.empty_like(codes)
    restored[order] = codes
    return restored


def _products(layer: Linear | Conv2d, model: Any, inputs: Array) -> Array | None:
    """Sums of products of what goes into the layer, over all samples and places; None where nothing does."""
    total: Any = 0
    forward = layer.forward

    def listening(seen: Tensor) -> Any:
        nonlocal total
        rows = _rows(layer, seen.data)
        total = total + rows.T @ rows
        return forward(seen)

    call = _reading(model)
    with replaced(layer, "forward", listening), inference(model), no_grad():
        for start in range(0, min(len(inputs), SAMPLES), AT_ONCE):
            call(inputs[start : start + AT_ONCE])
    return total if isinstance(total, np.ndarray) else None


def _reading(model: Any) -> Any:
    """The model as a function of inputs; one that generates reads all tokens at once, as in training."""
    if isinstance(model, Completion):
        return lambda tokens: model.gpt(Tensor(tokens[:, : model.gpt.max_seq_len]))
    return lambda inputs: as_call(model)(Tensor(inputs))


def _rows(layer: Linear | Conv2d, seen: Array) -> Array:
    """Inputs as rows that meet the weight: of a convolution every window."""
    if isinstance(layer, Linear):
        return seen.reshape(-1, layer.in_features)
    windows = sliding_window_view(padded(seen, layer.padding), layer.kernel_size, axis=(2, 3))
    windows = windows[:, :, :: layer.stride, :: layer.stride].transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(math.prod(windows.shape[:3]), -1)
