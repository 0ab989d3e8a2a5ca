"""Attention: every position of a sequence looks at others, and takes from them what it finds relevant."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from tinytorch.core.arguments import Rng, generator_of, whole
from tinytorch.core.arrays import broadcasts_to
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

    query (..., T, D), key and value (..., S, D) -> (..., T, D) and (..., T, S). `mask` broadcasts to (..., T, S): truth
    values or 0 and 1, true where a position may look, or other numbers of any type, which are added to the scores, 0
    and -inf as a rule. A row that may look nowhere looks everywhere equally. Raises ShapeError when shapes do not fit
    together.
    """
    if (
        min(query.ndim, key.ndim, value.ndim) < 2
        or query.shape[-1] != key.shape[-1]
        or key.shape[-2] != value.shape[-2]
    ):
        shapes = f"{query.shape}, {key.shape} and {value.shape}"
        raise ShapeError(f"attention needs query (..., T, D), key and value (..., S, D), got {shapes}")
    scores = query * (1 / math.sqrt(query.shape[-1])) @ key.transpose()
    if mask is not None:
        scores = scores + _bias(np.asarray(mask), scores)
    weights = apply("softmax", scores, axis=-1)
    return weights @ value, weights


def _bias(mask: Array, scores: Tensor) -> Tensor:
    """What a mask of any habit adds to `scores`; ShapeError when it does not fit."""
    if not broadcasts_to(mask.shape, scores.shape):
        raise ShapeError(f"attention needs a mask that broadcasts to {scores.shape}, got {mask.shape}")
    bias = np.where(mask, 0, BLOCKED) if _says_where(mask) else np.maximum(mask, BLOCKED)
    return Tensor(bias, dtype=scores.dtype)


def _says_where(mask: Array) -> bool:
    """Whether a mask holds truth values: as such, or as 0 and 1; floating zeros alone are added."""
    if mask.dtype.kind == "b":
        return True
    return bool(((mask == 0) | (mask == 1)).all() and (mask.dtype.kind != "f" or mask.any()))


def causal_mask(queries: int, keys: int) -> Array:
    """Mask (queries, keys): no query, the last of which stands at the last key, looks ahead."""
    return np.tri(queries, keys, keys - queries, dtype=bool)


class MultiHeadAttention(Layer):
    """Self-attention in `num_heads` subspaces at once (Vaswani et al. 2017, section 3.2.2).

    inputs (N, T, embed_dim), kept. Raises UsageError when `embed_dim` is no multiple of `num_heads`.
    """

    def __init__(self, embed_dim: int, num_heads: int, rng: Rng = None) -> None:
        rng = generator_of(rng)
        width, heads = (whole("MultiHeadAttention needs its sizes", size, 1) for size in (embed_dim, num_heads))
        if width % heads:
            raise UsageError(f"embed_dim {embed_dim} cannot be divided among {num_heads} heads")
        self.num_heads = num_heads
        self.q_proj = Linear(embed_dim, embed_dim, rng=rng)
        self.k_proj = Linear(embed_dim, embed_dim, rng=rng)
        self.v_proj = Linear(embed_dim, embed_dim, rng=rng)
        self.out_proj = Linear(embed_dim, embed_dim, rng=rng)

    @property
    def embed_dim(self) -> int:
        """Size of each position's vector."""
        return self.q_proj.in_features

    @property
    def head_dim(self) -> int:
        """Size of a vector in one head."""
        return self.q_proj.out_features // self.num_heads

    def forward(
        self, inputs: Tensor, mask: Tensor | Array | None = None, memory: KeyValueMemory | None = None
    ) -> Tensor:
        """(N, T, embed_dim), kept. With a `memory` the inputs look at the positions that it holds, too.

        `mask` (T, S), (N, T, S) or (N, heads, T, S): `scaled_dot_product_attention` says how it is read.
        """
        if inputs.ndim != 3 or inputs.shape[-1] != self.embed_dim:
            raise ShapeError(f"{self!r} needs inputs (N, T, {self.embed_dim}), got {inputs.shape}")
        if memory is not None and not hasattr(memory, "extend"):
            mend = "write attention(x, mask); for a query, a key and a value scaled_dot_product_attention()"
            raise UsageError("MultiHeadAttention needs one input, whose parts look at one another", mend=mend)
        query, key, value = (self._split(project(inputs)) for project in (self.q_proj, self.k_proj, self.v_proj))
        if memory is not None:
            key, value = memory.extend(key, value)
        if mask is not None and np.ndim(mask) == 3:
            mask = np.asarray(mask)[:, None]
        attended, _ = scaled_dot_product_attention(query, key, value, mask)
        together = (*inputs.shape[:2], self.num_heads * self.head_dim)
        outputs: Tensor = self.out_proj(attended.transpose(1, 2).reshape(together))
        return outputs

    def _split(self, projected: Tensor) -> Tensor:
        """(N, T, width) -> (N, heads, T, width / heads)."""
        samples, positions, _ = projected.shape
        return projected.reshape(samples, positions, self.num_heads, self.head_dim).transpose(1, 2)

    def __repr__(self) -> str:
        return f"MultiHeadAttention({self.embed_dim}, {self.num_heads})"
