"""A GPT that generates by a plan: the prompt at once, then token after token, with keys and values kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tinytorch.core.arguments import Rng
from tinytorch.core.attention import BLOCKED
from tinytorch.core.layers import Linear
from tinytorch.core.model import Backend
from tinytorch.core.ops import Array, Shape
from tinytorch.core.sampling import Sampling, continued
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, LayerNorm, TiedHead, checked_prompt
from tinytorch.perf.acceleration.backends import calls_of
from tinytorch.perf.acceleration.layout import attention_matrix
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.trace import LAYER

NEARLY_ZERO = 1e-6
LIKELIEST = Sampling(temperature=0)


class Decoder:
    """Generates with `gpt` (fused and laid out is fastest). It keeps the cache of the last batch size and length."""

    def __init__(self, gpt: GPT, backend: Backend) -> None:
        self.gpt = gpt
        self._backend = backend
        self._is_centred = is_centred(gpt)
        self._step: Pass | None = None

    def complete(self, prompts: Array, output: Array) -> None:
        """Write the likeliest tokens that follow prompts (N, T) into `output` (N, new tokens)."""
        output[...] = self.generate(prompts, output.shape[1], LIKELIEST).data[:, prompts.shape[1] :]

    def generate(
        self,
        prompt_tokens: Any,
        new_tokens: int,
        sampling: Sampling,
        rng: Rng = None,
        stop: int | Collection[int] | None = None,
    ) -> Tensor:
        """As `GPT.generate` with a cache does."""
        prompt = checked_prompt(prompt_tokens, self.gpt.vocab_size, new_tokens, self.gpt.max_seq_len)
        rows = prompt if prompt.ndim == 2 else prompt[None]
        length = rows.shape[1]
        step = self._step_for(len(rows), length + new_tokens)
        step.cache.forget()

        def next_scores(sequence: Array) -> Array:
            if sequence.shape[1] > length:
                return step.scores_after(sequence[:, -1:], sequence.shape[1] - 1)
            return Pass(self.gpt, step.cache, sequence.shape, self._backend, self._is_centred).scores_after(sequence, 0)

        return continued(prompt, new_tokens, sampling, next_scores, rng, stop)

    def _step_for(self, samples: int, length: int) -> Pass:
        if self._step is None or self._step.cache.shape != (samples, length):
            self._step = None  # gives its memory back first
            cache = Cache(self.gpt, samples, length)
            self._step = Pass(self.gpt, cache, (samples, 1), self._backend, self._is_centred)
        return self._step


class Cache:
    """Keys (N, heads, size + 1, length) and values (N, heads, length, size + 1) of every block.

    The further row of keys is 0 for positions that are held and BLOCKED for others, that of values is 1.
    """

    def __init__(self, gpt: GPT, samples: int, length: int) -> None:
        self.shape = (samples, length)
        sizes = [(samples, block.attention.num_heads, block.attention.head_dim) for block in gpt.blocks]
        self.keys = [np.zeros((n, heads, size + 1, length), np.float32) for n, heads, size in sizes]
        self.values = [np.zeros((n, heads, length, size + 1), np.float32) for n, heads, size in sizes]
        for values in self.values:
            values[..., -1] = 1

    def forget(self) -> None:
        """Hold nothing."""
        for keys in self.keys:
            keys[:, :, -1] = BLOCKED


class Pass:
    """All that computes scores (N, vocab_size) from tokens (N, T): one of a sequence, or several that begin it."""

    def __init__(self, gpt: GPT, cache: Cache, shape: Shape, backend: Backend, centred: bool) -> None:
        self.cache = cache
        self._tokens, self._start = np.zeros(shape, np.int64), np.zeros(1, np.int64)
        writer = _Writer(shape, self._start, centred)
        self._scores = writer.gpt(gpt, cache, self._tokens)
        self._calls = calls_of(writer.instructions, backend)

    def scores_after(self, tokens: Array, start: int) -> Array:
        """Scores of what follows tokens (N, T), the first of which stands at `start`; valid until the next call."""
        self._tokens[...] = tokens
        self._start[0] = start
        for call in self._calls:
            call()
        return self._scores


class _Writer:
    """Writes down the instructions of a pass over (N, T) positions."""

    def __init__(self, shape: Shape, start: Array, centred: bool) -> None:
        self.instructions: list[Instruction] = []
        self._shape, self._start, self._centred = shape, start, centred
        self._buffers: dict[str, Array] = {}

    def gpt(self, gpt: GPT, cache: Cache, tokens: Array) -> Array:
        """Everything; the array that scores will be in."""
        hidden = self._buffer("hidden", gpt.embed_dim)
        tables = (_table(gpt.token_embedding), _table(gpt.position_embedding))
        self._write("embed", (tokens, *tables, self._start), hidden)
        for number, block in enumerate(gpt.blocks):
            self._attention(block, hidden, cache.keys[number], cache.values[number])
            inner = self._linear(block.mlp.linear1, self._norm(block.ln2, hidden), "inner")
            self._write("gelu", (inner,), inner)
            self._add(self._linear(block.mlp.linear2, inner, "outer"), hidden)
        last = hidden[:, -1:]
        return self._linear(gpt.lm_head, self._norm(gpt.ln_f, last), "scores")[:, 0]

    def _attention(self, block: Any, hidden: Array, keys: Array, values: Array) -> None:
        layer = block.attention
        width = layer.num_heads * layer.head_dim
        projected = self._buffer("projected", 3 * width)
        normed = self._norm(block.ln1, hidden)
        parts = np.split(projected, 3, axis=-1)
        matrix = attention_matrix(layer)
        if matrix is not None:
            self._write("matmul", (normed, matrix), projected)
        for number, (linear, part) in enumerate(zip((layer.q_proj, layer.k_proj, layer.v_proj), parts, strict=True)):
            if matrix is None:
                self._copy(self._linear(linear, normed, f"part {number}"), part)
            elif linear.bias is not None:
                self._write("add", (part, linear.bias.data), part)
        heads = projected.reshape(*self._shape, 3, layer.num_heads, layer.head_dim)
        self._write("hold", (heads, values, self._start), keys)
        attended = self._buffer("attended", width)
        self._write("attend", (heads, keys, values, self._start), attended)
        self._add(self._linear(layer.out_proj, attended, "outer"), hidden)

    def _norm(self, norm: LayerNorm, inputs: Array) -> Array:
        output = self._buffer("normed", inputs.shape[-1], inputs.shape[1])
        if self._centred:
            self._write("root_mean_square", (inputs,), output, epsilon=norm.eps)
        else:
            self._write("normalize", (inputs,), output, axis=-1, epsilon=norm.eps)
        if (norm.gamma.data != 1).any():
            self._write("mul", (output, norm.gamma.data), output)
        if norm.beta.data.any():
            self._write("add", (output, norm.beta.data), output)
        return output

    def _linear(self, layer: Linear | TiedHead, inputs: Array, name: str) -> Array:
        output = self._buffer(name, layer.out_features, inputs.shape[1])
        if type(layer) is not Linear or type(layer.weight) is not Tensor:
            self.instructions.append(Instruction(LAYER, (inputs,), output, {}, layer))
        elif layer.bias is None:
            self._write("matmul", (inputs, layer.weight.data), output)
        else:
            self._write("linear", (inputs, layer.weight.data, layer.bias.data), output)
        return output

    def _add(self, addend: Array, total: Array) -> None:
        self._write("add", (total, addend), total)

    def _copy(self, source: Array, target: Array) -> None:
        self._write("reshape", (source,), target, shape=target.shape)

    def _write(self, name: str, inputs: tuple[Any, ...], output: Array, **options: Any) -> None:
        self.instructions.append(Instruction(name, inputs, output, options))

    def _buffer(self, name: str, size: int, count: int | None = None) -> Array:
        """The buffer (N, T, size) of that name, or (N, count, size)."""
        shape = (self._shape[0], self._shape[1] if count is None else count, size)
        key = f"{name} {shape}"
        if key not in self._buffers:
            self._buffers[key] = np.empty(shape, np.float32)
        return self._buffers[key]


def _table(layer: Any) -> Any:
    """Rows of an embedding, as an array or compact."""
    return layer.weight.data if type(layer.weight) is Tensor else layer.weight


def is_centred(gpt: GPT) -> bool:
    """Whether all that is added to the residual stream has mean zero, as `fuse` makes it."""
    tables: list[Any] = [gpt.token_embedding, gpt.position_embedding]
    writers = [linear for block in gpt.blocks for linear in (block.attention.out_proj, block.mlp.linear2)]
    tensors = [layer.weight for layer in (*tables, *writers)] + [
        linear.bias for linear in writers if linear.bias is not None
    ]
    return all(type(tensor) is Tensor and _means_are_zero(tensor.data) for tensor in tensors)


def _means_are_zero(array: Array) -> bool:
    return bool(np.abs(array.mean(axis=-1)).max() <= NEARLY_ZERO * max(1, np.abs(array).max()))
