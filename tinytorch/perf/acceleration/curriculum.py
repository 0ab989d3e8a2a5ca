"""The curriculum's functions of module 18, on tensors: the results of the plain operations, each in a faster way."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.core.arguments import whole
from tinytorch.core.arrays import GELU_CUBIC, GELU_SCALE
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError


def vectorized_matmul(a: Tensor, b: Tensor) -> Tensor:
    """a (..., M, K) @ b (..., K, N) -> (..., M, N), by BLAS; ShapeError where they do not fit together."""
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"vectorized_matmul needs matrices (..., M, K) and (..., K, N), got {a.shape} and {b.shape}")
    return a @ b


def tiled_matmul(a: Tensor, b: Tensor, tile_size: int = 64) -> Tensor:
    """a (M, K) @ b (K, N) -> (M, N), one tile of the result after the other, each a sum over tiles of both.

    What a tile reads and writes stays in the cache, when three tiles of `tile_size` squared fit into it. Raises
    ShapeError for what is no pair of matrices that fit together, UsageError for a size below 1.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ShapeError(f"tiled_matmul needs matrices (M, K) and (K, N), got {a.shape} and {b.shape}")
    whole("tiled_matmul needs a tile_size", tile_size, 1)
    left, right = a.data, b.data
    product = np.zeros((len(left), right.shape[1]), np.result_type(left, right, np.float32))
    for top in range(0, len(left), tile_size):
        rows = slice(top, top + tile_size)
        for first in range(0, right.shape[1], tile_size):
            columns = slice(first, first + tile_size)
            for start in range(0, len(right), tile_size):
                inner = slice(start, start + tile_size)
                product[rows, columns] += left[rows, inner] @ right[inner, columns]
    return Tensor(product)


def fused_gelu(x: Tensor) -> Tensor:
    """x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, any shape, kept: one new array, which every step writes to."""
    result = np.square(x.data, dtype=np.float32)
    result *= GELU_SCALE * GELU_CUBIC
    result += GELU_SCALE
    result *= x.data
    np.tanh(result, out=result)
    result += 1
    result *= x.data
    result *= 0.5
    return Tensor(result)


def im2col_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0) -> Tensor:
    """x (N, C, H, W) under weight (O, C, KH, KW), bias (O,) -> (N, O, rows, columns): all windows, times one matrix.

    Raises ShapeError where they do not fit together (Chellapilla, Puri & Simard 2006).
    """
    if x.ndim != 4 or weight.ndim != 4 or x.shape[1] != weight.shape[1]:
        raise ShapeError(f"im2col_conv2d needs (N, C, H, W) and (O, C, KH, KW), got {x.shape} and {weight.shape}")
    checked = Conv2d.from_arrays(weight.data, None if bias is None else bias.data, stride, padding)
    images = np.pad(x.data, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    if images.shape[2] < weight.shape[2] or images.shape[3] < weight.shape[3]:
        raise ShapeError(f"{checked!r} needs images of at least a window, got {x.shape}")
    windows = sliding_window_view(images, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    samples, _, rows, columns = windows.shape[:4]
    matrix = windows.transpose(0, 2, 3, 1, 4, 5).reshape(samples * rows * columns, -1)
    product = matrix @ weight.data.reshape(len(weight), -1).T
    if bias is not None:
        product += bias.data
    return Tensor(product.reshape(samples, rows, columns, -1).transpose(0, 3, 1, 2))
