"""The cache of keys and values changes the speed of a generation and nothing else."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tinytorch.core.layers import Linear
from tinytorch.core.transformers import GPT
from tinytorch.errors import UsageError
from tinytorch.perf.memoization import KVCache, disable_kv_cache, enable_kv_cache


def small_gpt() -> GPT:
    return GPT(7, 8, 2, 2, max_seq_len=12, rng=np.random.default_rng(0))


@pytest.mark.parametrize("temperature", [0.0, 1.5])
@pytest.mark.parametrize("prompt", [[3], [1, 2, 3, 4], [[1, 2], [5, 6]]])
def test_tokens_are_the_same_with_and_without(prompt: list[object], temperature: float) -> None:
    plain, cached = (
        model.generate(prompt, 8, temperature, np.random.default_rng(1)).data
        for model in (small_gpt(), enable_kv_cache(small_gpt()))
    )

    np.testing.assert_array_equal(plain, cached)


def test_a_second_generation_starts_anew() -> None:
    gpt = enable_kv_cache(small_gpt())

    np.testing.assert_array_equal(gpt.generate([1, 2], 5, 0).data, gpt.generate([1, 2], 5, 0).data)


def test_the_cache_holds_both_buffers_of_every_layer() -> None:
    gpt = enable_kv_cache(small_gpt())
    gpt.generate([1], 2)

    assert isinstance(gpt.memory, KVCache)
    assert gpt.memory.nbytes == 2 * (2 * 8 * 12 * 4)


def test_a_pickle_carries_no_buffers() -> None:
    gpt = enable_kv_cache(small_gpt())
    gpt.generate([1], 2)

    assert pickle.loads(pickle.dumps(gpt)).memory.nbytes == 0


def test_disabling_takes_the_memory_away() -> None:
    assert disable_kv_cache(enable_kv_cache(small_gpt())).memory is None


def test_training_through_a_cache_is_refused() -> None:
    gpt = small_gpt()
    with pytest.raises(UsageError, match="cannot be trained through"):
        gpt(np.array([[1]]), memory=KVCache(2, 12))


def test_a_model_without_a_gpt_is_refused() -> None:
    with pytest.raises(UsageError, match="Linear has none"):
        enable_kv_cache(Linear(2, 2))


def test_a_memory_holds_the_context_and_no_more() -> None:
    gpt = enable_kv_cache(small_gpt())
    assert gpt.generate([1], 12).shape == (13,)  # the last token is never looked at
    with pytest.raises(UsageError, match="memory of 12"):
        gpt.generate([1], 13)
