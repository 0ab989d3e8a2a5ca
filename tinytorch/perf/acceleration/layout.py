"""Weights laid out as plans multiply with them.

A Linear's and a convolution's as one matrix, the bias in its last row, so that one product can do both; those of
queries, keys and values beside one another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.layers import Linear
from tinytorch.core.model import find_layers
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor


def lay_out(model: Any) -> None:
    """Lay out, in place, weights of all such layers; their tensors are views of matrices from then on."""
    layers = find_layers(model)
    for layer in layers:
        if isinstance(layer, Conv2d) and type(layer.weight) is Tensor:
            _lay_out_convolution(layer)
        if isinstance(layer, Linear) and type(layer.weight) is Tensor and layer.bias is not None:
            _lay_out_linear(layer.weight, layer.bias)
    for layer in layers:  # last, for projections are Linears, too
        if isinstance(layer, MultiHeadAttention) and all(type(each.weight) is Tensor for each in projections(layer)):
            matrix = np.concatenate([linear.weight.data for linear in projections(layer)], axis=1)
            for linear, part in zip(projections(layer), np.split(matrix, 3, axis=1), strict=True):
                linear.weight.data = part


def _lay_out_linear(weight: Tensor, bias: Tensor) -> None:
    if linear_matrix(weight.data, bias.data) is None:
        matrix = np.vstack([weight.data, bias.data])
        weight.data, bias.data = matrix[:-1], matrix[-1]


def _lay_out_convolution(layer: Conv2d) -> None:
    weight, bias = layer.weight, layer.bias
    outputs, *sizes = weight.shape
    matrix = conv_matrix(weight.data, *([] if bias is None else [bias.data]))
    inputs = matrix if bias is None else matrix[:-1]
    weight.data = inputs.reshape(sizes[1], sizes[2], sizes[0], outputs).transpose(3, 2, 0, 1)
    if bias is not None:
        bias.data = matrix[-1]


def linear_matrix(weight: Array, bias: Array) -> Array | None:
    """Weight (K, N) and bias (N,) as one array (K + 1, N); None where they do not lie so."""
    base = weight.base
    is_one = base is not None and base is bias.base and base.shape == (len(weight) + 1, *bias.shape)
    return base if is_one else None


def conv_matrix(weight: Array, *bias: Array) -> Array:
    """Weight (O, C, KH, KW) and bias (O,), if any, as rows: (KH KW C, O), and one more; the same where it lies so."""
    outputs = len(weight)
    base = weight.base
    rows = weight[0].size + len(bias)
    if base is not None and base.shape == (rows, outputs) and all(values.base is base for values in bias):
        return base
    return np.ascontiguousarray(np.vstack([weight.transpose(2, 3, 1, 0).reshape(-1, outputs), *bias]))


def attention_matrix(layer: MultiHeadAttention) -> Array | None:
    """Weights of queries, keys and values beside one another (embed_dim, 3 width); None where they do not lie so."""
    weights = [linear.weight.data for linear in projections(layer) if type(linear.weight) is Tensor]
    bases = {id(weight.base): weight.base for weight in weights}
    (base,) = bases.values() if len(weights) == 3 and len(bases) == 1 else (None,)
    width = layer.num_heads * layer.head_dim
    return base if base is not None and base.shape == (layer.embed_dim, 3 * width) else None


def projections(layer: MultiHeadAttention) -> tuple[Linear, Linear, Linear]:
    """What makes queries, keys and values."""
    return layer.q_proj, layer.k_proj, layer.v_proj
