"""Attention: every position of a sequence looks at others, and takes from them what it finds relevant."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from tinytorch.core.layers import Layer, Linear
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, apply
from tinytorch.errors import ShapeError, UsageError

BLOCKED = -1e9  # added to a score: its weight is then exactly 0 in float32, and a row without any stays finite


class KeyValueMemory(Protocol):
    """Keys and values of positions seen before (module 17)."""

    def extend(self, keys: Tensor, values: Tensor, /) -> tuple[Tensor, Tensor]:
        """Append (N, heads, T, head_dim); all keys and all values so far."""


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | Array | None = None
) -> tuple[Tensor, Tensor]:
    """softmax(query @ key^T / sqrt(D)) @ value, and the weights themselves (Vaswani et al. 2017, equation 1).

    query (..., T, D), key and value (..., S, D) -> (..., T, D) and (..., T, S). `mask` broadcasts to (..., T, S); where
    it is True or 1 a position may look. Raises ShapeError when shapes do not fit together.
    """
    axes = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    scores = query @ key.transpose(axes) * (1 / math.sqrt(query.shape[-1]))
    if mask is not None:
        scores = scores + Tensor(np.where(np.asarray(mask), 0, BLOCKED), dtype=scores.dtype)
    weights = apply("softmax", scores, axis=-1)
    return weights @ value, weights


def causal_mask(queries: int, keys: int) -> Array:
    """Mask (queries, keys): no query, the last of which stands at the last key, looks ahead."""
    return np.tri(queries, keys, keys - queries, dtype=bool)


class MultiHeadAttention(Layer):
    """Self-attention in `num_heads` subspaces at once (Vaswani et al. 2017, section 3.2.2).

    inputs (N, T, embed_dim), kept. Raises UsageError when `embed_dim` is no multiple of `num_heads`.
    """

    def __init__(self, embed_dim: int, num_heads: int, rng: np.random.Generator | None = None) -> None:
        if num_heads < 1 or embed_dim % num_heads:
            raise UsageError(f"embed_dim {embed_dim} cannot be divided among {num_heads} heads")
        self.num_heads = num_heads
        self.q_proj = Linear(embed_dim, embed_dim, rng=rng)
        self.k_proj = Linear(embed_dim, embed_dim, rng=rng)
        self.v_proj = Linear(embed_dim, embed_dim, rng=rng)
        self.out_proj = Linear(embed_dim, embed_dim, rng=rng)

    def __call__(
        self, inputs: Tensor | Array, mask: Tensor | Array | None = None, memory: KeyValueMemory | None = None
    ) -> Tensor:
        """`forward` for a tensor or an array."""
        return self.forward(inputs if isinstance(inputs, Tensor) else Tensor(inputs), mask, memory)

    def forward(
        self, inputs: Tensor, mask: Tensor | Array | None = None, memory: KeyValueMemory | None = None
    ) -> Tensor:
        """(N, T, embed_dim), kept. With a `memory` the inputs look at the positions that it holds, too."""
        if inputs.ndim != 3:
            raise ShapeError(f"attention needs (N, T, embed_dim), got {inputs.shape}")
        query, key, value = (self._split(project(inputs)) for project in (self.q_proj, self.k_proj, self.v_proj))
        if memory is not None:
            key, value = memory.extend(key, value)
        attended, _ = scaled_dot_product_attention(query, key, value, mask)
        merged = attended.transpose(0, 2, 1, 3)
        return self.out_proj(merged.reshape(*merged.shape[:2], -1))

    def _split(self, projected: Tensor) -> Tensor:
        """(N, T, width) -> (N, heads, T, width / heads)."""
        samples, positions, _ = projected.shape
        return projected.reshape(samples, positions, self.num_heads, -1).transpose(0, 2, 1, 3)

    def __repr__(self) -> str:
        return f"MultiHeadAttention({self.q_proj.in_features}, {self.num_heads})"
