"""Memoization: keys and values of tokens seen before are kept, so that each new token is computed once (module 17).

Without it, generating G tokens after a prompt of P runs the whole sequence through the model G times.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from tinytorch.core.layers import Layer
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT
from tinytorch.errors import UsageError

AnyLayer = TypeVar("AnyLayer", bound=Layer)


class LayerCache:
    """Keys and values of one attention layer, in two buffers (N, heads, max_seq_len, head_dim).

    They are allocated once for a batch size, of the type and sizes that the first keys and values have. Pickles and
    copies carry no buffers.
    """

    def __init__(self, max_seq_len: int) -> None:
        self.max_seq_len = max_seq_len
        self.length = 0
        self._keys: Array | None = None
        self._values: Array | None = None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append (N, heads, T, head_dim); views of all keys and all values so far.

        Raises UsageError beyond `max_seq_len`, and while a graph for training is recorded.
        """
        if keys.requires_grad or values.requires_grad:
            raise UsageError("a KV cache cannot be trained through", mend="wrap inference in no_grad()")
        end = self.length + keys.shape[2]
        if end > self.max_seq_len:
            raise UsageError(
                f"the KV cache holds {self.length} positions of {self.max_seq_len}: {keys.shape[2]} more do not fit",
                mend="generate fewer tokens, or build the model with a larger max_seq_len",
            )
        self._keys = _fitting(self._keys, keys.data, self.max_seq_len)
        self._values = _fitting(self._values, values.data, self.max_seq_len)
        self._keys[:, :, self.length : end] = keys.data
        self._values[:, :, self.length : end] = values.data
        self.length = end
        return Tensor(self._keys[:, :, :end]), Tensor(self._values[:, :, :end])

    @property
    def nbytes(self) -> int:
        """Bytes of both buffers."""
        return sum(buffer.nbytes for buffer in (self._keys, self._values) if buffer is not None)

    def __getstate__(self) -> dict[str, Any]:
        return {"max_seq_len": self.max_seq_len, "length": 0, "_keys": None, "_values": None}


class KVCache:
    """The memory of a whole GPT: one LayerCache for each of its blocks."""

    def __init__(self, num_layers: int, max_seq_len: int) -> None:
        self.layers = [LayerCache(max_seq_len) for _ in range(num_layers)]

    @property
    def length(self) -> int:
        """Number of positions held."""
        return self.layers[-1].length

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers: for float32 8 * N * embed_dim * max_seq_len per layer; 0 before the first use."""
        return sum(layer.nbytes for layer in self.layers)

    def start(self) -> None:
        """Forget everything: another sequence comes next. The buffers stay."""
        for layer in self.layers:
            layer.length = 0


def enable_kv_cache(model: AnyLayer) -> AnyLayer:
    """Let every GPT in `model` generate with a KVCache; the same model, which answers the same tokens.

    A GPT that has a cache keeps it. Raises UsageError for a model without a GPT.
    """
    for gpt in _gpts(model):
        gpt.memory = gpt.memory or KVCache(len(gpt.blocks), gpt.max_seq_len)
    return model


def disable_kv_cache(model: AnyLayer) -> AnyLayer:
    """Take the caches, and their memory, away again; UsageError for a model without a GPT."""
    for gpt in _gpts(model):
        gpt.memory = None
    return model


def _gpts(model: Layer) -> list[GPT]:
    found = [layer for layer in model.walk() if isinstance(layer, GPT)]
    if not found:
        raise UsageError(f"a KV cache needs a GPT to keep the keys and values of; {type(model).__qualname__} has none")
    return found


def _fitting(buffer: Array | None, arrays: Array, max_seq_len: int) -> Array:
    """`buffer` if it suits `arrays` (N, heads, T, head_dim), else a new one."""
    shape = (*arrays.shape[:2], max_seq_len, arrays.shape[3])
    if buffer is not None and buffer.shape == shape and buffer.dtype == arrays.dtype:
        return buffer
    return np.empty(shape, arrays.dtype)
