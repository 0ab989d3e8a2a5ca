"""What the course promises of module 17 (18 in the newer edition), whoever wrote it."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from tinytorch.core.embeddings import Embedding
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
            made.update(layer, vectors(value + 10 * layer), vectors(-value))
        made.advance()
    return made


def test_what_was_put_in_comes_out_in_order() -> None:
    keys, values = filled().get(1)

    assert keys.shape == (1, 2, 3, 4)
    np.testing.assert_array_equal(np.asarray(keys.data)[0, 0, :, 0], [11, 12, 13])
    np.testing.assert_array_equal(np.asarray(values.data)[0, 0, :, 0], [-1, -2, -3])


def test_layers_do_not_share_what_they_keep() -> None:
    np.testing.assert_array_equal(np.asarray(filled().get(0)[0].data)[0, 0, :, 0], [1, 2, 3])


def test_what_is_put_in_is_copied() -> None:
    made, keys = cache(), vectors(1.0)
    made.update(0, keys, keys)
    made.advance()
    np.asarray(keys.data)[:] = 7

    assert np.asarray(made.get(0)[0].data).max() == 1


def test_after_a_reset_nothing_is_left() -> None:
    made = filled()
    made.reset()
    for layer in (0, 1):
        made.update(layer, vectors(9.0), vectors(9.0))
    made.advance()

    assert np.asarray(made.get(1)[0].data)[0, 0, :, 0].tolist() == [9]


def test_samples_of_a_batch_are_kept_apart() -> None:
    made = KVCache(batch_size=2, max_seq_len=4, num_layers=1, num_heads=2, head_dim=4)
    keys = Tensor(np.stack([np.full((2, 1, 4), 1.0), np.full((2, 1, 4), 2.0)]))
    made.update(0, keys, keys)
    made.advance()

    np.testing.assert_array_equal(np.asarray(made.get(0)[0].data), keys.data)


def test_more_than_there_is_room_for_is_refused() -> None:
    made = cache()
    for _ in range(8):
        for layer in (0, 1):
            made.update(layer, vectors(1.0), vectors(1.0))
        made.advance()
    with pytest.raises((ValueError, IndexError, AssertionError)):
        made.update(0, vectors(1.0), vectors(1.0))


def test_a_layer_s_memory_is_its_part() -> None:
    usage = cache().get_memory_usage()

    assert abs(2 * usage["per_layer_mb"] / usage["total_mb"] - 1) < 0.01


def test_it_knows_where_it_is() -> None:
    made = filled()
    assert made.seq_pos == 3
    made.reset()
    assert made.seq_pos == 0


def test_its_memory_is_there_from_the_beginning() -> None:
    expected = 2 * 2 * 8 * 2 * 4 * 4 / 2**20  # keys and values, layers, positions, heads, width, bytes

    assert abs(cache().get_memory_usage()["total_mb"] / expected - 1) < 0.1


def gpt() -> GPT:
    return GPT(vocab_size=11, embed_dim=16, num_layers=2, num_heads=2, max_seq_len=32, rng=0)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens were looked at, by whatever model, each time."""
    counts: list[int] = []
    forward = Embedding.forward

    def counting(self: Embedding, tokens: Tensor) -> Tensor:
        counts.append(np.asarray(tokens.data).size)
        return forward(self, tokens)

    monkeypatch.setattr(Embedding, "forward", counting)
    return counts


def step_by_step(model: GPT, cache: KVCache) -> list[np.ndarray]:
    """The last scores for each token of the prompt, given one at a time."""
    cache.reset()
    found = []
    with cache.generation() if hasattr(cache, "generation") else nullcontext():
        for position in range(PROMPT.shape[1]):
            scores = model(Tensor(PROMPT[:, position : position + 1]), start_pos=position)
            cache.advance()
            found.append(np.array(scores.data)[0, -1])
    return found


def test_with_a_cache_every_token_is_looked_at_once(seen: list[int]) -> None:
    """By generate(), or by whoever gives the model one token after the other: both are a cache."""
    model = gpt()
    expected = np.array(model(Tensor(PROMPT)).data)[0]
    cache = enable_kv_cache(model)
    seen.clear()
    model.generate(Tensor(PROMPT), max_new_tokens=8, temperature=1e-4)
    is_generated_once = sum(seen) <= 3 + 8  # without one they are 3 + 4 + ... + 10

    assert is_generated_once or np.allclose(step_by_step(model, cache), expected, atol=1e-4)


def test_a_second_text_does_not_remember_the_first() -> None:
    model = gpt()
    plain = np.array(model.generate(Tensor(PROMPT), max_new_tokens=8, temperature=1e-4).data)
    enable_kv_cache(model)
    model.generate(Tensor(PROMPT[:, ::-1]), max_new_tokens=5, temperature=1e-4)

    np.testing.assert_array_equal(model.generate(Tensor(PROMPT), max_new_tokens=8, temperature=1e-4).data, plain)


def test_a_model_writes_the_same_with_and_without() -> None:
    model = gpt()
    plain = np.array(model.generate(Tensor(PROMPT), max_new_tokens=8, temperature=1e-4).data)
    enable_kv_cache(model)
    cached = np.array(model.generate(Tensor(PROMPT), max_new_tokens=8, temperature=1e-4).data)
    disable_kv_cache(model)

    np.testing.assert_array_equal(plain, cached)
