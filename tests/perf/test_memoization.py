"""The cache of keys and values changes the speed of a generation and nothing else."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import GPT
from tinytorch.errors import RangeError, ShapeError, UsageError
from tinytorch.perf.memoization import KVCache, create_kv_cache, disable_kv_cache, enable_kv_cache, with_kv_cache

CONTEXT = 12


def small_gpt() -> GPT:
    return GPT(7, 8, 2, 2, max_seq_len=CONTEXT, rng=np.random.default_rng(0))


def small_cache() -> KVCache:
    return create_kv_cache(batch_size=2, max_seq_len=CONTEXT, num_layers=3, num_heads=2, head_dim=4)


def vectors(count: int, value: float = 1) -> Tensor:
    return Tensor(np.full((2, 2, count, 4), value, np.float32))


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 3),
    length=st.integers(1, CONTEXT),
    temperature=st.sampled_from([0.0, 0.7, 1.5]),
    seed=st.integers(0, 9),
)
def test_tokens_are_the_same_with_and_without(samples: int, length: int, temperature: float, seed: int) -> None:
    prompt = np.random.default_rng(seed).integers(0, 7, (samples, length))
    plain, cached = (
        model.generate(prompt, CONTEXT - length + 1, temperature, np.random.default_rng(seed)).data
        for model in (small_gpt(), with_kv_cache(small_gpt()))
    )

    np.testing.assert_array_equal(plain, cached)


def test_a_second_generation_starts_anew() -> None:
    gpt = with_kv_cache(small_gpt())

    np.testing.assert_array_equal(gpt.generate([1, 2], 5, 0).data, gpt.generate([1, 2], 5, 0).data)


def test_the_buffers_are_there_before_and_count_in_what_a_model_keeps() -> None:
    gpt = small_gpt()
    without = footprint(gpt).kept_bytes
    cache = enable_kv_cache(gpt)
    buffers = 2 * 2 * (8 * CONTEXT * 4)  # two of every layer
    gpt.generate([1], 2)

    assert cache is gpt.memory
    assert cache.nbytes == buffers
    assert footprint(gpt).kept_bytes >= without + buffers


def test_a_pickle_carries_no_buffers_and_starts_anew() -> None:
    gpt = with_kv_cache(small_gpt())
    tokens = gpt.generate([1], 4, 0).data
    loaded = pickle.loads(pickle.dumps(gpt))

    assert loaded.memory.nbytes == copy.deepcopy(gpt).memory.nbytes == loaded.memory.seq_pos == 0
    np.testing.assert_array_equal(loaded.generate([1], 4, 0).data, tokens)


def test_a_model_that_has_a_cache_keeps_it() -> None:
    gpt = small_gpt()

    assert enable_kv_cache(gpt) is enable_kv_cache(gpt)


def test_disabling_takes_the_memory_away() -> None:
    assert disable_kv_cache(with_kv_cache(small_gpt())).memory is None


TOKENS = np.array([[3, 1, 4, 1, 5, 2]])


def test_plain_calls_continue_an_enabled_cache_where_it_stands() -> None:
    gpt = small_gpt()
    expected = gpt(TOKENS).data
    cache = enable_kv_cache(gpt)
    for position in range(TOKENS.shape[1]):
        scores = gpt(TOKENS[:, position : position + 1], start_pos=cache.seq_pos)
        assert cache.seq_pos == position  # whoever calls advances it
        cache.advance()
        np.testing.assert_allclose(scores.data[:, 0], expected[:, position], atol=1e-5)


def test_several_tokens_continue_it_as_well() -> None:
    gpt = small_gpt()
    expected = gpt(TOKENS).data
    cache = enable_kv_cache(gpt)
    gpt(TOKENS[:, :4])
    cache.advance(4)

    np.testing.assert_allclose(gpt(TOKENS[:, 4:], start_pos=4).data, expected[:, 4:], atol=1e-5)


def test_a_plain_call_from_the_beginning_is_one_without_a_cache() -> None:
    gpt = with_kv_cache(small_gpt())
    gpt.generate([1, 2], 3)

    np.testing.assert_array_equal(gpt(TOKENS).data, disable_kv_cache(gpt)(TOKENS).data)


def test_what_was_never_written_is_not_looked_at() -> None:
    gpt = small_gpt()
    cache = enable_kv_cache(gpt)
    gpt.generate([1, 2], 3)
    gpt(TOKENS)  # another text from its beginning, and so without the cache
    cache.advance(6)
    with pytest.raises(UsageError, match="stands at 10, and 4 positions were written"):
        gpt(TOKENS[:, :1], start_pos=cache.seq_pos)


@pytest.mark.parametrize("count", [-1, 2.5, "1"])
def test_a_cache_advances_by_whole_positions(count: object) -> None:
    with pytest.raises(UsageError, match="advances by a count"):
        small_cache().advance(count)


@pytest.mark.parametrize("start", [-1, 2.5])
def test_a_text_begins_at_a_whole_position(start: float) -> None:
    with pytest.raises(UsageError, match="start_pos"):
        small_gpt()(TOKENS, start_pos=start)


def test_a_memory_that_is_given_says_where_tokens_stand() -> None:
    gpt, cache = small_gpt(), KVCache(1, CONTEXT, 2, 2, 4)
    expected = gpt(TOKENS).data[:, 4:]
    with no_grad():
        gpt(TOKENS[:, :4], memory=cache)
        np.testing.assert_allclose(gpt(TOKENS[:, 4:], start_pos=4, memory=cache).data, expected, atol=1e-5)
    with pytest.raises(UsageError, match="remembers 6 tokens, and start_pos is 4"):
        gpt(TOKENS[:, 4:], start_pos=4, memory=cache)


def test_after_plain_calls_a_generation_keeps_nothing() -> None:
    gpt, other = small_gpt(), TOKENS[:, ::-1].copy()
    expected = gpt.generate(TOKENS, 4, 0).data
    cache = enable_kv_cache(gpt, keep_prefix=True)
    gpt.generate(TOKENS, 0, 0)
    gpt(other)
    cache.advance(6)

    np.testing.assert_array_equal(gpt.generate(TOKENS, 4, 0).data, expected)


def test_a_whole_text_is_scored_exactly_whatever_the_cache_rounds() -> None:
    gpt = small_gpt()
    expected = gpt(TOKENS).data
    enable_kv_cache(gpt, bits=8)
    with no_grad():
        np.testing.assert_array_equal(gpt(TOKENS).data, expected)


def test_two_passes_may_wait_for_their_gradients() -> None:
    gpt = with_kv_cache(small_gpt())
    for block in gpt.blocks:
        block.attention.k_proj.weight.requires_grad = block.attention.v_proj.weight.requires_grad = False
        block.attention.k_proj.bias.requires_grad = block.attention.v_proj.bias.requires_grad = False
    losses = [gpt(tokens).sum() for tokens in (TOKENS, TOKENS[:, ::-1].copy())]
    for loss in losses:
        loss.backward()

    assert gpt.blocks[0].attention.q_proj.weight.grad is not None


def test_a_plain_call_from_anywhere_else_is_refused() -> None:
    gpt = with_kv_cache(small_gpt())
    with pytest.raises(UsageError, match="remembers 0 tokens, and start_pos is 2"):
        gpt(TOKENS, start_pos=2)


def test_gradients_are_those_of_a_model_without_a_cache() -> None:
    plain, cached = small_gpt(), with_kv_cache(small_gpt())
    for gpt in (plain, cached):
        gpt(TOKENS).sum().backward()

    for one, other in zip(plain.parameters(), cached.parameters(), strict=True):
        np.testing.assert_allclose(one.grad, other.grad, atol=1e-5)


def test_keys_of_an_ordinary_pass_can_be_kept() -> None:
    cache, keys = small_cache(), vectors(1, 7)
    keys.requires_grad = True
    cache.update(0, keys, keys)

    assert not cache.get(0)[0].requires_grad
    assert (cache.get(0)[0].data == 7).all()


def test_a_block_with_an_attention_of_one_s_own_is_given_no_memory() -> None:
    gpt = small_gpt()
    for block in gpt.blocks:
        block.attention = OwnAttention()

    assert gpt(TOKENS).shape == (1, 6, gpt.vocab_size)


class OwnAttention(Layer):
    def forward(self, x: Tensor, mask: object = None) -> Tensor:
        return x


def test_a_cache_tells_its_sizes() -> None:
    cache = small_cache()

    assert (cache.batch_size, cache.num_layers, cache.num_heads, cache.head_dim) == (2, 3, 2, 4)


@pytest.mark.parametrize("enable", [enable_kv_cache, with_kv_cache, disable_kv_cache])
def test_a_model_without_a_gpt_is_refused(enable) -> None:
    with pytest.raises(UsageError, match="Linear has none"):
        enable(Linear(2, 2))


def test_of_several_gpts_none_is_the_one_to_return() -> None:
    two = Sequential(small_gpt(), small_gpt())
    with pytest.raises(UsageError, match="several"):
        enable_kv_cache(two)

    assert all(isinstance(gpt.memory, KVCache) for gpt in with_kv_cache(two))


def test_a_memory_holds_the_context_and_no_more() -> None:
    gpt = with_kv_cache(small_gpt())
    assert gpt.generate([1], CONTEXT).shape == (CONTEXT + 1,)  # the last token is never looked at
    with pytest.raises(UsageError, match="memory of 12"):
        gpt.generate([1], CONTEXT + 1)


def test_what_was_updated_is_got_and_the_next_stands_behind() -> None:
    cache = small_cache()
    assert cache.get(1)[0].shape == (2, 2, 0, 4)
    for step in (1, 2):
        for layer in range(3):
            cache.update(layer, vectors(1, step), vectors(1, -step))
        cache.advance()
    keys, values = cache.get(2)

    assert cache.seq_pos == 2
    assert keys.data[0, 0, :, 0].tolist() == [1, 2]
    assert values.data[1, 1, :, 3].tolist() == [-1, -2]


def test_the_token_that_is_looked_at_now_is_among_what_is_got() -> None:
    cache = small_cache()
    cache.update(0, vectors(3), vectors(3))

    assert cache.get(0)[0].shape == (2, 2, 3, 4)


def test_the_last_position_can_be_written_and_none_beyond() -> None:
    cache = small_cache()
    cache.update(0, vectors(CONTEXT - 1), vectors(CONTEXT - 1))
    cache.advance(CONTEXT - 1)
    cache.update(0, vectors(1), vectors(1))
    with pytest.raises(UsageError, match="holds 11 positions of 12: 2 more do not fit"):
        cache.update(0, vectors(2), vectors(2))


def test_a_generation_begins_and_ends_empty() -> None:
    cache = small_cache()
    cache.advance(4)
    with cache.generation() as empty:
        assert empty.seq_pos == 0
        cache.advance(3)

    assert cache.seq_pos == 0


def test_memory_is_counted() -> None:
    usage = small_cache().get_memory_usage()

    assert usage["cache_tensors"] == 6
    assert usage["total_elements"] == 6 * 2 * 2 * CONTEXT * 4
    assert usage["total_mb"] == 4 * usage["total_elements"] / 2**20
    assert usage["per_layer_mb"] == pytest.approx(usage["total_mb"] / 3)


@pytest.mark.parametrize("layer", [-1, 3])
def test_layers_that_there_are_not(layer: int) -> None:
    with pytest.raises(RangeError, match=r"0\.\.2"):
        small_cache().get(layer)


@pytest.mark.parametrize("shape", [(1, 2, 1, 4), (2, 1, 1, 4), (2, 2, 1, 3), (2, 2, 4)])
def test_what_does_not_fit_the_buffers_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="alike"):
        small_cache().update(0, Tensor.ones(*shape), Tensor.ones(*shape))


def test_sizes_below_one() -> None:
    with pytest.raises(UsageError, match="a KV cache needs its sizes as an integer from 1 on"):
        KVCache(1, 8, 0, 2, 4)


def test_another_batch_in_the_middle_of_a_sequence_is_refused() -> None:
    gpt, cache = small_gpt(), KVCache(1, CONTEXT, 2, 2, 4)
    with no_grad():
        gpt(np.array([[1, 2]]), memory=cache)
        with pytest.raises(ShapeError, match="alike"):
            gpt(np.array([[3], [4]]), memory=cache)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_cache_of_int8_takes_a_good_quarter_and_answers_nearly_the_same(samples: int) -> None:
    gpt = GPT(7, 32, 2, 2, max_seq_len=40, rng=0).eval()
    tokens = np.random.default_rng(0).integers(0, 7, (samples, 40))
    plain, small = KVCache(samples, 40, 2, 2, 16), KVCache(samples, 40, 2, 2, 16, bits=8)
    assert small.nbytes == plain.nbytes // 4 + plain.nbytes // 16
    with no_grad():
        wanted, found = (
            np.concatenate([gpt(tokens[:, :9], memory=cache).data, gpt(tokens[:, 9:], memory=cache).data], axis=1)
            for cache in (plain, small)
        )
    np.testing.assert_allclose(found, wanted, atol=0.03 * np.abs(wanted).max())
    assert not np.array_equal(found, wanted)


def test_a_cache_of_int8_serves_a_gpt_whose_files_carry_none_of_it() -> None:
    gpt = with_kv_cache(small_gpt(), bits=8)
    tokens = gpt.generate([1, 2, 3], 6, 0).data
    restored = pickle.loads(pickle.dumps(gpt))
    assert restored.memory.nbytes == 0
    np.testing.assert_array_equal(restored.generate([1, 2, 3], 6, 0).data, tokens)
    assert enable_kv_cache(gpt).bits == 32  # asked for another one


def test_a_vector_that_is_zero_stays_zero_in_int8() -> None:
    cache = KVCache(2, CONTEXT, 1, 2, 4, bits=8)
    cache.update(0, vectors(3, 0), vectors(3, -2.5))
    keys, values = cache.get(0)
    assert not keys.data.any()
    np.testing.assert_allclose(values.data, -2.5, rtol=1e-6)


@pytest.mark.parametrize("bits", [4, 16, "8"])
def test_other_bits_are_refused(bits: object) -> None:
    with pytest.raises(UsageError, match="32 or 8 bits"):
        with_kv_cache(small_gpt(), bits=bits)  # type: ignore[arg-type]


class Counting(GPT):
    """Notes how many tokens it is given in each pass."""

    def forward(self, inputs, *others, **options):
        self.seen.append(inputs.shape[1])
        return super().forward(inputs, *others, **options)


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ([1, 2, 3, 4, 5], 1),  # the same: the last token gives the scores
        ([1, 2, 3, 4, 5, 6, 0], 2),
        ([1, 2, 3], 1),
        ([1, 2, 6, 4, 5], 3),
        ([6, 2, 3, 4, 5], 5),
        ([[1, 2, 3, 4, 5]] * 2, 5),  # another batch
    ],
)
@pytest.mark.parametrize("bits", [32, 8])
def test_what_a_prompt_has_in_common_with_the_last_is_read_once(prompt: list, read: int, bits: int) -> None:
    gpt = Counting(7, 8, 2, 2, max_seq_len=CONTEXT, rng=np.random.default_rng(0))
    gpt.seen = []
    with_kv_cache(gpt, bits=bits, keep_prefix=True).generate([1, 2, 3, 4, 5], 3, 0)
    gpt.seen = []
    found = gpt.generate(prompt, 3, 0).data
    assert gpt.seen == [read, 1, 1]
    fresh = with_kv_cache(small_gpt(), bits=bits)
    np.testing.assert_array_equal(found, fresh.generate(prompt, 3, 0).data)


def test_a_prefix_is_forgotten_where_that_is_asked_for() -> None:
    gpt = Counting(7, 8, 2, 2, max_seq_len=CONTEXT, rng=np.random.default_rng(0))
    gpt.seen = []
    cache = enable_kv_cache(gpt, keep_prefix=True)
    for _ in range(2):
        gpt.generate([1, 2, 3], 1, 0)
        cache.reset()
    assert gpt.seen == [3, 3]


def test_a_prefix_of_other_weights_is_forgotten() -> None:
    gpt = Counting(7, 8, 2, 2, max_seq_len=CONTEXT, rng=np.random.default_rng(0))
    gpt.seen = []
    with_kv_cache(gpt, keep_prefix=True).generate([1, 2, 3], 1, 0)
    gpt.lm_head.weight.data += 1
    gpt.generate([1, 2, 3], 1, 0)
    assert gpt.seen == [3, 3]


@pytest.mark.parametrize("bits", [32, 8])
def test_a_cache_is_no_part_of_a_model_s_state(bits: int) -> None:
    gpt = small_gpt()
    before = gpt.state_dict()
    with_kv_cache(gpt, bits=bits, keep_prefix=True).generate([[1, 2], [3, 4]], 2, 0)
    assert gpt.state_dict().keys() == before.keys()
    gpt.load_state_dict(before)


@pytest.mark.parametrize("model", [None, 5, [], GPT])
def test_what_is_no_model_gets_no_cache(model: object) -> None:
    with pytest.raises(UsageError, match="needs a GPT"):
        with_kv_cache(model)  # type: ignore[type-var]


def test_a_cache_in_use_is_refused_to_another_thread() -> None:
    """Their tokens would stand in one sequence; a copy of the model has a cache of its own."""
    gpt = with_kv_cache(small_gpt())
    prompt = np.array([[1, 2, 3]])

    def elsewhere(model: GPT) -> Tensor:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(model.generate, prompt, 4, 0).result()

    with gpt.memory.generating(prompt, gpt):
        with pytest.raises(UsageError, match="that is in use, by another thread") as told:
            elsewhere(gpt)
        assert "deepcopy" in told.value.mend
        alone = elsewhere(copy.deepcopy(gpt))

    assert np.array_equal(alone.data, elsewhere(gpt).data)
