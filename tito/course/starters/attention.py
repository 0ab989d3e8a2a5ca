"""Module 12: attention, every token looks at the others.

Test it:  tito module test attention
"""

import numpy as np

from tinytorch.core.layers import Layer, Linear
from tinytorch.core.tensor import Tensor


def scaled_dot_product_attention(Q, K, V, mask=None):  # noqa: N803 - as everybody writes them
    """softmax(Q K^T / sqrt(width)) V, and those weights: (output, weights).

    Where the mask is 0 nobody looks: put a very negative number there before the softmax.
    """
    raise NotImplementedError("scaled_dot_product_attention")


class MultiHeadAttention(Layer):
    """The same several times side by side, each head in its own part of the width; then one Linear for all.

    (B, T, C) -> four Linear(C, C): queries, keys, values, output. Reshape to (B, heads, T, C / heads) for the heads.
    """

    def __init__(self, embed_dim, num_heads):
        raise NotImplementedError("MultiHeadAttention(...)")

    def forward(self, x, mask=None):
        raise NotImplementedError("MultiHeadAttention.forward")
