"""Quantization: error bound, bytes, kinds, and what it leaves alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear, Sequential, find_layers, layer_kinds, parameter_count
from tinytorch.core.spatial import SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, Completion, TransformerBlock
from tinytorch.errors import UsageError
from tinytorch.perf.compression import share_weights
from tinytorch.perf.quantization import QuantizedWeight, Quantizer, quantize_model


def model() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(6, 16, rng=rng), ReLU(), Sequential(Linear(16, 3, bias=False, rng=rng)))


def test_a_pickled_quantized_model_is_small() -> None:
    big = Sequential(Linear(300, 300))
    assert len(pickle.dumps(quantize_model(big))) < 0.3 * len(pickle.dumps(big))


def test_outputs_stay_close() -> None:
    original, inputs = model(), np.random.default_rng(1).standard_normal((20, 6))
    np.testing.assert_allclose(quantize_model(original)(inputs), original(inputs), atol=0.1)


def test_kinds_and_logical_weights_stay() -> None:
    original = model()
    quantized = quantize_model(original)
    assert layer_kinds(quantized) == layer_kinds(original)
    assert parameter_count(quantized) == parameter_count(original) == 6 * 16 + 16 + 16 * 3


def test_nothing_is_left_to_train() -> None:
    assert not any(parameter.requires_grad for parameter in quantize_model(model()).parameters())


def test_the_original_is_untouched() -> None:
    original = model()
    before = [array.copy() for array in original.weights()]
    quantized = quantize_model(original)
    assert all((a == b).all() for a, b in zip(original.weights(), before, strict=True))
    assert not any(np.shares_memory(a, np.asarray(b)) for a in original.weights() for b in quantized.weights())


def test_a_model_without_linear_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a Linear, Conv2d, Embedding"):
        quantize_model(Sequential(ReLU()))


class Net(Layer):
    """A student's model, with its own forward."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.first, self.second = Linear(6, 6, rng=rng), Linear(6, 6, rng=rng)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.second(self.first(inputs))


class Doubled(Linear):
    """A Linear that does more."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) * 2


@pytest.mark.parametrize("wrap", [lambda net: net, Sequential, lambda net: Sequential(Sequential(net))])
def test_a_model_of_any_class_is_quantized_and_keeps_its_forward(wrap) -> None:
    original, inputs = wrap(Net()), np.random.default_rng(1).standard_normal((20, 6))
    quantized = quantize_model(original)

    weights = [layer.weight for layer in find_layers(quantized) if isinstance(layer, Linear)]
    assert [type(weight) for weight in weights] == [QuantizedWeight] * 2
    np.testing.assert_allclose(quantized(inputs).data, original(inputs).data, atol=0.1)


def test_a_layer_that_is_used_twice_stays_one() -> None:
    layer = Linear(6, 6)
    quantized = quantize_model(Sequential(layer, ReLU(), layer))

    assert quantized[0] is quantized[2]


def test_a_linear_with_a_forward_of_its_own_keeps_it() -> None:
    original, inputs = Sequential(Doubled(4, 4)), np.random.default_rng(1).standard_normal((20, 4))

    np.testing.assert_allclose(quantize_model(original)(inputs).data, original(inputs).data, atol=0.1)


def gpt() -> Completion:
    return Completion(GPT(7, 8, 1, 2, 10, rng=np.random.default_rng(0)), 4, 6).eval()


MODELS = {
    "perceptron": (model, (5, 6)),
    "convolutions": (lambda: SimpleCNN(10, 8, 1, rng=np.random.default_rng(0)).eval(), (3, 1, 8, 8)),
    "residual": (Net, (4, 6)),
    "attention": (lambda: TransformerBlock(8, 2, rng=np.random.default_rng(0)).eval(), (2, 5, 8)),
}
SCHEMES = [{}, {"symmetric": False}, {"per_channel": False}, {"ranges": "mse"}, {"ranges": "percentile"}]


@pytest.mark.parametrize("options", SCHEMES, ids=str)
@pytest.mark.parametrize(("make", "shape"), MODELS.values(), ids=MODELS.keys())
def test_every_kind_of_model_stays_near_what_it_was(make, shape, options) -> None:
    original, inputs = make(), np.random.default_rng(1).standard_normal(shape)
    eight, four = (quantize_model(original, bits=bits, **options) for bits in (8, 4))
    plain = original(inputs).data
    errors = [np.linalg.norm(each(inputs).data - plain) / np.linalg.norm(plain) for each in (eight, four)]

    assert errors[0] < 0.05
    assert errors[0] < errors[1] < 0.6


def test_a_generating_model_has_codes_in_the_place_of_all_its_tables() -> None:
    quantized = quantize_model(gpt(), bits=4)
    left = [weight for weight in quantized.weights() if isinstance(weight, np.ndarray) and weight.ndim > 1]

    assert left == []
    assert quantized(np.zeros((2, 4), int)).shape == (2, 6)
    assert parameter_count(quantized) == parameter_count(gpt())


def test_kept_layers_stay_as_they_are() -> None:
    original = model()
    quantized = quantize_model(original, skip=["layers.0"])

    np.testing.assert_array_equal(quantized[0].weight.data, original[0].weight.data)
    assert isinstance(quantized[2][0].weight, QuantizedWeight)


@pytest.mark.parametrize(
    ("keep", "words"), [(["layers.1"], "no layer 'layers.1'"), (["layers.0", "layers.2.layers.0"], "none")]
)
def test_layers_to_keep_must_be_there_and_leave_one(keep: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        quantize_model(model(), skip=keep)


def test_what_is_compact_already_is_left_alone() -> None:
    once = quantize_model(model(), skip=["layers.0"], bits=4)
    twice = quantize_model(once)

    assert twice[2][0].weight.bits == 4
    assert twice[0].weight.bits == 8


def test_a_quantized_model_works_in_training_too_and_hands_gradients_on() -> None:
    inputs = Tensor(np.ones((2, 6)), requires_grad=True)
    quantize_model(model())(inputs).sum().backward()

    assert inputs.grad.shape == (2, 6)


def test_a_state_of_codes_is_loaded_again() -> None:
    first, second = (
        quantize_model(make())
        for make in (model, lambda: Sequential(Linear(6, 16), ReLU(), Sequential(Linear(16, 3, bias=False))))
    )
    second.load_state_dict(first.state_dict())
    inputs = np.ones((2, 6))

    np.testing.assert_array_equal(first(inputs).data, second(inputs).data)


def test_a_layer_shows_what_its_weight_is() -> None:
    assert repr(quantize_model(model())[0].weight) == "QuantizedWeight((6, 16), 8 bits)"
    assert repr(quantize_model(model())[0]) == repr(model()[0])


def test_what_is_compact_already_is_said_to_be() -> None:
    for compact in (quantize_model(model()), share_weights(model(), clusters=4)):
        with pytest.raises(UsageError, match="needs weights of floats, and those of this model are compact already"):
            quantize_model(compact)


def test_frozen_models_have_parameters_to_code() -> None:
    frozen = model()
    for parameter in frozen.parameters():
        parameter.requires_grad = False
    told = Quantizer.quantize_model(frozen)
    assert len(told["quantized_layers"]) == len(frozen.parameters())
    assert told["compression_ratio"] > 3
