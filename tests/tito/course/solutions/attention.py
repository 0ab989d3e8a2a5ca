"""Module 12 in another style: heads are computed one after the other."""

import numpy as np

from tinytorch.core.activations import Softmax
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.tensor import Tensor, concatenate


def scaled_dot_product_attention(Q, K, V, mask=None):
    scores = Q @ K.transpose(-2, -1) / float(np.sqrt(Q.shape[-1]))
    if mask is not None:
        scores = scores + Tensor((np.asarray(mask.data) - 1) * 1e9)
    weights = Softmax()(scores, dim=-1)
    return weights @ V, weights


class MultiHeadAttention(Layer):
    def __init__(self, embed_dim, num_heads):
        self.num_heads, self.width = num_heads, embed_dim // num_heads
        self.query, self.key, self.value, self.output = (Linear(embed_dim, embed_dim) for _ in range(4))

    def forward(self, x, mask=None):
        q, k, v = self.query(x), self.key(x), self.value(x)
        heads = []
        for head in range(self.num_heads):
            part = slice(head * self.width, (head + 1) * self.width)
            heads.append(scaled_dot_product_attention(q[:, :, part], k[:, :, part], v[:, :, part], mask)[0])
        return self.output(concatenate(heads, axis=-1))
