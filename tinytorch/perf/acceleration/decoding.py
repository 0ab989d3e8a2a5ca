"""What a model does with the next tokens of a sequence, while keys and values of those before are kept.

Any model of our embeddings, positions and attention is traced once for a number of new tokens. Its attention reads and
writes a cache there, and positions are counted from an array that says where the new tokens stand: both may change from
call to call. What such a trace cannot know, that attention looks back alone, is found out by comparing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from tinytorch.core.attention import BLOCKED, MultiHeadAttention
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.model import Layer, find_layers
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor, concatenate
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration.layout import attention_matrix, projections
from tinytorch.perf.acceleration.trace import LAYER, Recorder, Trace, TracedCall, Value, trace

LOOKUP, POSITIONS, ATTEND, ATTEND_CODES = "lookup", "positions", "attend", "attend_codes"  # steps of its own
ROOT_MEAN_SQUARE = "root_mean_square"
EVERY_POSITION_ALONE = (
    "add", "sub", "mul", "div", "neg", "abs", "exp", "log", "sqrt", "tanh", "sigmoid", "relu", "gelu", "linear",
    "matmul", "softmax", "normalize", ROOT_MEAN_SQUARE, LAYER,
)  # fmt: skip


class Cache:
    """For every attention the arrays that its keys and values of N sequences of some length lie in.

    As floats: keys (N, heads, size + 1, length) and values (N, heads, length, size + 1). The further row of keys is 0
    for positions that are held and BLOCKED for others, that of values is 1. In 8 bits: codes of keys (N, heads, size,
    length), of values (N, heads, length, size), and the steps of both (N, heads, length).
    """

    def __init__(self, attentions: list[MultiHeadAttention], samples: int, length: int, bits: int = 32) -> None:
        self.shape, self.bits = (samples, length), bits
        made = _codes if bits == 8 else _floats
        self.arrays = [made((samples, each.num_heads), each.head_dim, length) for each in attentions]

    def forget(self) -> None:
        """Hold nothing."""
        for keys, *_ in self.arrays if self.bits != 8 else ():
            keys[:, :, -1] = BLOCKED


def _floats(heads: Shape, size: int, length: int) -> tuple[Array, ...]:
    keys, values = np.zeros((*heads, size + 1, length), np.float32), np.zeros((*heads, length, size + 1), np.float32)
    values[..., -1] = 1
    return keys, values


def _codes(heads: Shape, size: int, length: int) -> tuple[Array, ...]:
    keys, values = np.zeros((*heads, size, length), np.int8), np.zeros((*heads, length, size), np.int8)
    return keys, values, *(np.zeros((*heads, length), np.float32) for _ in range(2))


def attentions_of(model: Any) -> list[MultiHeadAttention]:
    """All attention in a model, each once."""
    return [layer for layer in find_layers(model) if isinstance(layer, MultiHeadAttention)]


def trace_next(model: Any, tokens: Array, cache: Cache, start: Array) -> Trace:
    """What `model` does with tokens (N, new) that stand at the position start[0] (1,) and after; scores of the last.

    Raises UsageError as `trace` does.
    """

    def methods(recorder: Recorder) -> Mapping[Layer, Callable[..., Any]]:
        found: dict[Layer, Callable[..., Any]] = {
            layer: partial(_attended, recorder, layer, arrays, start)
            for layer, arrays in zip(attentions_of(model), cache.arrays, strict=True)
        }
        for layer in find_layers(model):
            if type(layer) is Embedding:
                found[layer] = partial(_looked_up, recorder, layer)
            if type(layer) is PositionalEncoding:
                found[layer] = partial(_positioned, recorder, layer, start)
        return found

    whole = trace(model, tokens, methods)
    if sum(step.name in (ATTEND, ATTEND_CODES) for step in whole.steps) != len(cache.arrays):
        raise UsageError("a generating plan needs every attention to be used once: each has a cache")
    if whole.output.example.ndim != 3:
        raise UsageError(f"a generating plan needs scores (N, T, vocabulary), not {whole.output.example.shape}")
    return _last_position(whole)


def _looked_up(recorder: Recorder, layer: Embedding, tokens: Tensor) -> Tensor:
    """The `forward` of an embedding, for tokens that are known to be in its table."""
    vectors = Tensor(np.zeros((*tokens.shape, layer.embed_dim), np.float32))
    recorder.add(LOOKUP, (tokens.data,), vectors.data, {"table": _table(layer)})
    return vectors


def _attended(
    recorder: Recorder, layer: MultiHeadAttention, cache: tuple[Array, ...], start: Array, inputs: Tensor, *_: Any
) -> Tensor:
    """An attention's `forward` (N, T, embed_dim), over the cache; masks and memories of others are left out."""
    samples, new = inputs.shape[:2]
    projected = _projected(layer, inputs)
    heads = projected.reshape(samples, new, 3, layer.num_heads, layer.head_dim)
    attended = Tensor(np.zeros((samples, new, layer.num_heads * layer.head_dim), np.float32))
    name = ATTEND if len(cache) == 2 else ATTEND_CODES
    recorder.add(name, (heads.data, *cache, start), attended.data, {})
    outputs: Tensor = layer.out_proj(attended)
    return outputs


def _projected(layer: MultiHeadAttention, inputs: Tensor) -> Tensor:
    """Queries, keys and values side by side (N, T, 3 width), in one product where the weights lie so."""
    matrix = attention_matrix(layer)
    if matrix is None:
        return concatenate([linear(inputs) for linear in projections(layer)], axis=-1)
    projected = inputs @ Tensor(matrix)
    if all(linear.bias is None for linear in projections(layer)):
        return projected
    width = matrix.shape[1] // 3
    biases = [np.zeros(width, np.float32) if linear.bias is None else linear.bias.data for linear in projections(layer)]
    return projected + Tensor(np.concatenate(biases))


def _positioned(recorder: Recorder, layer: PositionalEncoding, start: Array, inputs: Tensor, *others: Any) -> Tensor:
    """The `forward` of positions (N, T, embed_dim), which begin at the start."""
    moved = Tensor(np.zeros_like(inputs.data))
    recorder.add(POSITIONS, (inputs.data, start), moved.data, {"table": _table(layer)})
    return moved


def _table(layer: Embedding | PositionalEncoding) -> Any:
    """Rows of an embedding, as an array or compact."""
    return layer.weight.data if type(layer.weight) is Tensor else layer.weight


def _last_position(whole: Trace) -> Trace:
    """The same for the last position alone, as far back as each position is computed by itself; output (N, 1, ...)."""
    needed = _needed_alone(whole)
    made: dict[Value, Value] = {}
    steps: list[TracedCall] = []

    def last_of(value: Value) -> Value:
        if value not in made:
            made[value] = Value(value.example[:, -1:])
            if value not in needed:
                index = (slice(None), slice(-1, None))
                steps.append(TracedCall("getitem", (value,), made[value], {"index": index}))
        return made[value]

    for step in whole.steps:
        if step.output not in needed:
            steps.append(step)
            continue
        inputs = tuple(last_of(each) if isinstance(each, Value) else each for each in step.inputs)
        steps.append(TracedCall(step.name, inputs, last_of(step.output), step.options, step.layer))
    return Trace(whole.inputs, steps, last_of(whole.output))


def _needed_alone(whole: Trace) -> set[Value]:
    """Values of which only the last position is ever looked at, and that can be computed for it alone."""
    users: dict[Value, list[TracedCall]] = {}
    for step in whole.steps:
        for each in step.inputs:
            if isinstance(each, Value):
                users.setdefault(each, []).append(step)
    needed: set[Value] = set()
    for step in reversed(whole.steps):
        is_last = step.output is whole.output and step.output not in users
        is_last = is_last or (step.output in users and all(user.output in needed for user in users[step.output]))
        if is_last and _is_by_position(step):
            needed.add(step.output)
    return needed


def _is_by_position(step: TracedCall) -> bool:
    """Whether a step makes each position of its output (N, T, ...) of the same position of its inputs."""
    shape = step.output.example.shape
    if step.name not in EVERY_POSITION_ALONE or len(shape) != 3 or step.options.get("axis", -1) not in (-1, 2):
        return False
    if getattr(step.layer, "input_codes", True) is None:  # it rounds by the range of all positions
        return False
    values = [each for each in step.inputs if isinstance(each, Value)]
    constants = [each for each in step.inputs if not isinstance(each, Value)]
    has_rows = step.name in ("matmul", "linear")  # a matrix of weights
    are_rows = all(constant.ndim <= 1 or (has_rows and constant.ndim == 2) for constant in constants)
    return are_rows and all(value.example.shape[:2] == shape[:2] and value.example.ndim == 3 for value in values)
