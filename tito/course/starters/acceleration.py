"""Module 18 (17 in the newer edition): the same numbers, sooner.

Test it:  tito module test acceleration
"""

import numpy as np

from tinytorch.core.tensor import Tensor


def vectorized_matmul(a, b):
    """A product of matrices in one call of numpy; ValueError when the shapes do not fit."""
    raise NotImplementedError("vectorized_matmul")


def tiled_matmul(a, b, tile_size=64):
    """The same in tiles, so that what is read stays in the cache: loops over blocks of rows, columns and the sum.

    The last tile of a side may be smaller.
    """
    raise NotImplementedError("tiled_matmul")


def fused_gelu(x):
    """GELU with as few passes over memory as you can: every operation on a large array reads and writes all of it."""
    raise NotImplementedError("fused_gelu")
