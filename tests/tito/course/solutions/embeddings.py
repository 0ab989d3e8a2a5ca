"""Module 11 in another style: a look-up is a product with rows of ones and zeros."""

import numpy as np

from tinytorch.core.layers import Layer
from tinytorch.core.tensor import Tensor


class Embedding(Layer):
    def __init__(self, vocab_size, embed_dim):
        self.weight = Tensor(np.random.randn(vocab_size, embed_dim) * 0.1, requires_grad=True)

    def forward(self, tokens):
        numbers = np.asarray(tokens.data).astype(int)
        return Tensor(np.eye(self.weight.shape[0])[numbers]) @ self.weight


def create_sinusoidal_embeddings(max_seq_len, embed_dim):
    table = np.zeros((max_seq_len, embed_dim))
    for position in range(max_seq_len):
        for column in range(embed_dim):
            angle = position / 10_000 ** (column // 2 * 2 / embed_dim)
            table[position, column] = np.cos(angle) if column % 2 else np.sin(angle)
    return Tensor(table)


class PositionalEncoding(Layer):
    def __init__(self, max_seq_len, embed_dim):
        self.position_embeddings = Tensor(np.random.randn(max_seq_len, embed_dim) * 0.1, requires_grad=True)

    def forward(self, x):
        return x + self.position_embeddings[: x.shape[1]]


class EmbeddingLayer(Layer):
    def __init__(self, vocab_size, embed_dim, max_seq_len=512, pos_encoding="learned", scale_embeddings=False):
        self.tokens = Embedding(vocab_size, embed_dim)
        self.scale = embed_dim**0.5 if scale_embeddings else 1
        fixed = create_sinusoidal_embeddings(max_seq_len, embed_dim)
        self.positions = {
            "learned": PositionalEncoding(max_seq_len, embed_dim),
            "sinusoidal": lambda x: x + fixed[: x.shape[1]],
            None: lambda x: x,
        }[pos_encoding]

    def forward(self, tokens):
        return self.positions(self.tokens(tokens) * self.scale)
