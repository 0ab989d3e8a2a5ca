"""Module 13: blocks of attention that write text.

Test it:  tito module test transformers
"""

import numpy as np

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.embeddings import EmbeddingLayer
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.tensor import Tensor


class LayerNorm(Layer):
    """Each row with mean 0 and deviation 1, then times gamma plus beta."""

    def __init__(self, normalized_shape, eps=1e-5):
        raise NotImplementedError("LayerNorm(...)")


class MLP(Layer):
    """Linear to hidden_dim (4 times as wide unless given), GELU, Linear back."""

    def __init__(self, embed_dim, hidden_dim=None, dropout_prob=0.1):
        raise NotImplementedError("MLP(...)")


class TransformerBlock(Layer):
    """x + attention(norm(x)), then x + mlp(norm(x)). What is added on keeps gradients alive in deep models."""

    def __init__(self, embed_dim, num_heads, mlp_ratio=4, dropout_prob=0.1):
        raise NotImplementedError("TransformerBlock(...)")


class GPT(Layer):
    """Embeddings, blocks with a causal mask, a norm, and scores of the next token: (B, T) -> (B, T, vocab_size)."""

    def __init__(self, vocab_size, embed_dim, num_layers, num_heads, max_seq_len=1024):
        raise NotImplementedError("GPT(...)")

    def generate(self, prompt_tokens, max_new_tokens=50, temperature=1.0):
        """The prompt with new tokens behind it: draw from softmax(last scores / temperature), append, again."""
        raise NotImplementedError("generate")


def create_causal_mask(seq_len):
    """1 where a token may look (itself and what came before), 0 elsewhere: (1, seq_len, seq_len)."""
    raise NotImplementedError("create_causal_mask")
