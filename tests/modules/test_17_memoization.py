"""What the course promises of module 17 (18 in the newer edition), whoever wrote it."""

from __future__ import annotations

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT
from tinytorch.perf.memoization import KVCache, disable_kv_cache, enable_kv_cache

PROMPT = np.array([[1, 5, 2]])


def cache() -> KVCache:
    return KVCache(batch_size=1, max_seq_len=8, num_layers=2, num_heads=2, head_dim=4)


def vectors(value: float) -> Tensor:
    return Tensor(np.full((1, 2, 1, 4), value))


def filled() -> KVCache:
    made = cache()
    for value in (1.0, 2.0, 3.0):
        for layer in (0, 1):
            made.update(layer, vectors(value), vectors(-value))
        made.advance()
    return made


def test_what_was_put_in_comes_out_in_order() -> None:
    keys, values = filled().get(1)

    assert keys.shape == (1, 2, 3, 4)
    np.testing.assert_array_equal(np.asarray(keys.data)[0, 0, :, 0], [1, 2, 3])
    np.testing.assert_array_equal(np.asarray(values.data)[0, 0, :, 0], [-1, -2, -3])


def test_it_knows_where_it_is() -> None:
    made = filled()
    assert made.seq_pos == 3
    made.reset()
    assert made.seq_pos == 0


def test_its_memory_is_there_from_the_beginning() -> None:
    expected = 2 * 2 * 8 * 2 * 4 * 4 / 2**20  # keys and values, layers, positions, heads, width, bytes

    assert abs(cache().get_memory_usage()["total_mb"] / expected - 1) < 0.1


def test_a_model_writes_the_same_with_and_without() -> None:
    model = GPT(vocab_size=11, embed_dim=16, num_layers=2, num_heads=2, max_seq_len=32)
    plain = np.array(model.generate(Tensor(PROMPT), max_new_tokens=8, temperature=1e-4).data)
    enable_kv_cache(model)
    cached = np.array(model.generate(Tensor(PROMPT), max_new_tokens=8, temperature=1e-4).data)
    disable_kv_cache(model)

    np.testing.assert_array_equal(plain, cached)
