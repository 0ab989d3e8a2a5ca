"""Transformers: attention and a perceptron, in blocks with residual connections, up to a small GPT."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

import numpy as np

from tinytorch.core.activations import GELU
from tinytorch.core.arguments import Rng, checked, generator_of, whole
from tinytorch.core.attention import KeyValueMemory, MultiHeadAttention, causal_mask
from tinytorch.core.embeddings import Embedding, PositionalEncoding, checked_tokens
from tinytorch.core.layers import Affine, Dropout, Layer, Linear, inference
from tinytorch.core.ops import Array, Shape
from tinytorch.core.sampling import Sampling, continued
from tinytorch.core.tensor import Tensor, apply, no_grad
from tinytorch.errors import ShapeError, UsageError

TABLE_SCALE = 0.02  # standard deviation of a GPT's fresh tables (Radford et al. 2019, GPT-2)


class GenerationMemory(Protocol):
    """What a GPT may remember while it generates: one memory per block (module 17)."""

    @property
    def length(self) -> int:
        """Number of positions held."""

    @property
    def layers(self) -> Sequence[KeyValueMemory]:
        """The blocks' memories, in order."""

    def staying(self) -> AbstractContextManager[None]:
        """For one pass, after which it still stands where it did."""

    def generating(self, prompt: Array, gpt: GPT) -> AbstractContextManager[None]:
        """For one sequence of a GPT, which begins with a prompt (N, T): first forget all that is not of it."""


class LayerNorm(Affine):
    """(x - mean) / sqrt(variance + eps) * gamma + beta over the last axis (Ba, Kiros & Hinton 2016).

    inputs (..., normalized_shape), kept; gamma, beta (normalized_shape,). Raises UsageError for a size below 1.
    """

    def __init__(self, normalized_shape: int, eps: float = 1e-5) -> None:
        size = whole("LayerNorm needs normalized_shape", normalized_shape, 1)
        self.eps = checked("LayerNorm needs an eps", eps, above=0)
        self.gamma = Tensor(np.ones(size, np.float32), requires_grad=True)
        self.beta = Tensor(np.zeros(size, np.float32), requires_grad=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., normalized_shape), kept."""
        if inputs.shape[-1:] != self.gamma.shape:
            raise ShapeError(f"{self!r} needs inputs (..., {self.gamma.size}), got {inputs.shape}")
        return apply("normalize", inputs, axis=-1, epsilon=self.eps) * self.gamma + self.beta

    def __repr__(self) -> str:
        return f"LayerNorm({self.gamma.size})"


class TiedHead(Layer):
    """Scores of tokens by the table that embeds them: (..., embed_dim) -> (..., vocab_size). Its weight is the table's.

    Raises ShapeError for inputs of another size.
    """

    kind = "Linear"

    def __init__(self, embedding: Embedding) -> None:
        self.embedding = embedding

    @property
    def out_features(self) -> int:
        """Number of tokens, as a Linear calls it."""
        return self.embedding.vocab_size

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., embed_dim) -> (..., vocab_size)."""
        weight = self.embedding.weight
        table = weight if isinstance(weight, Tensor) else Tensor(weight.data)
        if inputs.shape[-1:] != table.shape[1:]:
            raise ShapeError(f"{self!r} needs inputs (..., {table.shape[1]}), got {inputs.shape}")
        return inputs @ table.T

    def __repr__(self) -> str:
        return f"TiedHead({self.embedding!r})"


class MLP(Layer):
    """Linear, GELU, Linear at every position; the hidden layer is four times as wide unless `hidden_dim` says.

    inputs (..., embed_dim), kept; in training outputs are dropped with probability `dropout_prob`.
    """

    def __init__(
        self,
        embed_dim: int,
        hidden_dim: int | None = None,
        dropout_prob: float = 0.0,
        rng: Rng = None,
    ) -> None:
        rng, hidden = generator_of(rng), 4 * embed_dim if hidden_dim is None else hidden_dim
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
        rng: Rng = None,
    ) -> None:
        rng = generator_of(rng)
        self.ln1 = LayerNorm(embed_dim)
        self.attention = MultiHeadAttention(embed_dim, num_heads, rng=rng)
        self.ln2 = LayerNorm(embed_dim)
        self.mlp = MLP(embed_dim, mlp_ratio * embed_dim, dropout_prob, rng=rng)

    def forward(
        self, inputs: Tensor, mask: Tensor | Array | None = None, memory: KeyValueMemory | None = None
    ) -> Tensor:
        """(N, T, embed_dim), kept; `mask` and `memory` are the attention's."""
        remembered = () if memory is None else (memory,)  # an attention of one's own need not know what that is
        attended: Tensor = inputs + self.attention(self.ln1(inputs), mask, *remembered)
        outputs: Tensor = attended + self.mlp(self.ln2(attended))
        return outputs


class GPT(Layer):
    """A decoder of `num_layers` blocks: scores of the next token at every position of a sequence.

    tokens (N, T) integers 0..vocab_size-1, T <= max_seq_len -> (N, T, vocab_size). `memory` is None, or remembers keys
    and values while generating. With `tie_weights` scores are products with the rows of the token embedding (Press &
    Wolf 2017). Tables start small, and what adds to the residual stream by 1 / sqrt(2 num_layers) smaller, so that the
    stream's size does not grow with the number of blocks (Radford et al. 2019, section 2.3).
    """

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        num_layers: int,
        num_heads: int,
        max_seq_len: int = 1024,
        pos_encoding: Literal["learned", "sinusoidal"] = "learned",
        rng: Rng = None,
        tie_weights: bool = False,
    ) -> None:
        blocks, rng = whole("a GPT needs num_layers", num_layers, 1), generator_of(rng)
        self.token_embedding = Embedding.from_array(_small_table(vocab_size, embed_dim, rng))
        self.position_embedding = (
            PositionalEncoding.from_array(_small_table(max_seq_len, embed_dim, rng))
            if pos_encoding == "learned"
            else PositionalEncoding(max_seq_len, embed_dim, pos_encoding)
        )
        self.blocks = [TransformerBlock(embed_dim, num_heads, rng=rng) for _ in range(blocks)]
        for block in self.blocks:
            for writer in (block.attention.out_proj, block.mlp.linear2):
                writer.weight.data *= np.float32(1 / math.sqrt(2 * blocks))
        self.ln_f = LayerNorm(embed_dim)
        self.lm_head: Linear | TiedHead = (
            TiedHead(self.token_embedding) if tie_weights else Linear(embed_dim, vocab_size, bias=False, rng=rng)
        )
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

        With a `memory` the tokens continue the sequence that it holds. So they do, without one, with the GPT's own
        memory where they stand behind what that holds; whoever calls then advances it. Raises UsageError where they
        stand neither there nor at the beginning.
        """
        if inputs.ndim != 2:
            raise ShapeError(f"a GPT needs tokens (N, T), got {inputs.shape}")
        if start_pos:
            whole("a GPT needs a start_pos", start_pos, 0)
        if memory is None and self.memory is not None and self._continues(start_pos, self.memory.length):
            with self.memory.staying():
                return self.forward(inputs, memory=self.memory)
        held = memory.length if memory else 0
        if memory:
            self._continues(start_pos, held)
        positions, start = inputs.shape[-1], held if memory else start_pos
        mask = causal_mask(positions, held + positions) if positions > 1 else None
        hidden = self.position_embedding(self.token_embedding(inputs), start)
        for number, block in enumerate(self.blocks):
            hidden = block(hidden, mask, memory.layers[number]) if memory else block(hidden, mask)
        scores: Tensor = self.lm_head(self.ln_f(hidden))
        return scores

    def _continues(self, start_pos: int, held: int) -> bool:
        """Whether tokens from there on continue a memory of so many; from the beginning on they are others."""
        if start_pos not in (0, held):
            mend = "call with start_pos=cache.seq_pos, or reset() the cache"
            raise UsageError(f"the GPT remembers {held} tokens, and start_pos is {start_pos}", mend=mend)
        return start_pos == held

    def generate(
        self,
        prompt_tokens: Any,
        max_new_tokens: int = 50,
        temperature: float = 1.0,
        rng: Rng = None,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: int | Collection[int] | None = None,
    ) -> Tensor:
        """The prompt and `max_new_tokens` more, each drawn at a `temperature` by `rng`, or the likeliest at 0.

        prompt_tokens (N, T) or (T,) -> integers (N, T + max_new_tokens) or (T + max_new_tokens,); fewer where every
        row has come to a token of `stop`, which it repeats meanwhile. `top_k` and `top_p` are `Sampling`'s. The last
        `max_seq_len` tokens are looked at. Raises ShapeError for an empty prompt, UsageError for numbers that make no
        sense, and for more tokens than a memory holds; RunError for scores that are no numbers.
        """
        sampling = Sampling(temperature, top_k, top_p)
        limit = self.max_seq_len if self.memory else None
        prompt = checked_prompt(prompt_tokens, self.vocab_size, max_new_tokens, limit)
        rows = prompt if prompt.ndim == 2 else prompt[None]
        remembering = self.memory.generating(rows, self) if self.memory else nullcontext()
        with remembering, inference(self) if self.training else nullcontext(), no_grad():
            return continued(prompt, max_new_tokens, sampling, self._next_scores, rng, stop)

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
    whole("generate() needs max_new_tokens", new_tokens, 0)
    length = prompt.shape[-1]
    if limit and new_tokens and length + new_tokens - 1 > limit:  # the last token is never looked at
        raise UsageError(
            f"{length} tokens and {new_tokens} more do not fit into a memory of {limit}",
            mend="generate fewer tokens, build the model with a larger max_seq_len, or go without a memory",
        )
    return prompt


def _small_table(rows: int, columns: int, generator: np.random.Generator) -> Array:
    sizes = [whole("a GPT needs its sizes", size, 1) for size in (rows, columns)]
    return generator.standard_normal(sizes, dtype=np.float32) * np.float32(TABLE_SCALE)


def create_causal_mask(seq_len: int) -> Tensor:
    """Mask (1, seq_len, seq_len): 1 where a position may look, at itself and before, 0 elsewhere."""
    return Tensor(causal_mask(seq_len, seq_len)[None], dtype=np.float32)


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
