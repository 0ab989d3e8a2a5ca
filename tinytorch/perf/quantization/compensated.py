"""Rounding that compensates: what one weight loses, those that are rounded after it make up for.

Layer after layer, on inputs from training: the outputs are to stay, not the weights (Frantar et al. 2023, "GPTQ",
section 3; the rule is that of Hassibi & Stork 1993, "Optimal Brain Surgeon").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from tinytorch.core.listening import input_products
from tinytorch.core.ops import Array
from tinytorch.core.spatial import Conv2d
from tinytorch.perf.quantization.codes import Round

DAMPING = 0.01  # of the mean square of inputs, added to each: the GPTQ paper's


def rounding_for(layer: Any, model: Any, inputs: Array) -> Round | None:
    """How weights of a layer of `model` are rounded, as it sees `inputs` (N, ...) of the model; None: to the nearest.

    That is so for layers that look up rows, which compensate for nothing, for convolutions in groups or with gaps, and
    for those that the model never calls.
    """
    products = input_products(layer, model, inputs)
    if products is None:
        return None
    is_convolution = isinstance(layer, Conv2d)

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
