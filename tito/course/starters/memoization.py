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
        """Write one position (batch, heads, 1, head_dim) of a layer, where the cache is; ValueError when it is full."""
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
    """Make a GPT use a cache, which is returned. Its tokens must stay exactly the same.

    Either in model.generate, or when it is called with one token after the other:
        model(token, start_pos=cache.seq_pos); cache.advance()
    Ours has model.blocks, each with an attention (num_heads, head_dim, q_proj, k_proj, v_proj, out_proj) that is called
    with (x, mask), and model.max_seq_len. You may put an attention of your own in its place.
    """
    raise NotImplementedError("enable_kv_cache")


def disable_kv_cache(model):
    raise NotImplementedError("disable_kv_cache")
