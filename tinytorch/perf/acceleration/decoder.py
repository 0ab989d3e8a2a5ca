"""Models that generate by plans: the prompt some tokens at a time, then token after token, keys and values kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from tinytorch.core.arguments import Rng
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.model import Backend, find_layers
from tinytorch.core.ops import Array
from tinytorch.core.sampling import Sampling, continued
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, checked_prompt
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration.backends import calls_of
from tinytorch.perf.acceleration.decoding import ROOT_MEAN_SQUARE, Cache, attentions_of, trace_next
from tinytorch.perf.acceleration.moved import PlanWork, work_of
from tinytorch.perf.acceleration.plan import Plan, make_plan
from tinytorch.perf.acceleration.simplify import simplified
from tinytorch.perf.acceleration.trace import Trace, TracedCall

NEARLY_ZERO = 1e-6
LIKELIEST = Sampling(temperature=0)
AT_ONCE = 16  # tokens of a prompt: more take more memory, and hardly less time


class Decoder:
    """Generates with a model from tokens (N, T) to scores (N, T, vocabulary); fused and laid out is fastest.

    It keeps two plans, for a part of a prompt and for one token, whose memory is one, and a cache of the last batch
    size and length, whose numbers have 32 or 8 `bits`. Raises UsageError for a model without one embedding of tokens
    and one of positions.
    """

    def __init__(self, model: Any, backend: Backend, bits: int = 32) -> None:
        self.model, self._backend, self.bits = model, backend, bits
        self.vocab_size, self.context = _sizes(model)
        self._is_centred = isinstance(model, GPT) and is_centred(model)
        self._cache = Cache(attentions_of(model), 0, 0, bits)
        self._passes: dict[int, Pass] = {}

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
        prompt = checked_prompt(prompt_tokens, self.vocab_size, new_tokens, self.context)
        rows = prompt if prompt.ndim == 2 else prompt[None]
        self.begin(len(rows), rows.shape[1], new_tokens)
        return continued(prompt, new_tokens, sampling, self.scores_after, rng, stop)

    def begin(self, samples: int, prompt_length: int, new_tokens: int) -> None:
        """Forget what was held, and be ready for sequences of such lengths."""
        if self._cache.shape != (samples, prompt_length + new_tokens):
            self._passes = {}  # they give their memory back first
            self._cache = Cache(attentions_of(self.model), samples, prompt_length + new_tokens, self.bits)
        for new in (AT_ONCE, 1):
            if prompt_length >= new and new not in self._passes:
                self._passes[new] = self._pass(new)
        self._cache.forget()
        self._held = 0

    def scores_after(self, sequence: Array) -> Array:
        """Scores (N, vocabulary) of what follows a sequence (N, T), which begins as the last one did."""
        scores = np.empty(0, np.float32)
        while self._held < sequence.shape[1]:
            new = max(count for count in self._passes if self._held + count <= sequence.shape[1])
            scores = self._passes[new].scores_after(sequence[:, self._held : self._held + new], self._held)
            self._held += new
        return scores

    def work(self, samples: int, prompt_length: int, new_tokens: int) -> PlanWork:
        """What all passes of a generation do at least; what they do with its cache is left out."""
        self.begin(samples, prompt_length, new_tokens)
        parts, single = divmod(prompt_length, AT_ONCE)
        found = {}
        for new in self._passes:
            plan = self._plan(new, np.zeros(1, np.int64), None)
            found[new] = work_of(plan, self._backend)
        return found.get(AT_ONCE, PlanWork()).times(parts).plus(found[1].times(single + new_tokens - 1))

    def release(self) -> None:
        """Give the memory of plans and cache back."""
        self._passes, self._cache = {}, Cache(attentions_of(self.model), 0, 0, self.bits)

    def _pass(self, new: int) -> Pass:
        within = next((each.memory for each in self._passes.values()), None)
        start = np.zeros(1, np.int64)
        return Pass(self._plan(new, start, within), start, self._backend)

    def _plan(self, new: int, start: Array, within: Array | None) -> Plan:
        """What is done with so many tokens, from the position start[0] on."""
        tokens = np.zeros((self._cache.shape[0], new), np.int64)
        traced = simplified(trace_next(self.model, tokens, self._cache, start))
        return make_plan(without_means(traced) if self._is_centred else traced, within=within)


class Pass:
    """What computes scores (N, vocabulary) from the next tokens (N, new): calls over memory that is there before."""

    def __init__(self, plan: Plan, start: Array, backend: Backend) -> None:
        self._start = start
        self._tokens, self._scores, self.memory = plan.inputs, plan.output[:, 0], plan.memory
        self._calls = calls_of(plan.instructions, backend)

    def scores_after(self, tokens: Array, start: int) -> Array:
        """Scores of what follows tokens (N, new), the first of which stands at `start`; valid until the next call."""
        self._tokens[...] = tokens
        self._start[0] = start
        for call in self._calls:
            call()
        return self._scores


def _sizes(model: Any) -> tuple[int, int]:
    """How many tokens and how many positions a model knows."""
    layers = find_layers(model)
    tokens = [layer.vocab_size for layer in layers if type(layer) is Embedding]
    positions = [layer.max_seq_len for layer in layers if type(layer) is PositionalEncoding]
    if len(tokens) != 1 or len(positions) != 1:
        raise UsageError("a model needs one Embedding and one PositionalEncoding to generate by a plan")
    return tokens[0], positions[0]


def without_means(trace: Trace) -> Trace:
    """The same for a model in whose vectors all means are zero: none is taken off."""
    return replace(trace, steps=[_without_mean(step) for step in trace.steps])


def _without_mean(step: TracedCall) -> TracedCall:
    if step.name != "normalize":
        return step
    return TracedCall(ROOT_MEAN_SQUARE, step.inputs, step.output, {"epsilon": step.options["epsilon"]})


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
