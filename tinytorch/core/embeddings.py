"""Embeddings: numbers of tokens and of positions as vectors that can be learned."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

import numpy as np

from tinytorch.core.arguments import Rng, generator_of, whole
from tinytorch.core.conversion import whole_numbers
from tinytorch.core.layers import Layer
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import RangeError, ShapeError, UsageError

LONGEST_WAVE = 10_000  # of the sinusoidal positions, in units of 2 pi positions (Vaswani et al. 2017, section 3.5)


class Embedding(Layer):
    """Row number `token` of a table.

    tokens (...) integers 0..vocab_size-1 -> (..., embed_dim); weight (vocab_size, embed_dim), drawn evenly from within
    sqrt(6 / (vocab_size + embed_dim)) of zero (Glorot & Bengio 2010).
    Raises UsageError for sizes below 1, and for tokens that are no integers of that range.
    """

    def __init__(self, vocab_size: int, embed_dim: int, rng: Rng = None) -> None:
        rows, columns = _sizes(vocab_size, embed_dim)
        self.weight = _even_table(rows, columns, math.sqrt(6 / (rows + columns)), rng)

    @classmethod
    def from_array(cls, weight: Array) -> Self:
        """A layer over a given table (vocab_size, embed_dim), not copied; ShapeError for what is no table."""
        layer = cls.__new__(cls)
        layer.weight = _table(weight)
        return layer

    @property
    def vocab_size(self) -> int:
        """Number of different tokens."""
        return self.weight.shape[0]

    @property
    def embed_dim(self) -> int:
        """Size of a token's vector."""
        return self.weight.shape[1]

    def forward(self, inputs: Tensor) -> Tensor:
        """(...) -> (..., embed_dim)."""
        return self.weight[checked_tokens(inputs, self.vocab_size)]

    def __repr__(self) -> str:
        return f"Embedding({self.vocab_size}, {self.embed_dim})"


class PositionalEncoding(Layer):
    """Adds to each vector of a sequence one that stands for its position.

    inputs (..., T, embed_dim), kept; weight (max_seq_len, embed_dim). `pos_encoding` is "learned", drawn evenly from
    within sqrt(2 / embed_dim) of zero, or "sinusoidal": fixed waves (Vaswani et al. 2017, section 3.5).
    Raises UsageError for sizes below 1 and unknown kinds, ShapeError for sequences beyond `max_seq_len`.
    """

    pos_encoding: Literal["learned", "sinusoidal"] = "learned"  # of files that had another name for it

    def __init__(
        self,
        max_seq_len: int,
        embed_dim: int,
        pos_encoding: Literal["learned", "sinusoidal"] = "learned",
        rng: Rng = None,
    ) -> None:
        if pos_encoding not in ("learned", "sinusoidal"):
            raise UsageError(f"unknown positions {pos_encoding!r}", mend="choose from learned, sinusoidal")
        self.pos_encoding = pos_encoding
        rows, columns = _sizes(max_seq_len, embed_dim)
        if pos_encoding == "learned":
            self.weight = _even_table(rows, columns, math.sqrt(2 / columns), rng)
        else:
            self.weight = create_sinusoidal_embeddings(rows, columns)

    @classmethod
    def from_array(cls, weight: Array) -> Self:
        """A layer over given vectors (max_seq_len, embed_dim), learned, not copied; ShapeError for what is no table."""
        layer = cls.__new__(cls)
        layer.pos_encoding = "learned"
        layer.weight = _table(weight)
        return layer

    @property
    def position_embeddings(self) -> Tensor:
        """The curriculum's name of the table, `weight`."""
        return self.weight

    @property
    def max_seq_len(self) -> int:
        """Number of positions."""
        return self.weight.shape[0]

    @property
    def embed_dim(self) -> int:
        """Size of a position's vector."""
        return self.weight.shape[1]

    def forward(self, inputs: Tensor, start: int = 0) -> Tensor:
        """(..., T, embed_dim), kept; the first vector stands at position `start`."""
        if inputs.ndim < 2 or inputs.shape[-1] != self.embed_dim:
            raise ShapeError(f"{self!r} needs inputs (..., T, {self.embed_dim}), got {inputs.shape}")
        end = start + inputs.shape[-2]
        if end > self.max_seq_len:
            raise ShapeError(
                f"a sequence of {end} positions is longer than the context of {self.max_seq_len}",
                mend="give fewer tokens, or build the model with a larger max_seq_len",
            )
        return inputs + self.weight[start:end]

    def __repr__(self) -> str:
        return f"PositionalEncoding({self.max_seq_len}, {self.embed_dim}, {self.pos_encoding!r})"


class EmbeddingLayer(Layer):
    """What a transformer reads: an embedding of tokens, and of their positions.

    tokens (..., T) -> (..., T, embed_dim). `pos_encoding` is "learned", "sinusoidal" or None, for no positions;
    `scale_embeddings` multiplies tokens by sqrt(embed_dim) before (Vaswani et al. 2017, section 3.4).
    Raises UsageError and ShapeError as its two parts do.
    """

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        max_seq_len: int = 512,
        pos_encoding: Literal["learned", "sinusoidal"] | None = "learned",
        scale_embeddings: bool = False,
        rng: Rng = None,
    ) -> None:
        rng = generator_of(rng)
        self.token_embedding = Embedding(vocab_size, embed_dim, rng=rng)
        self.pos_encoding = PositionalEncoding(max_seq_len, embed_dim, pos_encoding, rng=rng) if pos_encoding else None
        self.scale = math.sqrt(embed_dim) if scale_embeddings else 1.0

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., T) -> (..., T, embed_dim)."""
        vectors: Tensor = self.token_embedding(inputs)
        if self.scale != 1:
            vectors = vectors * self.scale
        return vectors if self.pos_encoding is None else self.pos_encoding(vectors)


def create_sinusoidal_embeddings(max_seq_len: int, embed_dim: int) -> Tensor:
    """Sines in the even columns, cosines in the odd ones, (max_seq_len, embed_dim)."""
    rates = LONGEST_WAVE ** (-2 * (np.arange(embed_dim) // 2) / embed_dim)
    angles = np.arange(max_seq_len)[:, None] * rates
    return Tensor(np.where(np.arange(embed_dim) % 2, np.cos(angles), np.sin(angles)))


def checked_tokens(tokens: Any, vocab_size: int) -> Array:
    """`tokens` as an array of integers, all of them in 0..vocab_size-1, or UsageError."""
    array = whole_numbers(tokens)
    if array.dtype.kind not in "iu":
        raise UsageError(f"tokens must be integers, not {array.dtype}")
    if array.size and (array.min() < 0 or array.max() >= vocab_size):
        mend = "build the model with as many tokens as the tokenizer has: vocab_size=tokenizer.token_count"
        raise RangeError(f"tokens must lie in 0..{vocab_size - 1}, these reach {array.min()}..{array.max()}", mend=mend)
    return array


def _sizes(rows: int, columns: int) -> tuple[int, int]:
    return whole("an embedding needs its sizes", rows, 1), whole("an embedding needs its sizes", columns, 1)


def _even_table(rows: int, columns: int, limit: float, rng: Rng) -> Tensor:
    draw = generator_of(rng).uniform(-limit, limit, (rows, columns))
    return Tensor(draw, requires_grad=True)


def _table(weight: Array) -> Tensor:
    table = Tensor(weight, requires_grad=True)
    if table.ndim != 2:
        raise ShapeError(f"an embedding needs a table (rows, embed_dim), got {table.shape}")
    return table
