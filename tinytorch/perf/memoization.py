"""Memoization: keys and values of tokens seen before are kept, so that each new token is computed once (module 17).

Without it, generating G tokens after a prompt of P runs the whole sequence through the model G times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, current_thread
from typing import Any, Literal, Self, TypeVar
from zlib import crc32

import numpy as np

from tinytorch.core.arguments import whole
from tinytorch.core.compact import coded_vectors
from tinytorch.core.layers import Layer, find_layers
from tinytorch.core.model import parameters_of
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor, concatenate
from tinytorch.core.transformers import GPT
from tinytorch.errors import RangeError, ShapeError, UsageError
from tinytorch.units import BYTES_PER_MEBIBYTE

AnyLayer = TypeVar("AnyLayer", bound=Layer)


class _Turn:
    """The turn of one sequence: what somebody else wrote meanwhile would stand in the middle of it."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise UsageError(
                f"the thread {current_thread().name!r} wants a KV cache that is in use, by another thread or around it",
                mend="give each thread a copy of the model: copy.deepcopy(model)",
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class KVCache:
    """Keys and values of every layer, in buffers (batch_size, num_heads, max_seq_len, head_dim) that are there before.

    A step updates all layers at the position `seq_pos`, then advances it. A GPT that has one as its `memory` does both;
    it may bring another batch size, or other heads, when the cache is empty: buffers are then made anew. Pickles and
    copies carry no buffers. With 8 `bits` keys and values are kept as int8, each vector with a step of its own, in
    little more than a quarter of the memory. With `keep_prefix` a generation goes on from what its prompt has in common
    with the one before: where many prompts begin alike, that is read once. Raises UsageError for sizes below 1, and for
    other bits than 32 and 8.
    """

    is_passing = True  # nothing of it belongs into the state of a model
    is_staying = False

    def __init__(
        self,
        batch_size: int,
        max_seq_len: int,
        num_layers: int,
        num_heads: int,
        head_dim: int,
        bits: Literal[32, 8] = 32,
        keep_prefix: bool = False,
    ) -> None:
        for size in (batch_size, max_seq_len, num_layers, num_heads, head_dim):
            whole("a KV cache needs its sizes", size, 1)
        if bits not in (32, 8):
            raise UsageError(f"a KV cache needs bits: 32 or 8 bits for each number, not {bits!r}")
        self.batch_size, self.max_seq_len, self.num_layers = batch_size, max_seq_len, num_layers
        self.num_heads, self.head_dim = num_heads, head_dim
        self.seq_pos = 0
        self.bits, self.keep_prefix = bits, keep_prefix
        self._prompt: Array | None = None
        self._weights: int | None = None  # checksum of those that computed what is held
        self._turn = _Turn()
        kind = LayerCache if bits == 32 else CodedLayerCache
        self.layers = [kind(self, number, num_layers) for number in range(num_layers)]
        for layer in self.layers:
            layer.allocate((batch_size, num_heads, max_seq_len, head_dim), np.float32)

    def update(self, layer_idx: int, key: Tensor, value: Tensor) -> None:
        """Write (N, heads, T, head_dim) of one layer from `seq_pos` on; what is there is written over.

        What is kept has no gradient. Raises RangeError for a layer that there is not, ShapeError for what does not fit
        the buffers, UsageError beyond `max_seq_len`.
        """
        self._layer(layer_idx).write(key, value)

    def get(self, layer_idx: int) -> tuple[Tensor, Tensor]:
        """Views (N, heads, T, head_dim) of all keys and values of one layer, also of those before `advance`."""
        return self._layer(layer_idx).held()

    def advance(self, count: int = 1) -> None:
        """The next keys and values stand `count` positions later; UsageError for a count below 0."""
        self.seq_pos += whole("a KV cache advances by a count", count, 0)

    def reset(self) -> None:
        """Forget everything: another sequence comes next. The buffers stay."""
        self._keep(0)
        self._prompt = None

    def _keep(self, length: int) -> None:
        """Forget all but the first positions."""
        self.seq_pos = length
        for layer in self.layers:
            layer.length = length

    @contextmanager
    def generation(self) -> Iterator[Self]:
        """For one sequence: the cache is empty before and afterwards."""
        self.reset()
        try:
            yield self
        finally:
            self.reset()

    @contextmanager
    def staying(self) -> Iterator[None]:
        """For one pass, whose keys and values are written where the cache stands: `advance` is the caller's.

        What it holds then is no longer what a generation left, and none goes on from there.
        """
        with self._turn:
            before, self._prompt, self.is_staying = self.seq_pos, None, True
            try:
                yield
            finally:
                self.seq_pos, self.is_staying = before, False

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers; 0 in a loaded cache before its first use."""
        return sum(layer.nbytes for layer in self.layers)

    def get_memory_usage(self) -> dict[str, float]:
        """`total_mb`, `per_layer_mb` (MiB, 2^20 bytes), `cache_tensors` (their number) and `total_elements`."""
        buffers = [buffer for layer in self.layers for buffer in layer.buffers]
        total_mb = self.nbytes / BYTES_PER_MEBIBYTE
        return {
            "total_mb": total_mb,
            "per_layer_mb": total_mb / len(self.layers),
            "cache_tensors": len(buffers),
            "total_elements": sum(buffer.size for buffer in buffers),
        }

    @property
    def length(self) -> int:
        """Number of positions held by every layer."""
        return self.seq_pos

    @contextmanager
    def generating(self, prompt: Array, gpt: Any) -> Iterator[None]:
        """While a GPT goes on from a prompt (N, T): `reset` before, or with `keep_prefix` keep what it begins with.

        What was computed by other weights than the GPT has now is forgotten. UsageError where another thread generates.
        """
        with self._turn:
            self._start(prompt, gpt)
            yield

    def _start(self, prompt: Array, gpt: Any) -> None:
        if not self.keep_prefix:
            self.reset()
            return
        weights, (before, seen) = _checksum(gpt), (self._weights, self._prompt)
        shared = _in_common(seen, prompt) if seen is not None and before == weights else 0
        self._keep(min(shared, self.seq_pos))
        self._prompt, self._weights = prompt.copy(), weights

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "seq_pos": 0, "_prompt": None, "_weights": None, "_turn": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({**state, "_turn": _Turn()})

    def _layer(self, number: int) -> LayerCache:
        if not 0 <= number < len(self.layers):
            raise RangeError(f"a layer of this KV cache must lie in 0..{len(self.layers) - 1}, not {number}")
        return self.layers[number]


class LayerCache:
    """One layer's part of a cache, which an attention extends; the last of all layers advances."""

    def __init__(self, cache: KVCache, number: int, num_layers: int) -> None:
        self.length = 0  # positions written
        self.buffers: tuple[Array, ...] = ()
        self._cache = cache
        self._is_last = number == num_layers - 1

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append (N, heads, T, head_dim); views of all keys and all values so far.

        Where whoever calls advances the cache, the new ones are handed on as they are, with the gradient that they may
        have; what was written before has none.
        """
        shape = (*keys.shape[:2], self._cache.max_seq_len, keys.shape[3])
        is_other = not self.buffers or self.buffers[0].shape != shape or not self._has_type(keys.dtype)
        if is_other and not self._cache.seq_pos:
            self.allocate(shape, keys.dtype)
        start = self._cache.seq_pos
        self.write(keys, values)
        if self._is_last:
            self._cache.advance(keys.shape[2])
        if not (self._cache.is_staying or keys.requires_grad or values.requires_grad):
            return self.held()
        if not start:
            return keys, values
        before = [Tensor(held.data[:, :, :start]) for held in self.held()]
        return concatenate([before[0], keys], axis=2), concatenate([before[1], values], axis=2)

    def _has_type(self, dtype: Any) -> bool:
        """Whether the buffers are for numbers of that type."""
        return self.buffers[0].dtype in (dtype, np.int8)

    def write(self, keys: Tensor, values: Tensor) -> None:
        """From the cache's position on."""
        start, most = self._cache.seq_pos, self._cache.max_seq_len
        end = start + keys.shape[2] if keys.ndim == 4 else start
        if end > most:
            raise UsageError(
                f"the KV cache holds {start} positions of {most}: {end - start} more do not fit",
                mend="generate fewer tokens, or build the model with a larger max_seq_len",
            )
        if start > self.length:
            mend = "call the model with start_pos=cache.seq_pos before each advance(), or reset() the cache"
            raise UsageError(f"the KV cache stands at {start}, and {self.length} positions were written", mend=mend)
        for buffer, new in zip(self.buffers, (keys, values), strict=True):
            if new.shape != (*buffer.shape[:2], end - start, buffer.shape[3]):
                raise ShapeError(f"a KV cache of {buffer.shape} needs (N, heads, T, head_dim) alike, got {new.shape}")
        self.put(start, end, keys.data, values.data)
        self.length = end

    def put(self, start: int, end: int, keys: Array, values: Array) -> None:
        """Write what fits into the buffers."""
        for buffer, new in zip(self.buffers, (keys, values), strict=True):
            buffer[:, :, start:end] = new

    def held(self) -> tuple[Tensor, Tensor]:
        """Views of what was written."""
        keys, values = (Tensor(buffer[:, :, : self.length]) for buffer in self.buffers)
        return keys, values

    def allocate(self, shape: Shape, dtype: Any) -> None:
        """New buffers."""
        self.buffers = (np.zeros(shape, dtype), np.zeros(shape, dtype))

    @property
    def nbytes(self) -> int:
        """Bytes of both buffers."""
        return sum(buffer.nbytes for buffer in self.buffers)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "length": 0, "buffers": ()}


class CodedLayerCache(LayerCache):
    """The same in int8: codes (N, heads, max_seq_len, head_dim) of keys and values, and a step for each vector."""

    def __init__(self, cache: KVCache, number: int, num_layers: int) -> None:
        super().__init__(cache, number, num_layers)
        self.steps: tuple[Array, ...] = ()

    def put(self, start: int, end: int, keys: Array, values: Array) -> None:
        """Codes of both."""
        for codes, steps, new in zip(self.buffers, self.steps, (keys, values), strict=True):
            codes[:, :, start:end], steps[:, :, start:end, 0] = coded_vectors(new)

    def held(self) -> tuple[Tensor, Tensor]:
        """What the codes stand for, made anew."""
        keys, values = (
            Tensor(codes[:, :, : self.length] * steps[:, :, : self.length])
            for codes, steps in zip(self.buffers, self.steps, strict=True)
        )
        return keys, values

    def allocate(self, shape: Shape, dtype: Any) -> None:
        """New buffers."""
        self.buffers = (np.zeros(shape, np.int8), np.zeros(shape, np.int8))
        self.steps = tuple(np.zeros((*shape[:-1], 1), np.float32) for _ in self.buffers)

    @property
    def nbytes(self) -> int:
        """Bytes of codes and steps."""
        return sum(array.nbytes for array in (*self.buffers, *self.steps))

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "steps": ()}


def _checksum(model: Any) -> int:
    """CRC-32 of all parameters."""
    found = 0
    for parameter in parameters_of(model):
        found = crc32(parameter.data.tobytes(), found)
    return found


def _in_common(before: Array, prompt: Array) -> int:
    """With how many equal tokens two prompts (N, T) begin; of the new one the last is always read."""
    if len(before) != len(prompt):
        return 0
    length = min(before.shape[1], prompt.shape[1] - 1)
    differs = (before[:, :length] != prompt[:, :length]).any(axis=0)
    return int(differs.argmax()) if differs.any() else length


def create_kv_cache(batch_size: int, max_seq_len: int, num_layers: int, num_heads: int, head_dim: int) -> KVCache:
    """A new `KVCache`."""
    return KVCache(batch_size, max_seq_len, num_layers, num_heads, head_dim)


def enable_kv_cache(model: Layer, bits: Literal[32, 8] = 32, keep_prefix: bool = False) -> KVCache:
    """Let the GPT in `model` generate with a cache, which is returned; it answers the same tokens.

    With 8 `bits` nearly the same; `keep_prefix` is the cache's. A GPT that has such a cache keeps it. Raises UsageError
    for a model without a GPT, or with several: `with_kv_cache`.
    """
    first, *others = _gpts(model)
    if others:
        raise UsageError(f"{type(model).__qualname__} has several GPTs", mend="use with_kv_cache(model)")
    return _remembering(first, bits, keep_prefix)


def with_kv_cache(model: AnyLayer, bits: Literal[32, 8] = 32, keep_prefix: bool = False) -> AnyLayer:
    """The same model, every GPT in which generates with a cache of its own; UsageError when there is none."""
    for gpt in _gpts(model):
        _remembering(gpt, bits, keep_prefix)
    return model


def disable_kv_cache(model: AnyLayer) -> AnyLayer:
    """Take the caches, and their memory, away again; UsageError for a model without a GPT."""
    for gpt in _gpts(model):
        gpt.memory = None
    return model


def _remembering(gpt: GPT, bits: Literal[32, 8], keep_prefix: bool) -> KVCache:
    found = gpt.memory
    if not isinstance(found, KVCache) or (found.bits, found.keep_prefix) != (bits, keep_prefix):
        attention = gpt.blocks[0].attention
        sizes = (1, gpt.max_seq_len, gpt.num_layers, attention.num_heads, attention.head_dim)
        found = gpt.memory = KVCache(*sizes, bits=bits, keep_prefix=keep_prefix)
    return found


def _gpts(model: Layer) -> list[GPT]:
    found = [layer for layer in find_layers(model) if isinstance(layer, GPT)]
    if not found:
        raise UsageError(f"a KV cache needs a GPT to keep the keys and values of; {type(model).__qualname__} has none")
    return found
