"""Weights laid out as plans multiply with them: a convolution's as one matrix, its bias in the last row."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.model import find_layers
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor


def lay_out(model: Any) -> None:
    """Lay out, in place, the weights of all convolutions; their tensors are views of the matrices from then on."""
    for layer in find_layers(model):
        if isinstance(layer, Conv2d) and type(layer.weight) is Tensor:
            weight, bias = layer.weight, layer.bias
            outputs, *sizes = weight.shape
            matrix = conv_matrix(weight.data, *([] if bias is None else [bias.data]))
            inputs = matrix if bias is None else matrix[:-1]
            weight.data = inputs.reshape(sizes[1], sizes[2], sizes[0], outputs).transpose(3, 2, 0, 1)
            if bias is not None:
                bias.data = matrix[-1]


def conv_matrix(weight: Array, *bias: Array) -> Array:
    """Weight (O, C, KH, KW) and bias (O,), if any, as rows: (KH KW C, O), and one more; the same where it lies so."""
    outputs = len(weight)
    base = weight.base
    rows = weight[0].size + len(bias)
    if base is not None and base.shape == (rows, outputs) and all(values.base is base for values in bias):
        return base
    return np.vstack([weight.transpose(2, 3, 1, 0).reshape(-1, outputs), *bias])
