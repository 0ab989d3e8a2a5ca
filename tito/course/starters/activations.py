"""Module 02: activations, what bends between two layers. Without them a deep network is one matrix.

Each is a class: forward(x) computes, calling it does the same, parameters() is an empty list.
Test it:  tito module test activations
"""

import numpy as np

from tinytorch.core.tensor import Tensor


class ReLU:
    """max(0, x)"""

    def forward(self, x):
        raise NotImplementedError("ReLU.forward")

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        return []


class Sigmoid:
    """1 / (1 + exp(-x)), from 0 to 1. exp(1000) is infinite: what can you do for a large negative x?"""


class Tanh:
    """From -1 to 1."""


class GELU:
    """x times the share of a normal distribution below x; nearly x * sigmoid(1.702 x)."""


class Softmax:
    """exp(x) over its sum along an axis: numbers that add up to 1. Subtract the maximum first, then nothing overflows.

    The axis is given at the call: Softmax()(x, dim=-1).
    """
