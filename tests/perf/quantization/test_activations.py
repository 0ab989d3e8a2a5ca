"""Inputs on codes: dynamic, static, learnt in order, and near what they were."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential, layer_kinds
from tinytorch.core.spatial import SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.quantization import InputCodes, QuantizedConv2d, QuantizedLinear, quantize_model

RNG = np.random.default_rng(0)
SAMPLES = RNG.standard_normal((40, 6)).astype(np.float32)
IMAGES = RNG.standard_normal((5, 1, 8, 8)).astype(np.float32)


def model() -> Sequential:
    rng = np.random.default_rng(1)
    return Sequential(Linear(6, 16, rng=rng), ReLU(), Linear(16, 3, rng=rng)).eval()


def convolutions() -> SimpleCNN:
    return SimpleCNN(10, 8, 1, rng=np.random.default_rng(0)).eval()


def error(quantized, original, inputs: np.ndarray) -> float:
    plain = original(inputs).data
    return float(np.linalg.norm(quantized(inputs).data - plain) / np.linalg.norm(plain))


@pytest.mark.parametrize(
    ("make", "inputs", "kind"),
    [(model, SAMPLES, QuantizedLinear), (convolutions, IMAGES, QuantizedConv2d)],
)
def test_rounding_inputs_costs_a_little_accuracy(make, inputs: np.ndarray, kind: type) -> None:
    original = make()
    dynamic, static = quantize_model(original, dynamic=True), quantize_model(original, inputs)

    assert all(any(isinstance(layer, kind) for layer in each.walk()) for each in (dynamic, static))
    assert 0 < error(dynamic, original, inputs) < 0.03
    assert 0 < error(static, original, inputs) < 0.03
    assert layer_kinds(static) == layer_kinds(original)


def test_static_codes_come_from_the_samples_and_stay() -> None:
    static = quantize_model(model(), SAMPLES)
    before = static[0].input_codes
    static(10 * SAMPLES)

    assert static[0].input_codes is before
    assert before.scale[0] == pytest.approx((SAMPLES.max() - SAMPLES.min()) / 255, rel=1e-5)


def test_a_layer_is_calibrated_on_what_the_ones_before_it_make() -> None:
    static = quantize_model(model(), SAMPLES)
    given = np.maximum(static[0](SAMPLES).data, 0)

    assert static[2].input_codes.scale[0] == pytest.approx(given.max() / 255, rel=1e-5)
    assert static[2].input_codes.zero_point[0] == -128  # nothing is below zero


def test_values_beyond_what_was_seen_are_cut_off() -> None:
    codes = InputCodes.of(np.array([-1.0, 1.0], np.float32))

    assert codes.rounded(np.array([50.0], np.float32)) == pytest.approx(1, abs=0.01)
    assert codes.rounded(np.array([-50.0], np.float32)) == codes.rounded(np.array([-1.0], np.float32))
    assert codes.rounded(np.array([0.0], np.float32)) == 0


def test_a_cut_range_is_smaller() -> None:
    samples = np.concatenate([np.linspace(-1, 1, 10_000), [100]]).astype(np.float32)
    whole, cut = (InputCodes.of(samples, ranges) for ranges in ("min-max", "percentile"))

    assert cut.scale[0] < whole.scale[0] / 10


def test_calibrating_a_layer_of_one_s_own() -> None:
    layer = QuantizedLinear(Linear(6, 4, rng=np.random.default_rng(0)))
    assert layer.input_codes is layer.input_scale is layer.input_zero_point is None
    layer.calibrate([Tensor(SAMPLES[:3]), SAMPLES[3:]])

    assert (layer.input_scale, layer.input_zero_point) == (layer.input_codes.scale, layer.input_codes.zero_point)
    assert (layer.q_weight.shape, layer.q_weight.dtype) == ((6, 4), np.int8)

    assert layer.input_codes.scale[0] == InputCodes.of(SAMPLES).scale[0]
    assert layer.memory_usage() == {
        "original_bytes": 4 * 28, "quantized_bytes": 24 + 8 + 16, "compression_ratio": 112 / 48
    }  # fmt: skip


@pytest.mark.parametrize("samples", [[], [np.empty((0, 6))]])
def test_without_samples_nothing_is_calibrated(samples: list) -> None:
    with pytest.raises(UsageError, match="at least one sample"):
        QuantizedLinear(Linear(6, 4)).calibrate(samples)
    with pytest.raises(UsageError, match="at least one sample"):
        quantize_model(model(), np.empty((0, 6)))


def test_a_layer_that_the_model_never_calls_is_passed_over() -> None:
    class Half(Sequential):
        def forward(self, inputs: Tensor) -> Tensor:
            return self[0](inputs)

    static = quantize_model(Half(*model()), SAMPLES)

    assert (static[0].input_codes is None, static[2].input_codes is None) == (False, True)


@pytest.mark.parametrize("data", [Tensor(SAMPLES), [SAMPLES[:7], Tensor(SAMPLES[7:])], list(SAMPLES)])
def test_samples_come_as_one_batch_or_several(data) -> None:
    expected = quantize_model(model(), SAMPLES)[0].input_codes.scale

    np.testing.assert_array_equal(quantize_model(model(), data)[0].input_codes.scale, expected)


def test_the_given_model_has_no_codes_afterwards() -> None:
    original = model()
    quantize_model(original, SAMPLES)

    assert type(original[0]) is Linear
    assert "forward" not in vars(original[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_inputs_that_are_no_numbers_are_said_to_be_inputs(bad: float) -> None:
    with pytest.raises(UsageError, match="inputs must be finite numbers to be rounded"):
        InputCodes.of(np.array([1.0, bad], np.float32))


def test_an_empty_batch_passes_through_and_nan_is_told_of_the_inputs() -> None:
    layer = QuantizedLinear(Linear(4, 3))

    assert layer(Tensor(np.zeros((0, 4), np.float32))).shape == (0, 3)
    with pytest.raises(UsageError, match="inputs must be finite"):
        layer(Tensor([[1.0, np.nan, 2.0, 3.0]]))
