"""Layers by themselves: counted by hand, timed by an injected clock, and left as they were."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from tinytorch import core, perf
from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.embeddings import Embedding, EmbeddingLayer, PositionalEncoding
from tinytorch.core.layers import Affine, Dropout, Layer, Linear, Sequential, parameter_count
from tinytorch.core.model import Planned
from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d, Pool2d, SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, MLP, Completion, LayerNorm, TiedHead, TransformerBlock
from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.acceleration.fusion import FoldedBatchNorm2d
from tinytorch.perf.compression.inputs import Selection
from tinytorch.perf.memoization import with_kv_cache
from tinytorch.perf.profiling.layers import MOST_PASSES, LayerProfile, ModelProfile, profile_model
from tinytorch.perf.quantization import QuantizedConv2d, QuantizedLinear, quantize_model

BUDGET_NS = 1


def profiled(model: Any, sample: Any, **options: Any) -> ModelProfile:
    return profile_model(model, lambda: Tensor(sample), BUDGET_NS, **options)


def named(profile: ModelProfile) -> dict[str, LayerProfile]:
    return {layer.name: layer for layer in profile.layers}


CNN_WRITTEN = 2 * (1024 + 512) + 256 + 128 + 40
GPT_WRITTEN = 2 * 96 + 816 + 72 + 864 + 3 * 288 + 2 * 96 + 84
PLANNED = (3 * 2 * (8 * (24 + 8 + 32 + 7) + 32 * 8), GPT_WRITTEN)  # of three tokens, products alone

# kind -> layer, input, FLOPs of one pass, activation bytes
KINDS = {
    "Linear": (Linear(4, 3), (1, 4), 2 * 4 * 3, 12),
    "Linear without bias": (Linear(4, 3, bias=False), (1, 4), 2 * 4 * 3, 12),
    "Linear, at every position": (Linear(4, 3), (2, 5, 4), 10 * 24, 120),
    "ReLU": (ReLU(), (1, 7), 7, 28),
    "GELU": (GELU(), (1, 7), 8 * 7, 28),
    "Dropout": (Dropout(0.5), (1, 7), 0, 0),
    "Conv2d": (Conv2d(1, 2, 3), (1, 1, 8, 8), 6 * 6 * 2 * 9 * 2, 288),
    "Conv2d, padded": (Conv2d(1, 2, 3, stride=2, padding=1), (1, 1, 8, 8), 4 * 4 * 2 * 9 * 2, 128),
    "MaxPool2d": (MaxPool2d(2), (1, 2, 8, 8), 2 * 8 * 8, 128),
    "AvgPool2d": (AvgPool2d(2), (1, 2, 8, 8), 2 * 8 * 8, 128),
    "Flatten": (Flatten(), (1, 2, 8, 8), 0, 0),
    "BatchNorm2d": (BatchNorm2d(2), (1, 2, 4, 4), 32 + 32 + 3 * 2, 2 * 128 + 3 * 8),
    "LayerNorm": (LayerNorm(4), (1, 3, 4), 12 * 5 + 2 * 12, 3 * 48),
    "TiedHead": (TiedHead(Embedding(7, 4)), (1, 4), 2 * 4 * 7, 28),
    "MLP": (MLP(4, 8), (1, 1, 4), 2 * 4 * 8 + 8 * 8 + 2 * 8 * 4, 32 + 32 + 16),
    "Sigmoid": (Sigmoid(), (1, 7), 4 * 7, 28),
    "Tanh": (Tanh(), (1, 7), 7, 28),
    "Softmax": (Softmax(), (1, 7), 5 * 7, 28),
    "Sequential": (Sequential(Linear(4, 3)), (1, 4), 24, 12),
    "Embedding": (Embedding(7, 4), (1, 3), 0, 48),
    "PositionalEncoding": (PositionalEncoding(5, 4), (1, 3, 4), 12, 48),
    "EmbeddingLayer": (EmbeddingLayer(7, 4), (1, 3), 12, 48 + 48),
    # four projections, scaling, scores, softmax, mixing; the last copies its heads side by side
    "MultiHeadAttention": (MultiHeadAttention(4, 2), (1, 3, 4), 4 * 96 + 12 + 72 + 90 + 72, 5 * 48 + 72 + 72 + 2 * 48),
    # twice a normalization and a sum, attention, perceptron
    "TransformerBlock": (TransformerBlock(4, 2), (1, 3, 4), 2 * (84 + 12) + 630 + 1152, 2 * (144 + 48) + 480 + 432),
    # positions, attention with a mask, perceptron, three normalizations, two sums, head
    "GPT": (GPT(7, 8, 1, 2, 5), (1, 3), 24 + 1938 + 18 + 3840 + 3 * 168 + 2 * 24 + 336, GPT_WRITTEN),
    "Completion": (Completion(GPT(7, 8, 1, 2, 5), 3, 1), (1, 3), 6708, GPT_WRITTEN),
    "SimpleCNN": (SimpleCNN(10, 4, 1), (1, 1, 4, 4), 4608 + 36_864 + 2 * (256 + 128) + 640, CNN_WRITTEN),
    "QuantizedLinear": (QuantizedLinear(Linear(4, 3)), (1, 4), 24 + 3 + 3, 3 * 12),
    "CompiledModel": (compile_model(Sequential(Linear(4, 3)), np.ones((1, 4))), (1, 4), 24, 12),
    "CompiledGPT": (compile_model(Completion(GPT(7, 8, 1, 2, 5), 3, 1), np.zeros((1, 3), int)), (1, 3), *PLANNED),
    "FoldedBatchNorm2d": (FoldedBatchNorm2d(), (1, 2, 4, 4), 0, 0),
    "Selection": (Selection(np.array([1, 0, 1, 1])), (1, 4), 0, 12),
    "QuantizedConv2d": (QuantizedConv2d.from_layer(Conv2d(1, 2, 3)), (1, 1, 8, 8), 6 * 6 * 2 * 9 * 2, 288),
}  # fmt: skip


@pytest.mark.parametrize(("layer", "shape", "flops", "written"), KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_layer_is_counted(layer: Layer, shape: tuple[int, ...], flops: int, written: int) -> None:
    profile = profiled(layer, np.zeros(shape))

    assert (profile.flops, sum(one.activation_bytes for one in profile.layers)) == (flops, written)


def test_no_kind_of_layer_is_left_out() -> None:
    named = [
        name
        for package in (core, perf)
        for _, name, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    classes = {item for name in named for item in vars(import_module(name)).values() if isinstance(item, type)}
    kinds = {item for item in classes if issubclass(item, Layer)} - {Affine, Layer, Planned, Pool2d}

    assert kinds == {type(layer) for layer, *_ in KINDS.values()}


def test_a_perceptron_is_counted_layer_by_layer() -> None:
    profile = profiled(Sequential(Linear(4, 3), ReLU(), Linear(3, 2, bias=False)), np.zeros((1, 4)))

    assert [(one.name, one.kind, one.depth, one.flops, one.parameters, one.weight_bytes) for one in profile.layers] == [
        ("", "Sequential", 0, 0, 0, 0),
        ("layers.0", "Linear", 1, 24, 15, 60),
        ("layers.1", "ReLU", 1, 3, 0, 0),
        ("layers.2", "Linear", 1, 12, 6, 24),
    ]


def test_intensity_is_what_is_done_for_each_byte_that_is_moved() -> None:
    _, layer, flatten = profiled(Sequential(Linear(4, 3), Flatten()), np.zeros((1, 4))).layers

    assert layer.intensity == 24 / (4 * (4 + 12 + 3 + 3))  # inputs, weight, bias, outputs
    assert flatten.intensity is None


PROMPT, ANSWER, WIDTH, VOCABULARY = 3, 4, 8, 7


def generator() -> Completion:
    gpt = GPT(VOCABULARY, WIDTH, 1, 2, max_seq_len=PROMPT + ANSWER, rng=np.random.default_rng(0))
    return Completion(gpt, PROMPT, ANSWER).eval()


def attention_flops(new: int, seen: int) -> int:
    """The attention's own work where `new` of `seen` tokens are new: scaling, scores, mask, softmax, mixing."""
    scores, heads = new * seen, 2
    mask = heads * scores if new > 1 else 0
    return new * WIDTH + 2 * scores * WIDTH + mask + 5 * heads * scores + 2 * scores * WIDTH


def test_a_generation_looks_at_all_tokens_again_without_a_cache() -> None:
    profile = profiled(generator(), np.zeros((1, PROMPT), int))
    attention, lengths = named(profile)["gpt.blocks.0.attention"], range(PROMPT, PROMPT + ANSWER)

    assert attention.calls == ANSWER
    assert attention.flops == sum(attention_flops(length, length) for length in lengths)
    assert named(profile)["gpt.lm_head"].flops == sum(2 * length * WIDTH * VOCABULARY for length in lengths)
    assert profile.generates_without_cache


def test_with_a_cache_each_token_is_computed_once() -> None:
    profile = profiled(with_kv_cache(generator()), np.zeros((1, PROMPT), int))
    later = sum(attention_flops(1, seen) for seen in range(PROMPT + 1, PROMPT + ANSWER))

    assert named(profile)["gpt.blocks.0.attention"].flops == attention_flops(PROMPT, PROMPT) + later
    assert not profile.generates_without_cache
    assert named(profile)["gpt"].weight_bytes == 8 * WIDTH * (PROMPT + ANSWER)  # keys and values


def test_quantized_layers_are_found_with_their_small_weights() -> None:
    (_, layer) = profiled(quantize_model(Sequential(Linear(8, 4))), np.zeros((1, 8))).layers

    assert (layer.kind, layer.weight_bytes, layer.parameters) == ("Linear", 32 + 8 + 8, 36)
    assert layer.flops == 2 * 8 * 4 + 4 + 4  # scales, bias


IMAGES = np.zeros((1, 1, 8, 8))


@pytest.mark.parametrize(
    ("model", "sample"),
    [
        (generator(), np.zeros((1, PROMPT), int)),
        (Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), Flatten(), Linear(72, 3)), IMAGES),
    ],
)
def test_all_layers_together_hold_what_the_model_holds(model: Layer, sample: np.ndarray) -> None:
    assert profiled(model, sample).parameters == parameter_count(model)


class Ticking:
    """A clock that only layers move: each `Slow` by its own time."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Costly(Ticking):
    """A clock that takes 7 ns itself, whenever somebody looks."""

    def __call__(self) -> int:
        self.now_ns += 7
        return self.now_ns


class Slow(Layer):
    """Takes its time before and after the layers inside it."""

    def __init__(self, clock: Ticking, own_ns: int, *inside: Layer) -> None:
        self.clock, self.own_ns, self.inside = clock, own_ns, inside

    def forward(self, inputs: Tensor) -> Tensor:
        self.clock.now_ns += self.own_ns // 2
        for layer in self.inside:
            inputs = layer(inputs)
        self.clock.now_ns += self.own_ns // 2
        return inputs


def test_a_layer_s_time_is_its_own_without_the_layers_inside_it() -> None:
    clock = Ticking()
    shared = Slow(clock, 30)
    profile = profiled(Slow(clock, 10, shared, Slow(clock, 400, shared)), np.zeros((1, 2)), clock=clock)

    assert [(one.depth, one.calls, one.time_ns) for one in profile.layers] == [(0, 1, 10), (1, 2, 60), (1, 1, 400)]
    assert profile.whole_ns == profile.sum_ns == 470


def test_what_looking_costs_is_taken_off() -> None:
    clock = Costly()
    shared = Slow(clock, 30)
    profile = profiled(Slow(clock, 10, shared, Slow(clock, 400, shared)), np.zeros((1, 2)), clock=clock)

    assert [one.time_ns for one in profile.layers] == pytest.approx([10, 60, 400], abs=0.1)
    assert profile.whole_ns == 470 + 7


def test_times_are_medians_over_passes() -> None:
    clock, passes = Ticking(), 0

    class Hesitant(Slow):
        def forward(self, inputs: Tensor) -> Tensor:
            nonlocal passes
            passes += 1
            self.own_ns = 1000 if passes % 7 == 0 else 50
            return super().forward(inputs)

    profile = profiled(Hesitant(clock, 50), np.zeros((1, 2)), clock=clock)

    assert (profile.whole_ns, profile.sum_ns) == (50, 50)


def test_there_are_as_many_passes_as_the_budget_pays_for() -> None:
    clock = Ticking()
    inputs = Tensor(np.zeros((1, 2)))

    assert profile_model(Slow(clock, 100), lambda: inputs, 20_000, clock).passes == 100
    assert profile_model(Slow(clock, 2), lambda: inputs, 20_000, clock).passes == MOST_PASSES


def test_passes_without_a_look_and_with_one_take_turns_after_warming_up() -> None:
    clock, watched = Ticking(), []

    class Listener(Slow):
        def forward(self, inputs: Tensor) -> Tensor:
            watched.append("forward" in vars(self.inside[0]))
            return super().forward(inputs)

    profile_model(Listener(clock, 100, Slow(clock, 100)), lambda: Tensor(np.zeros(1)), 2_000, clock)

    assert watched == [True, *[False] * 6, *[False, True] * 5]  # counted; a first look, warm-up; in turns


def test_a_slow_model_is_not_warmed_up_at_length() -> None:
    clock, calls = Ticking(), []

    class Listener(Slow):
        def forward(self, inputs: Tensor) -> Tensor:
            calls.append(1)
            return super().forward(inputs)

    profile_model(Listener(clock, 5_000), lambda: Tensor(np.zeros(1)), 2_000, clock)

    assert len(calls) == 1 + 1 + 2 * 3


def test_an_array_that_two_layers_hold_counts_once() -> None:
    weight = np.zeros((4, 4), np.float32)
    model = Sequential(Linear.from_arrays(weight), Linear.from_arrays(weight))

    profile = profiled(model, np.zeros((1, 4)))
    assert (profile.parameters, profile.weight_bytes) == (16, 64)


class Plain:
    """A model of no class of ours, with a layer in it."""

    def __init__(self) -> None:
        self.first, self.training = Linear(4, 3), True

    def forward(self, inputs: Tensor) -> Tensor:
        assert not self.training
        return self.first(inputs) * 2.0


def test_a_model_of_any_class_is_profiled() -> None:
    profile = profiled(Plain(), np.zeros((1, 4)))

    assert [(one.name, one.kind, one.flops) for one in profile.layers] == [("", "Plain", 3), ("first", "Linear", 24)]


def test_the_model_is_afterwards_what_it_was() -> None:
    own = Linear(3, 3)
    own.forward = forward = lambda inputs: inputs  # type: ignore[method-assign,assignment]
    model = Sequential(Linear(4, 3), Dropout(0.5), own).train()
    before = [dict(vars(layer)) for layer in model.walk()]
    profiled(model, np.zeros((1, 4)))

    assert [vars(layer) for layer in model.walk()] == before
    assert own.forward is forward
    assert all(layer.training for layer in model.walk())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_model_that_fails_is_left_as_it_was_too() -> None:
    model = Sequential(Linear(4, 3), Linear(4, 3))
    with pytest.raises(ValueError, match="4"):
        profiled(model, np.zeros((1, 4)))

    assert ["forward" in vars(layer) for layer in model.walk()] == [False] * 3


def test_every_pass_gets_an_input_of_its_own() -> None:
    given: list[float] = []

    class Listener(Layer):
        def forward(self, inputs: Tensor) -> Tensor:
            given.append(float(inputs.data[0]))
            return inputs

    numbers = iter(range(1000))
    profile_model(Listener(), lambda: Tensor(np.array([next(numbers)])), BUDGET_NS)

    assert len(set(given)) == len(given) > 5
