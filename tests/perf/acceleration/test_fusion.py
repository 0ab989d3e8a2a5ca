"""A fused model computes the same from other weights, and only where that is safe."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.layers import Dropout, Layer, Linear, ReLU, Sequential, layer_kinds
from tinytorch.core.spatial import BatchNorm2d, Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, TransformerBlock
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration import compile_model, fuse
from tinytorch.perf.acceleration.fusion import FoldedBatchNorm2d
from tinytorch.perf.quantization import quantize_model

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 3, 6, 6), np.float32)
VECTORS = RNG.standard_normal((2, 5, 8), np.float32)


def stirred(model: Layer) -> Layer:
    """With weights, gains, shifts and running statistics that all matter."""
    for parameter in model.parameters():
        parameter.data = parameter.data + 0.3 * RNG.standard_normal(parameter.shape).astype(np.float32)
    for layer in model.walk():
        if isinstance(layer, BatchNorm2d):
            layer.running_mean[:] = RNG.standard_normal(layer.num_features)
            layer.running_var[:] = RNG.random(layer.num_features) + 0.1
    return model.eval()


def normed(bias: bool = True) -> Sequential:
    return Sequential(Conv2d(3, 4, 3, bias=bias, rng=RNG), BatchNorm2d(4), ReLU())


MODELS = {
    "convolution": (normed, IMAGES),
    "convolution without bias": (lambda: normed(bias=False), IMAGES),
    "nested": (lambda: Sequential(normed(), Conv2d(4, 2, 1, rng=RNG), BatchNorm2d(2)), IMAGES),
    "block": (lambda: TransformerBlock(8, 2, rng=RNG), VECTORS),
    "gpt": (lambda: GPT(9, 8, 2, 2, 6, rng=RNG), np.array([[1, 8, 2], [0, 0, 5]])),
    "gpt with waves": (lambda: GPT(9, 8, 2, 2, 6, pos_encoding="sinusoidal", rng=RNG), np.array([[1, 8, 2]])),
}


@pytest.mark.parametrize("name", MODELS)
def test_outputs_and_kinds_stay(name: str) -> None:
    make, inputs = MODELS[name]
    model = stirred(make())
    fused = fuse(model)

    np.testing.assert_allclose(fused(inputs).data, model(inputs).data, rtol=1e-4, atol=2e-5)
    assert layer_kinds(fused) == layer_kinds(model)


@pytest.mark.parametrize("name", ["convolution", "nested"])
def test_a_batch_norm_that_went_into_its_convolution_does_nothing(name: str) -> None:
    fused = fuse(stirred(MODELS[name][0]()))
    inputs = np.float32(RNG.standard_normal((1, 4, 3, 3)))
    first = next(layer for layer in fused.walk() if layer.kind == "BatchNorm2d")

    np.testing.assert_array_equal(first(inputs).data, inputs)
    assert not first.weights()


def test_gains_and_shifts_go_into_what_reads_them() -> None:
    fused = fuse(stirred(TransformerBlock(8, 2, rng=RNG)))

    for norm in (fused.ln1, fused.ln2):
        assert (norm.gamma.data == 1).all()
        assert not norm.beta.data.any()
    assert fused.attention.k_proj.bias is fused.attention.v_proj.bias is None


def test_what_is_added_to_the_stream_of_a_gpt_has_no_mean() -> None:
    fused = fuse(stirred(GPT(9, 8, 2, 2, 6, rng=RNG)))

    for layer in (fused.token_embedding, fused.position_embedding, fused.blocks[1].attention.out_proj):
        np.testing.assert_allclose(layer.weight.data.mean(axis=-1), 0, atol=1e-7)


def test_the_model_that_was_given_stays_as_it_was() -> None:
    model = stirred(normed())
    before = {name: array.copy() for name, array in model.state_dict().items()}
    model.train()
    assert not fuse(model).training

    assert model.training
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


class Reversed(Sequential):
    """A container that runs its layers in another order than it holds them."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layers[0](self.layers[1](inputs))


def twice() -> Sequential:
    """One convolution in two places, a norm behind one of them."""
    shared = Conv2d(3, 3, 1, rng=RNG)
    return Sequential(shared, BatchNorm2d(3), shared)


def tied() -> Sequential:
    """Two convolutions with one weight."""
    first, second = Conv2d(3, 3, 1, rng=RNG), Conv2d(3, 3, 1, rng=RNG)
    second.weight = first.weight
    return Sequential(first, BatchNorm2d(3), second)


UNSAFE = {
    "in a container with a forward of its own": lambda: stirred(Reversed(Conv2d(3, 3, 1), BatchNorm2d(3))),
    "used twice": lambda: stirred(twice()),
    "sharing its weight": lambda: stirred(tied()),
    "compact": lambda: quantize_model(stirred(normed())),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_a_convolution_is_left_alone(name: str) -> None:
    model = UNSAFE[name]()
    fused = fuse(model)
    before, after = (
        next(layer for layer in each.walk() if isinstance(layer, Conv2d)).weight.data for each in (model, fused)
    )

    np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(fused(IMAGES).data, model(IMAGES).data)


def test_a_quantized_gpt_keeps_its_norms() -> None:
    model = quantize_model(stirred(GPT(9, 8, 2, 2, 6, rng=RNG)))
    tokens = np.array([[1, 8, 2]])

    np.testing.assert_array_equal(fuse(model)(tokens).data, model(tokens).data)
    assert (fuse(model).blocks[0].ln1.gamma.data != 1).any()


@pytest.mark.parametrize("part", ["ln1", "ln2", "attention", "mlp"])
def test_a_block_with_another_part_is_left_alone(part: str) -> None:
    block = stirred(TransformerBlock(8, 2, rng=RNG))
    if part == "attention":
        block.attention.__class__ = type("Same", (MultiHeadAttention,), {"__module__": "student"})
    else:
        setattr(block, part, Dropout(0.0))
    before = {name: array.copy() for name, array in block.state_dict().items()}

    for name, array in fuse(block).state_dict().items():
        np.testing.assert_array_equal(array, before[name])


class Watching(TransformerBlock):
    """Looks at the mean of the stream, which no block of ours does."""

    def forward(self, inputs: Tensor, mask=None, memory=None) -> Tensor:
        return super().forward(inputs, mask, memory) * (1 + inputs.mean(axis=-1, keepdims=True))


def test_a_gpt_with_a_block_that_reads_means_keeps_them() -> None:
    gpt = GPT(9, 8, 2, 2, 6, rng=RNG)
    gpt.blocks[1] = Watching(8, 2, rng=RNG)
    stirred(gpt)
    tokens = np.array([[1, 8, 2]])

    np.testing.assert_allclose(fuse(gpt)(tokens).data, gpt(tokens).data, rtol=1e-4, atol=2e-5)


def test_a_linear_with_hooks_is_left_alone() -> None:
    block = stirred(TransformerBlock(8, 2, rng=RNG))
    block.mlp.linear1.forward = lambda inputs: Linear.forward(block.mlp.linear1, inputs) * 1
    fused = fuse(block)

    assert (fused.ln2.gamma.data != 1).any()
    assert (fused.ln1.gamma.data == 1).all()


class Reaching(Layer):
    """Uses a part of its container by itself, too: by calling it, or by its weight."""

    def __init__(self, reach: Callable[[Any, Tensor], Tensor]) -> None:
        self.body = stirred(normed())
        self.reach = reach

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body(inputs) + self.reach(self.body, inputs)


REACHES: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "called": lambda body, inputs: body.layers[0](inputs),
    "called by an index": lambda body, inputs: body[0](inputs),
    "norm called": lambda body, inputs: body[1](body(inputs)),
    "weight read": lambda body, inputs: body[0].weight.sum(),
}


@pytest.mark.parametrize("name", REACHES)
def test_a_part_that_is_used_outside_its_container_stays_right(name: str) -> None:
    model = Reaching(REACHES[name]).eval()
    for computed in (fuse(model)(IMAGES), compile_model(model, IMAGES)(IMAGES)):
        np.testing.assert_allclose(computed.data, model(IMAGES).data, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", REACHES)
def test_an_example_shows_who_calls_a_part(name: str) -> None:
    model = Reaching(REACHES[name]).eval()
    np.testing.assert_allclose(fuse(model, IMAGES)(IMAGES).data, model(IMAGES).data, rtol=1e-4, atol=1e-4)


class Plain:
    """A class of somebody's own, which uses its container alone."""

    def __init__(self) -> None:
        self.body = stirred(normed())

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body(inputs)


@pytest.mark.parametrize(("example", "is_folded"), [(IMAGES, True), (None, False)])
def test_what_a_class_of_one_s_own_holds_is_fused_where_its_calls_are_seen(example: Any, is_folded: bool) -> None:
    model = Plain()
    fused = fuse(model, example)
    assert isinstance(fused.body[1], FoldedBatchNorm2d) == is_folded
    assert "forward" not in vars(fused.body)
    np.testing.assert_allclose(fused.forward(Tensor(IMAGES)).data, model.forward(Tensor(IMAGES)).data, atol=1e-5)


def test_a_block_whose_projection_is_used_alone_stays_right() -> None:
    class Peeking(Layer):
        def __init__(self) -> None:
            self.block = stirred(TransformerBlock(8, 2, rng=RNG))

        def forward(self, inputs: Tensor) -> Tensor:
            return self.block(inputs) + self.block.attention.v_proj(inputs) + self.block.ln2(inputs)

    model = Peeking().eval()
    for computed in (fuse(model, VECTORS)(VECTORS), compile_model(model, VECTORS)(VECTORS)):
        np.testing.assert_allclose(computed.data, model(VECTORS).data, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_gpt_with_tied_weights_generates_the_same(backend: Any) -> None:
    gpt = stirred(GPT(9, 8, 2, 2, 12, rng=0, tie_weights=True))
    tokens = np.array([[1, 8, 2]])
    compiled: Any = compile_model(gpt, tokens, backend)
    np.testing.assert_allclose(compiled(tokens).data, gpt(tokens).data, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(compiled.generate(tokens, 6, 0).data, gpt.generate(tokens, 6, 0).data)


class ByBatch(Layer):
    """Reaches past its container for single images alone."""

    def __init__(self) -> None:
        self.body = stirred(normed())

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body.layers[0](inputs) if len(inputs) == 1 else self.body(inputs)


@pytest.mark.parametrize("is_loaded", [False, True])
def test_another_shape_that_reaches_past_a_container_is_refused(is_loaded: bool) -> None:
    model = ByBatch().eval()
    compiled = compile_model(model, IMAGES)
    compiled = pickle.loads(pickle.dumps(compiled)) if is_loaded else compiled
    with pytest.raises(UsageError, match=r"for inputs \(1, 3, 6, 6\) ByBatch cannot run as a plan: it uses Conv2d"):
        compiled(IMAGES[:1])
    np.testing.assert_allclose(compiled(IMAGES).data, model(IMAGES).data, atol=1e-4)
    np.testing.assert_allclose(compile_model(model, IMAGES[:1])(IMAGES[:1]).data, model(IMAGES[:1]).data, atol=1e-4)


class ByValue(Layer):
    """Multiplies three samples by a number that no operation computed."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * 2 if len(inputs) == 2 else inputs * float(inputs.data.mean())


def test_a_plan_for_another_shape_is_held_against_the_model_too() -> None:
    compiled = compile_model(ByValue(), np.ones((2, 4)))
    with pytest.raises(UsageError, match="its plan gives other outputs"):
        compiled(np.ones((3, 4), np.float32))
    np.testing.assert_array_equal(compiled(np.ones((2, 4), np.float32)).data, np.full((2, 4), 2))
