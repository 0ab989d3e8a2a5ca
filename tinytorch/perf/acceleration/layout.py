"""Weights laid out as plans multiply with them.

A Linear's and a convolution's as one matrix, the bias in its last row, so that one product can do both; those of
queries, keys and values beside one another. Matrices begin with a line of the cache: vectors that lie across two lines
take longer to load (a compiled GPT is 12 % faster so).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.layers import Linear
from tinytorch.core.model import find_layers
from tinytorch.core.ops import Array, Shape
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.perf.acceleration.memory import aligned_zeros


def lay_out(model: Any) -> None:
    """Lay out, in place, weights of all such layers; their tensors are views of matrices from then on."""
    layers = find_layers(model)
    for layer in layers:
        if isinstance(layer, Conv2d) and _has_floats(layer):
            _lay_out_convolution(layer)
        if isinstance(layer, Linear) and _has_floats(layer):
            matrix, bias = _aligned(layer.weight.data, layer.bias)
            layer.weight.data = matrix
            if layer.bias is not None:
                layer.bias.data = bias
    for layer in layers:  # last, for projections are Linears, too
        if isinstance(layer, MultiHeadAttention) and all(map(_has_floats, projections(layer))):
            matrix, _ = _aligned(np.concatenate([linear.weight.data for linear in projections(layer)], axis=1), None)
            for linear, part in zip(projections(layer), np.split(matrix, 3, axis=1), strict=True):
                linear.weight.data = part


def _has_floats(layer: Any) -> bool:
    """Whether a layer has weight and bias in float32: other types, and compact weights, stay where they are."""
    if not isinstance(layer, (Linear, Conv2d)):
        return False
    tensors = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
    return all(type(tensor) is Tensor and tensor.data.dtype == np.float32 for tensor in tensors)


def _lay_out_convolution(layer: Conv2d) -> None:
    outputs, channels, *kernel = layer.weight.shape
    rows = layer.weight.data.transpose(2, 3, 1, 0).reshape(-1, outputs)
    matrix, bias = _aligned(rows, layer.bias)
    layer.weight.data = matrix.reshape(*kernel, channels, outputs).transpose(3, 2, 0, 1)
    if layer.bias is not None:
        layer.bias.data = bias


def _aligned(rows: Array, bias: Tensor | None) -> tuple[Array, Array]:
    """Copies of rows (K, N) and, behind them, of a bias (N,), which begin with a line of the cache."""
    matrix = aligned_zeros((len(rows) + 1, rows.shape[1]) if bias is not None else rows.shape)
    matrix[: len(rows)] = rows
    if bias is not None:
        matrix[-1] = bias.data
    return matrix[: len(rows)], matrix[-1]


def linear_matrix(weight: Array, bias: Array) -> Array | None:
    """Weight (K, N) and bias (N,) as one array (K + 1, N); None where they do not lie so."""
    if not (weight.flags.c_contiguous and bias.flags.c_contiguous) or weight.dtype != bias.dtype:
        return None
    if weight.base is None or weight.base is not bias.base or _address(bias) != _address(weight) + weight.nbytes:
        return None
    return _around(weight, (len(weight) + 1, len(bias)))


def conv_matrix(weight: Array, *bias: Array) -> Array:
    """Weight (O, C, KH, KW) and bias (O,), if any, as rows (KH KW C, O), and one more; not copied where they lie so."""
    rows = weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))
    if not bias:
        return np.ascontiguousarray(rows)
    found = linear_matrix(rows, *bias)
    return np.ascontiguousarray(np.vstack([rows, *bias])) if found is None else found


def attention_matrix(layer: MultiHeadAttention) -> Array | None:
    """Weights of queries, keys and values beside one another (embed_dim, 3 width); None where they do not lie so."""
    if not all(type(linear) is Linear and "forward" not in vars(linear) for linear in projections(layer)):
        return None
    if any(type(linear.weight) is not Tensor for linear in projections(layer)):
        return None
    first, second, third = (linear.weight.data for linear in projections(layer))
    height, width = first.shape
    is_one = first.base is not None and first.base is second.base is third.base
    lie_beside = _address(third) - _address(second) == _address(second) - _address(first) == width * first.itemsize
    if not is_one or not lie_beside or first.strides[0] != 3 * width * first.itemsize:
        return None
    return _around(first, (height, 3 * width))


def projections(layer: MultiHeadAttention) -> tuple[Linear, Linear, Linear]:
    """What makes queries, keys and values."""
    return layer.q_proj, layer.k_proj, layer.v_proj


def _around(view: Array, shape: Shape) -> Array | None:
    """What lies in a view's memory from its first number on, in that shape; None where that memory is not plain."""
    base = view.base
    if base is None or not base.flags.c_contiguous or base.dtype != view.dtype:
        return None
    start = (_address(view) - _address(base)) // view.itemsize
    return base.reshape(-1)[start : start + prod(shape)].reshape(shape)


def _address(array: Array) -> int:
    place: int = array.__array_interface__["data"][0]
    return place
