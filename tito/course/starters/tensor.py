"""Module 01: a tensor is an array that knows its shape and its arithmetic.

Everything else in this course is computed with it. numpy does the arithmetic; you decide what a Tensor is.
Test it as often as you like:  tito module test tensor
"""

import numpy as np


class Tensor:
    def __init__(self, data, requires_grad=False):
        # Keep the values as a float32 array in self.data, also where `data` is a list, a number or another Tensor.
        # Keep requires_grad, and self.grad = None: module 05 will need both.
        raise NotImplementedError("Tensor(data)")

    # shape, size and dtype: properties, as self.data has them.

    def numpy(self):
        """The array itself."""
        raise NotImplementedError("numpy()")

    # Arithmetic with another Tensor or a number: __add__, __sub__, __mul__, __truediv__, and the same from the right
    # (__radd__, ...), so that 2 * x works. numpy broadcasts shapes: (2, 3) + (3,) adds a row to every row.
    def __add__(self, other):
        raise NotImplementedError("x + y")

    def matmul(self, other):
        """(m, k) @ (k, n) -> (m, n). ValueError with both shapes in its words when the two k differ."""
        raise NotImplementedError("x.matmul(y)")

    def __matmul__(self, other):
        return self.matmul(other)

    def __getitem__(self, key):
        raise NotImplementedError("x[key]")

    def reshape(self, *shape):
        """The same values in another shape; one size may be -1. Also reshape((2, 3))."""
        raise NotImplementedError("x.reshape(...)")

    def transpose(self, dim0=None, dim1=None):
        """Two axes swapped, the last two unless others are named."""
        raise NotImplementedError("x.transpose()")

    # sum, mean and max, each (axis=None, keepdims=False): how numpy does it, as a Tensor.
    def sum(self, axis=None, keepdims=False):
        raise NotImplementedError("x.sum()")
