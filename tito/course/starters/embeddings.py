"""Module 11: tokens and positions as vectors.

Test it:  tito module test embeddings
"""

import numpy as np

from tinytorch.core.tensor import Tensor


class Embedding:
    """A table (vocab_size, embed_dim) in self.weight; a token is the number of its row: (B, T) -> (B, T, embed_dim).

    Tokens come as a Tensor, and so as floats. Rows that were looked up learn: self.weight[numbers] has a gradient.
    """

    def __init__(self, vocab_size, embed_dim):
        raise NotImplementedError("Embedding(...)")


def create_sinusoidal_embeddings(max_seq_len, embed_dim):
    """sin(t / 10000^(2i/d)) in even columns 2i, cos of the same in odd ones (Vaswani et al. 2017): a Tensor (T, d)."""
    raise NotImplementedError("create_sinusoidal_embeddings")


class PositionalEncoding:
    """Adds a learned vector for each position, a row of a table (max_seq_len, embed_dim)."""

    def __init__(self, max_seq_len, embed_dim):
        raise NotImplementedError("PositionalEncoding(...)")


class EmbeddingLayer:
    """Tokens and positions together; pos_encoding is 'learned', 'sinusoidal' or None."""

    def __init__(self, vocab_size, embed_dim, max_seq_len=512, pos_encoding="learned", scale_embeddings=False):
        raise NotImplementedError("EmbeddingLayer(...)")
