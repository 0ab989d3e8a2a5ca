"""Module 17 in another style: what is kept grows in lists, and an attention of its own looks at it."""

import numpy as np

from tinytorch.core.attention import scaled_dot_product_attention
from tinytorch.core.tensor import Tensor


class KVCache:
    def __init__(self, batch_size, max_seq_len, num_layers, num_heads, head_dim):
        shape = (num_layers, 2, batch_size, num_heads, max_seq_len, head_dim)
        self.kept, self.seq_pos, self.num_layers = np.zeros(shape, np.float32), 0, num_layers

    def update(self, layer_idx, key, value):
        if self.seq_pos >= self.kept.shape[4]:
            raise ValueError("the cache is full")
        for part, new in zip(self.kept[layer_idx], (key, value)):
            part[:, :, self.seq_pos : self.seq_pos + 1] = new.data

    def get(self, layer_idx, now=0):
        keys, values = self.kept[layer_idx, :, :, :, : self.seq_pos + now]
        return Tensor(keys), Tensor(values)

    def advance(self):
        self.seq_pos += 1

    def reset(self):
        self.seq_pos = 0

    def get_memory_usage(self):
        total = self.kept.nbytes / 2**20
        return {"total_mb": total, "per_layer_mb": total / self.num_layers}


class CachedAttention:
    def __init__(self, attention, cache, layer):
        self.attention, self.cache, self.layer = attention, cache, layer

    def __call__(self, x, mask=None):
        heads, width = self.attention.num_heads, self.attention.head_dim
        projections = (self.attention.q_proj, self.attention.k_proj, self.attention.v_proj)
        q, k, v = (part(x).reshape(1, 1, heads, width).transpose(1, 2) for part in projections)
        self.cache.update(self.layer, k, v)
        output, _ = scaled_dot_product_attention(q, *self.cache.get(self.layer, now=1))
        return self.attention.out_proj(output.transpose(1, 2).reshape(1, 1, heads * width))


def enable_kv_cache(model):
    attention = model.blocks[0].attention
    cache = KVCache(1, model.max_seq_len, len(model.blocks), attention.num_heads, attention.head_dim)
    plain = [block.attention for block in model.blocks]

    def next_scores(token):
        for block, own, layer in zip(model.blocks, plain, range(len(plain))):
            block.attention = CachedAttention(own, cache, layer)
        scores = model.forward(Tensor([[token]]), start_pos=cache.seq_pos).data[0, -1]
        for block, own in zip(model.blocks, plain):
            block.attention = own
        cache.advance()
        return scores

    def generate(prompt_tokens, max_new_tokens=50, temperature=1.0):
        cache.reset()
        tokens = [int(token) for token in np.ravel(prompt_tokens.data)]
        for token in tokens:
            scores = next_scores(token)
        for number in range(max_new_tokens):
            chances = np.exp((np.float64(scores) - scores.max()) / temperature)
            tokens.append(int(np.random.choice(len(scores), p=chances / chances.sum())))
            if number + 1 < max_new_tokens:
                scores = next_scores(tokens[-1])
        return Tensor([tokens])

    model.generate = generate
    return cache


def disable_kv_cache(model):
    del model.generate
