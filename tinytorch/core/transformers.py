"""Transformers: attention and a perceptron, in blocks with residual connections, up to a small GPT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Literal, Protocol

import numpy as np

from tinytorch.core.activations import GELU
from tinytorch.core.attention import KeyValueMemory, MultiHeadAttention, causal_mask
from tinytorch.core.embeddings import Embedding, PositionalEncoding, checked_tokens
from tinytorch.core.layers import Dropout, Layer, Linear, inference
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor, apply, no_grad
from tinytorch.errors import ShapeError, UsageError


class GenerationMemory(Protocol):
    """What a GPT may remember while it generates: one memory per block (module 17)."""

    @property
    def length(self) -> int:
        """Number of positions held."""

    @property
    def layers(self) -> Sequence[KeyValueMemory]:
        """The blocks' memories, in order."""

    def start(self) -> None:
        """Forget everything: another sequence comes next."""


class LayerNorm(Layer):
    """(x - mean) / sqrt(variance + eps) * gamma + beta over the last axis (Ba, Kiros & Hinton 2016).

    inputs (..., normalized_shape), kept; gamma, beta (normalized_shape,). Raises UsageError for a size below 1.
    """

    def __init__(self, normalized_shape: int, eps: float = 1e-5) -> None:
        if normalized_shape < 1:
            raise UsageError(f"LayerNorm needs a size of at least 1, got {normalized_shape}")
        self.eps = eps
        self.gamma = Tensor(np.ones(normalized_shape, np.float32), requires_grad=True)
        self.beta = Tensor(np.zeros(normalized_shape, np.float32), requires_grad=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., normalized_shape), kept."""
        if inputs.shape[-1:] != self.gamma.shape:
            raise ShapeError(f"{self!r} needs inputs (..., {self.gamma.size}), got {inputs.shape}")
        return apply("normalize", inputs, axis=-1, epsilon=self.eps) * self.gamma + self.beta

    def __repr__(self) -> str:
        return f"LayerNorm({self.gamma.size})"


class MLP(Layer):
    """Linear, GELU, Linear at every position; the hidden layer is four times as wide unless `hidden_dim` says.

    inputs (..., embed_dim), kept; in training outputs are dropped with probability `dropout_prob`.
    """

    def __init__(
        self,
        embed_dim: int,
        hidden_dim: int | None = None,
        dropout_prob: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        hidden = hidden_dim or 4 * embed_dim
        self.linear1 = Linear(embed_dim, hidden, rng=rng)
        self.gelu = GELU()
        self.linear2 = Linear(hidden, embed_dim, rng=rng)
        self.dropout = Dropout(dropout_prob, rng=rng) if dropout_prob else None

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., embed_dim), kept."""
        outputs: Tensor = self.linear2(self.gelu(self.linear1(inputs)))
        return outputs if self.dropout is None else self.dropout(outputs)


class TransformerBlock(Layer):
    """x + attention(ln1(x)), then x + mlp(ln2(x)): normalized before, as in GPT-2 (Radford et al. 2019).

    inputs (N, T, embed_dim), kept.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        mlp_ratio: int = 4,
        dropout_prob: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.ln1 = LayerNorm(embed_dim)
        self.attention = MultiHeadAttention(embed_dim, num_heads, rng=rng)
        self.ln2 = LayerNorm(embed_dim)
        self.mlp = MLP(embed_dim, mlp_ratio * embed_dim, dropout_prob, rng=rng)

    def forward(
        self, inputs: Tensor, mask: Tensor | Array | None = None, memory: KeyValueMemory | None = None
    ) -> Tensor:
        """(N, T, embed_dim), kept; `mask` and `memory` are the attention's."""
        attended: Tensor = inputs + self.attention(self.ln1(inputs), mask, memory)
        outputs: Tensor = attended + self.mlp(self.ln2(attended))
        return outputs


class GPT(Layer):
    """A decoder of `num_layers` blocks: scores of the next token at every position of a sequence.

    tokens (N, T) integers 0..vocab_size-1, T <= max_seq_len -> (N, T, vocab_size). `memory` is None, or remembers keys
    and values while generating.
    """

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        num_layers: int,
        num_heads: int,
        max_seq_len: int = 1024,
        positions: Literal["learned", "sinusoidal"] = "learned",
        rng: np.random.Generator | None = None,
    ) -> None:
        if num_layers < 1:
            raise UsageError(f"a GPT needs at least 1 block, got num_layers={num_layers}")
        self.token_embedding = Embedding(vocab_size, embed_dim, rng=rng)
        self.position_embedding = PositionalEncoding(max_seq_len, embed_dim, positions, rng=rng)
        self.blocks = [TransformerBlock(embed_dim, num_heads, rng=rng) for _ in range(num_layers)]
        self.ln_f = LayerNorm(embed_dim)
        self.lm_head = Linear(embed_dim, vocab_size, bias=False, rng=rng)
        self.memory: GenerationMemory | None = None

    @property
    def vocab_size(self) -> int:
        """Number of different tokens."""
        return self.token_embedding.vocab_size

    @property
    def embed_dim(self) -> int:
        """Size of a token's vector."""
        return self.token_embedding.embed_dim

    @property
    def num_layers(self) -> int:
        """Number of blocks."""
        return len(self.blocks)

    @property
    def num_heads(self) -> int:
        """Number of heads in each block."""
        return self.blocks[0].attention.num_heads

    @property
    def max_seq_len(self) -> int:
        """The context: the longest sequence, in tokens."""
        return self.position_embedding.max_seq_len

    def forward(self, inputs: Tensor, start_pos: int = 0, memory: GenerationMemory | None = None) -> Tensor:
        """(N, T) -> (N, T, vocab_size); the first token stands at `start_pos`.

        With a `memory` the tokens continue the sequence that it holds.
        """
        if inputs.ndim != 2:
            raise ShapeError(f"a GPT needs tokens (N, T), got {inputs.shape}")
        held = memory.length if memory else 0
        positions = inputs.shape[-1]
        mask = causal_mask(positions, held + positions) if positions > 1 else None
        hidden = self.position_embedding(self.token_embedding(inputs), start_pos + held)
        for number, block in enumerate(self.blocks):
            hidden = block(hidden, mask, memory.layers[number] if memory else None)
        scores: Tensor = self.lm_head(self.ln_f(hidden))
        return scores

    def generate(
        self,
        prompt_tokens: Any,
        max_new_tokens: int = 50,
        temperature: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """The prompt and `max_new_tokens` more, each drawn at a `temperature` by `rng`, or the likeliest at 0.

        prompt_tokens (N, T) or (T,) -> integers (N, T + max_new_tokens) or (T + max_new_tokens,). The last
        `max_seq_len` tokens are looked at. Raises ShapeError for an empty prompt, UsageError for a negative
        temperature, and for more tokens than a memory holds.
        """
        limit = self.max_seq_len if self.memory else None
        prompt = checked_prompt(prompt_tokens, self.vocab_size, max_new_tokens, limit)
        if self.memory:
            self.memory.start()
        with inference(self) if self.training else nullcontext(), no_grad():
            return continued(prompt, max_new_tokens, temperature, rng, self._next_scores)

    def _next_scores(self, sequence: Array) -> Array:
        """Scores (N, vocab_size) of what follows a sequence (N, T)."""
        unseen = sequence[:, self.memory.length :] if self.memory else sequence[:, -self.max_seq_len :]
        scores: Array = self.forward(Tensor(unseen), memory=self.memory).data[:, -1]
        return scores


def checked_prompt(tokens: Any, vocab_size: int, new_tokens: int, limit: int | None) -> Array:
    """`tokens` (N, T) or (T,) as integers; ShapeError for an empty prompt, UsageError for what fits no `limit`."""
    prompt = checked_tokens(tokens, vocab_size).astype(np.int64)
    if prompt.ndim not in (1, 2) or not prompt.size:
        raise ShapeError(f"generate() needs a prompt (T,) or (N, T) of at least one token, got {prompt.shape}")
    if new_tokens < 0:
        raise UsageError(f"generate() cannot make {new_tokens} tokens")
    length = prompt.shape[-1]
    if limit and new_tokens and length + new_tokens - 1 > limit:  # the last token is never looked at
        raise UsageError(
            f"{length} tokens and {new_tokens} more do not fit into a memory of {limit}",
            mend="generate fewer tokens, build the model with a larger max_seq_len, or go without a memory",
        )
    return prompt


def continued(
    prompt: Array,
    new_tokens: int,
    temperature: float,
    rng: np.random.Generator | None,
    next_scores: Callable[[Array], Array],
) -> Tensor:
    """A prompt (N, T) or (T,) and `new_tokens` more, drawn by the scores (N, vocab_size) that a sequence gets.

    UsageError for a negative temperature.
    """
    if temperature < 0:
        raise UsageError(f"generate() needs a temperature of at least 0, got {temperature}")
    length, generator = prompt.shape[-1], rng or np.random.default_rng()
    sequence = np.empty((len(prompt) if prompt.ndim == 2 else 1, length + new_tokens), np.int64)
    sequence[:, :length] = prompt
    for end in range(length, length + new_tokens):
        sequence[:, end] = _choose(next_scores(sequence[:, :end]), temperature, generator)
    return Tensor(sequence if prompt.ndim == 2 else sequence[0])


def create_causal_mask(seq_len: int) -> Tensor:
    """Mask (1, seq_len, seq_len): 1 where a position may look, at itself and before, 0 elsewhere."""
    return Tensor(causal_mask(seq_len, seq_len)[None], dtype=np.float32)


def _choose(scores: Array, temperature: float, generator: np.random.Generator) -> Array:
    """One token (N,) for each row of scores (N, vocab_size), by the Gumbel-max trick where there is a temperature."""
    if temperature:
        scores = scores / temperature + generator.gumbel(size=scores.shape)
    chosen: Array = scores.argmax(axis=-1)
    return chosen


TinyGPT = GPT  # the curriculum's pages call it so


class Completion(Layer):
    """A GPT as a model from prompts to the tokens that follow them.

    In inference it looks at the first `prompt_length` tokens of (N, T) alone and answers with the `new_tokens`
    likeliest ones, integers (N, new_tokens). In training it is given the answers too (teacher forcing), all but their
    last token: (N, prompt_length + new_tokens - 1) -> scores of the answers (N, new_tokens, vocab_size).
    Raises ShapeError for anything shorter.
    """

    def __init__(self, gpt: GPT, prompt_length: int, new_tokens: int) -> None:
        self.gpt = gpt
        self.prompt_length = prompt_length
        self.new_tokens = new_tokens

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, T) -> tokens (N, new_tokens), or scores (N, new_tokens, vocab_size) in training."""
        self.check_shape(inputs.shape)
        if self.training:
            scores: Tensor = self.gpt(inputs[:, : self.prompt_length + self.new_tokens - 1])
            return scores[:, self.prompt_length - 1 :]
        return self.gpt.generate(inputs[:, : self.prompt_length], self.new_tokens, 0)[:, self.prompt_length :]

    def check_shape(self, shape: Shape) -> None:
        """ShapeError for inputs that are no sequences of as many tokens as are needed."""
        needed = self.prompt_length + (self.new_tokens - 1 if self.training else 0)
        if len(shape) != 2 or shape[1] < needed:
            raise ShapeError(f"a Completion needs sequences of {needed} tokens, got {shape}")
