"""Module 17 (18 in the newer edition): keys and values that are kept, the KV cache.

Without it the token number n computes keys and values of all n - 1 before it once more.
Test it:  tito module test memoization
"""

import numpy as np

from tinytorch.core.tensor import Tensor


class KVCache:
    """Room for max_seq_len positions in every layer, made at once: (batch, heads, positions, head_dim)."""

    def __init__(self, batch_size, max_seq_len, num_layers, num_heads, head_dim):
        self.seq_pos = 0
        raise NotImplementedError("KVCache(...)")

    def update(self, layer_idx, key, value):
        """Write one position (batch, heads, 1, head_dim) of a layer, where the cache is now."""
        raise NotImplementedError("update")

    def get(self, layer_idx):
        """(keys, values) of all positions so far."""
        raise NotImplementedError("get")

    def advance(self):
        """On to the next position, when all layers have written theirs."""
        raise NotImplementedError("advance")

    def reset(self):
        raise NotImplementedError("reset")

    def get_memory_usage(self):
        """A dict with total_mb and per_layer_mb, in MiB."""
        raise NotImplementedError("get_memory_usage")


def enable_kv_cache(model):
    """Make a GPT generate with a cache, which is returned. Its tokens must stay exactly the same."""
    raise NotImplementedError("enable_kv_cache")


def disable_kv_cache(model):
    raise NotImplementedError("disable_kv_cache")
