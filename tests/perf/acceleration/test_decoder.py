"""A compiled GPT writes the tokens that the GPT itself writes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.activations import ReLU
from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential, layer_kinds
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, Completion, create_causal_mask
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.acceleration import CompiledGPT, compile_model, fuse
from tinytorch.perf.acceleration.decoder import is_centred
from tinytorch.perf.acceleration.decoding import Cache, attentions_of, trace_next
from tinytorch.perf.compression import factorize, prune_weights, share_weights, sparsify
from tinytorch.perf.memoization import enable_kv_cache, with_kv_cache
from tinytorch.perf.quantization import quantize_model

BACKENDS = ("numpy", "numba")
VOCABULARY, CONTEXT = 11, 14
FORMS = {
    "int8": quantize_model,
    "int8, affine": lambda model: quantize_model(model, symmetric=False),
    "int4": lambda model: quantize_model(model, bits=4),
    "int3": lambda model: quantize_model(model, bits=3),
    "int2, affine": lambda model: quantize_model(model, bits=2, symmetric=False),
    "shared": lambda model: share_weights(model, clusters=16),
    "rows": lambda model: sparsify(prune_weights(model, sparsity=0.8), form="csr"),
    "low rank": lambda model: factorize(model, rank=3),
}


def small_gpt(seed: int = 0) -> GPT:
    """With norms, biases and weights that all matter."""
    rng = np.random.default_rng(seed)
    gpt = GPT(VOCABULARY, 16, 2, 2, CONTEXT, rng=rng)
    for parameter in gpt.parameters():
        parameter.data = parameter.data + 0.3 * rng.standard_normal(parameter.shape).astype(np.float32)
    return gpt.eval()


def prompts(samples: int, length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, VOCABULARY, (samples, length))


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 3),
    length=st.integers(1, CONTEXT),
    temperature=st.sampled_from([0.0, 0.7, 1.5]),
    seed=st.integers(0, 9),
)
def test_it_generates_the_same_tokens(samples: int, length: int, temperature: float, seed: int, backend: str) -> None:
    gpt, prompt = small_gpt(seed), prompts(samples, length, seed)
    compiled = compile_model(gpt, prompt, backend=backend)
    assert isinstance(compiled, CompiledGPT)
    plain, planned = (
        model.generate(prompt, CONTEXT - length + 1, temperature, np.random.default_rng(seed)).data
        for model in (gpt, compiled)
    )

    np.testing.assert_array_equal(planned, plain)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("samples", [1, 3])
def test_compact_weights_generate_the_same_tokens(form: str, backend: str, samples: int) -> None:
    model = FORMS[form](Completion(small_gpt(), 4, 9).eval())
    inputs = prompts(samples, 6)

    np.testing.assert_array_equal(compile_model(model, inputs, backend=backend)(inputs).data, model(inputs).data)


@pytest.mark.parametrize("backend", BACKENDS)
def test_scores_of_all_positions_are_those_of_the_gpt(backend: str) -> None:
    gpt, tokens = small_gpt(), prompts(2, 7)

    np.testing.assert_allclose(compile_model(gpt, tokens, backend=backend)(tokens).data, gpt(tokens).data, atol=2e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_single_prompt_has_one_axis(backend: str) -> None:
    compiled = compile_model(small_gpt(), prompts(1, 3), backend=backend)

    assert compiled.generate([1, 2, 3], 4).shape == (7,)
    assert compiled.generate([1, 2, 3], 0).data.tolist() == [1, 2, 3]


@pytest.mark.parametrize("backend", BACKENDS)
def test_generations_of_other_lengths_and_batches_follow_one_another(backend: str) -> None:
    gpt = small_gpt()
    compiled = compile_model(gpt, prompts(1, 3), backend=backend)
    for samples, length, count in ((1, 3, 4), (2, 5, 6), (1, 3, 4), (1, 1, 13)):
        prompt = prompts(samples, length)
        np.testing.assert_array_equal(compiled.generate(prompt, count, 0).data, gpt.generate(prompt, count, 0).data)


@pytest.mark.parametrize("backend", BACKENDS)
def test_prompts_that_are_too_short_are_refused(backend: str) -> None:
    compiled = compile_model(Completion(small_gpt(), 4, 9), prompts(1, 6), backend=backend)
    with pytest.raises(ShapeError, match="sequences of 4 tokens"):
        compiled(prompts(1, 3))


@pytest.mark.parametrize("backend", BACKENDS)
def test_tokens_that_there_are_not_are_refused(backend: str) -> None:
    compiled = compile_model(Completion(small_gpt(), 4, 9), prompts(1, 4), backend=backend)
    with pytest.raises(UsageError, match=r"0\.\.10"):
        compiled(np.full((1, 4), VOCABULARY))


def test_more_than_the_context_is_refused() -> None:
    with pytest.raises(UsageError, match="memory of 14"):
        compile_model(small_gpt(), prompts(1, 3)).generate([1, 2], 14)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_cache_counts_in_what_it_keeps(backend: str) -> None:
    model = Completion(small_gpt(), 4, 10)
    compiled = compile_model(model, prompts(1, 4), backend=backend)
    before = footprint(compiled).kept_bytes
    compiled(prompts(1, 4))

    assert footprint(compiled).kept_bytes >= before + 2 * 2 * 4 * 16 * 14  # keys, values; blocks; bytes; width; length


def test_it_keeps_one_cache_only() -> None:
    model = with_kv_cache(Completion(small_gpt(), 4, 10))
    enable_kv_cache(model)

    assert compile_model(model, prompts(1, 4)).gpt.memory is None


def test_the_kinds_stay() -> None:
    model = Completion(small_gpt(), 4, 10)

    assert layer_kinds(compile_model(model, prompts(1, 4))) == layer_kinds(model)


def test_a_file_carries_no_cache() -> None:
    model = Completion(small_gpt(), 4, 10)
    compiled = compile_model(model, prompts(1, 4))
    wanted = compiled(prompts(1, 4)).data
    content = pickle.dumps(compiled)

    assert len(content) <= len(pickle.dumps(model)) + 500
    np.testing.assert_array_equal(pickle.loads(content)(prompts(1, 4)).data, wanted)


def test_a_fused_gpt_adds_nothing_with_a_mean_to_its_stream() -> None:
    assert is_centred(fuse(small_gpt()))
    assert not is_centred(small_gpt())


def other_activation(gpt: GPT) -> None:
    gpt.blocks[1].mlp.gelu = ReLU()


def other_attention(gpt: GPT) -> None:
    class Doubled(MultiHeadAttention):
        def forward(self, inputs, mask=None, memory=None):
            return super().forward(inputs, mask, memory) * 2

    gpt.blocks[0].attention.__class__ = Doubled


def other_norm(gpt: GPT) -> None:
    gpt.ln_f = Dropout(0.0)


def other_head(gpt: GPT) -> None:
    gpt.lm_head = Sequential(Linear(16, VOCABULARY))


def other_projection(gpt: GPT) -> None:
    gpt.blocks[0].attention.q_proj = Sequential(Linear(16, 16))
    gpt.blocks[0].attention.q_proj.in_features = gpt.blocks[0].attention.q_proj.out_features = 16


def hooked(gpt: GPT) -> None:
    linear = gpt.blocks[0].mlp.linear2
    linear.forward = lambda inputs: Linear.forward(linear, inputs) * 2


def two_ways(gpt: GPT) -> None:
    class Everywhere(MultiHeadAttention):
        def forward(self, inputs, mask=None, memory=None):
            return super().forward(inputs)

    gpt.blocks[0].attention.__class__ = Everywhere


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("change", [other_activation, other_norm, other_head, other_projection, hooked])
def test_a_gpt_of_other_parts_generates_by_a_plan(change, backend: str) -> None:
    gpt = small_gpt()
    change(gpt)
    compiled = compile_model(gpt, prompts(1, 3), backend=backend)

    assert isinstance(compiled, CompiledGPT)
    np.testing.assert_array_equal(compiled.generate(prompts(2, 3), 9, 0).data, gpt.generate(prompts(2, 3), 9, 0).data)
    np.testing.assert_allclose(compiled(prompts(1, 3)).data, gpt(prompts(1, 3)).data, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("change", [other_attention, two_ways])
def test_attention_of_another_kind_is_traced_as_it_is(change) -> None:
    gpt = small_gpt()
    change(gpt)
    compiled = compile_model(gpt, prompts(1, 3))

    assert not isinstance(compiled, CompiledGPT)
    np.testing.assert_allclose(compiled(prompts(1, 3)).data, gpt(prompts(1, 3)).data, rtol=1e-4, atol=2e-5)


class Louder(GPT):
    def forward(self, *arguments, **options):
        return super().forward(*arguments, **options) * 2


class Writer(Layer):
    """A decoder of somebody's own: one block, no norms, positions added twice."""

    def __init__(self) -> None:
        self.tokens, self.places = Embedding(VOCABULARY, 16, rng=1), PositionalEncoding(40, 16, rng=2)
        self.attention, self.head = MultiHeadAttention(16, 2, rng=3), Linear(16, VOCABULARY, rng=4)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.places(self.places(self.tokens(tokens)))
        mask = create_causal_mask(tokens.shape[1])
        return self.head((hidden + self.attention(hidden, mask)).tanh())


class Reader(Writer):
    """Looks at all positions, as a model that only reads may."""

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.places(self.tokens(tokens))
        return self.head(hidden + self.attention(hidden))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gpt_with_a_forward_of_its_own_generates_by_a_plan(backend: str) -> None:
    gpt = Louder(VOCABULARY, 16, 1, 2, CONTEXT, rng=np.random.default_rng(0)).eval()
    compiled = compile_model(gpt, prompts(1, 3), backend=backend)

    assert isinstance(compiled, CompiledGPT)
    np.testing.assert_allclose(compiled(prompts(1, 3)).data, gpt(prompts(1, 3)).data, rtol=1e-4, atol=2e-5)
    np.testing.assert_array_equal(compiled.generate(prompts(1, 3), 5, 0).data, gpt.generate(prompts(1, 3), 5, 0).data)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("length", [1, 3, 16, 17, 35])
def test_any_model_of_our_attention_generates_by_a_plan(backend: str, length: int) -> None:
    model = Writer().eval()
    compiled = compile_model(model, prompts(1, 3), backend=backend)
    tokens = prompts(2, length)
    wanted = tokens
    for _ in range(4):
        wanted = np.concatenate([wanted, model(wanted).data[:, -1:].argmax(axis=-1)], axis=1)

    assert isinstance(compiled, CompiledGPT)
    np.testing.assert_array_equal(compiled.generate(tokens, 4, 0).data, wanted)


def test_a_model_that_looks_ahead_does_not() -> None:
    compiled = compile_model(Reader().eval(), prompts(1, 3))

    assert not isinstance(compiled, CompiledGPT)
    np.testing.assert_allclose(compiled(prompts(1, 3)).data, Reader().eval()(prompts(1, 3)).data, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_long_prompt_is_read_in_parts(backend: str) -> None:
    gpt = GPT(VOCABULARY, 16, 2, 2, 90, rng=0).eval()
    compiled = compile_model(gpt, prompts(1, 3), backend=backend)
    for samples, length in ((1, 40), (3, 16), (2, 15), (1, 40), (1, 81)):
        prompt = prompts(samples, length)
        np.testing.assert_array_equal(compiled.generate(prompt, 9, 0).data, gpt.generate(prompt, 9, 0).data)


def test_the_plans_of_a_generation_are_made_once() -> None:
    compiled = compile_model(GPT(VOCABULARY, 16, 2, 2, 90, rng=0).eval(), prompts(1, 3))
    compiled.generate(prompts(1, 40), 9, 0)
    before = dict(compiled._decoder._passes)
    compiled.generate(prompts(1, 41), 8, 0)

    assert before == compiled._decoder._passes
    assert len({id(each.memory) for each in before.values()}) == 1


def test_only_the_last_position_gets_scores() -> None:
    model = Writer().eval()
    found = trace_next(model, np.zeros((1, 8), np.int64), Cache(attentions_of(model), 1, 20), np.zeros(1, np.int64))
    shapes = {step.name: step.output.example.shape for step in found.steps}

    assert (shapes["attend"], shapes["tanh"], found.output.example.shape) == (
        (1, 8, 16),
        (1, 1, 16),
        (1, 1, VOCABULARY),
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("samples", [1, 3])
def test_a_cache_of_int8_writes_the_tokens_of_the_same_cache_outside_of_plans(backend: str, samples: int) -> None:
    gpt = with_kv_cache(GPT(VOCABULARY, 32, 2, 2, 60, rng=0).eval(), bits=8)
    prompt = prompts(samples, 37)
    compiled = compile_model(gpt, prompt, backend=backend)
    assert compiled._decoder._cache.bits == 8
    np.testing.assert_array_equal(compiled.generate(prompt, 20, 0).data, gpt.generate(prompt, 20, 0).data)
    again = pickle.loads(pickle.dumps(compile_model(compiled, prompt, backend=backend)))
    assert again.cache_bits == 8
    np.testing.assert_array_equal(again.generate(prompt, 20, 0).data, gpt.generate(prompt, 20, 0).data)


def test_a_cache_of_int8_takes_a_good_quarter() -> None:
    kept = []
    for bits in (32, 8):
        cache = Cache(attentions_of(GPT(VOCABULARY, 32, 2, 2, 60, rng=0)), 1, 57, bits)
        kept.append(sum(array.nbytes for arrays in cache.arrays for array in arrays))
    assert kept[1] < 0.31 * kept[0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", FORMS)
def test_a_compact_gpt_is_compiled_for_whole_sequences(form: str, backend: str) -> None:
    gpt, tokens = FORMS[form](small_gpt()), prompts(2, 7)
    found = compile_model(gpt, tokens, backend=backend)(tokens).data
    np.testing.assert_allclose(found, gpt(tokens).data, rtol=1e-3, atol=1e-3)


def one_block_twice(gpt: GPT) -> None:
    gpt.blocks[1] = gpt.blocks[0]


def one_attention_twice(gpt: GPT) -> None:
    gpt.blocks[1].attention = gpt.blocks[0].attention


@pytest.mark.parametrize("change", [one_block_twice, one_attention_twice])
def test_attention_in_two_places_does_not_share_a_cache(change) -> None:
    gpt = small_gpt()
    change(gpt)
    assert not isinstance(compile_model(gpt, prompts(1, 3)), CompiledGPT)


class Opposite(GPT):
    def _next_scores(self, sequence):
        return -super()._next_scores(sequence)


class Shorter(GPT):
    max_seq_len = 9


@pytest.mark.parametrize("kind", [Opposite, Shorter])
def test_a_gpt_that_chooses_tokens_in_a_way_of_its_own_does_not_generate_by_a_plan(kind: type[GPT]) -> None:
    compiled = compile_model(kind(VOCABULARY, 16, 1, 2, CONTEXT, rng=0).eval(), prompts(1, 3))
    assert not isinstance(compiled, CompiledGPT)


class Louder2(Completion):
    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) + 1


def test_a_completion_with_a_forward_of_its_own_is_refused_or_computes_it() -> None:
    with pytest.raises(UsageError):
        compile_model(Louder2(small_gpt(), 4, 3).eval(), prompts(1, 4))


class Window(Writer):
    """Looks back 36 positions, which shows late."""

    def forward(self, tokens: Tensor) -> Tensor:
        places = np.arange(tokens.shape[1])
        mask = (places[:, None] >= places) & (places[:, None] - places < 36)
        hidden = self.places(self.tokens(tokens))
        return self.head(hidden + self.attention(hidden, mask) * 5)


def test_what_a_model_does_late_in_its_context_is_looked_at() -> None:
    model = Window()
    model.places = PositionalEncoding(100, 16, rng=2)
    assert not isinstance(compile_model(model.eval(), prompts(1, 3)), CompiledGPT)


def test_what_was_looked_at_is_not_kept() -> None:
    compiled = compile_model(Writer().eval(), prompts(1, 3))
    assert isinstance(compiled, CompiledGPT)
    assert compiled._decoder._cache.shape == (0, 0)
    assert not compiled._decoder._passes


class Twice(Writer):
    def forward(self, tokens: Tensor) -> Tensor:
        mask, hidden = create_causal_mask(tokens.shape[1]), self.places(self.tokens(tokens))
        return self.head(self.attention(self.attention(hidden, mask), mask))


class Pooling(Writer):
    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens)[:, -1]


@pytest.mark.parametrize(
    ("model", "words"), [(Twice(), "to be used once"), (Pooling(), r"scores \(N, T, vocabulary\)")]
)
def test_what_has_no_cache_or_no_scores_has_no_trace(model: Layer, words: str) -> None:
    cache = Cache(attentions_of(model), 1, 20)
    with pytest.raises(UsageError, match=words):
        trace_next(model.eval(), np.zeros((1, 4), np.int64), cache, np.zeros(1, np.int64))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_plan_refuses_it_says_in_its_own_words(backend: str) -> None:
    compiled = compile_model(Completion(small_gpt(), 4, 9), prompts(1, 4), backend=backend)
    with pytest.raises(UsageError) as caught:
        compiled(np.full((1, 4), VOCABULARY))
    assert "array of numbers" not in caught.value.message
