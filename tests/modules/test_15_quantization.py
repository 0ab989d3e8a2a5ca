"""What the course promises of module 15, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.perf.quantization import QuantizedLinear, Quantizer, dequantize_int8, quantize_int8

VALUES = np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32)


def test_codes_are_eight_bits() -> None:
    codes, scale, zero_point = quantize_int8(Tensor(VALUES))

    assert np.asarray(codes.data).dtype == np.int8
    assert scale > 0
    assert -128 <= zero_point <= 127


RANGES = {"around zero": VALUES, "above": VALUES + 5, "below": -np.abs(VALUES), "nothing but zeros": np.zeros((2, 2))}


@pytest.mark.parametrize("values", RANGES.values(), ids=RANGES)
def test_what_comes_back_is_half_a_step_away_at_most(values: np.ndarray) -> None:
    codes, scale, zero_point = quantize_int8(Tensor(values))
    restored = np.asarray(dequantize_int8(codes, scale, zero_point).data)

    np.testing.assert_allclose(restored, values, atol=0.51 * scale)


def test_the_whole_range_of_codes_is_used() -> None:
    codes = np.asarray(quantize_int8(Tensor(VALUES))[0].data)

    assert int(codes.max()) - int(codes.min()) > 200


def test_a_quantized_layer_gives_nearly_the_same() -> None:
    layer, x = Linear(16, 8), Tensor(VALUES.T)
    expected = np.asarray(layer(x).data)

    assert np.abs(np.asarray(QuantizedLinear(layer)(x).data) - expected).max() < 0.05 * np.abs(expected).max()


def test_a_quantized_layer_computes_with_codes() -> None:
    layer, x = Linear(16, 8), Tensor(VALUES.T)
    quantized = QuantizedLinear(layer)
    expected = np.asarray(layer(x).data)

    assert not np.array_equal(np.asarray(quantized(x).data), expected)
    layer.weight.data = np.zeros_like(layer.weight.data)  # what was quantized is not looked at any more
    assert np.abs(np.asarray(quantized(x).data) - expected).max() < 0.05 * np.abs(expected).max()


def test_a_quantized_layer_keeps_its_bias() -> None:
    layer = Linear(16, 8)
    layer.bias.data = np.arange(8, dtype=np.float32)

    np.testing.assert_allclose(QuantizedLinear(layer)(Tensor(np.zeros((1, 16)))).data[0], np.arange(8), atol=0.05)


def test_the_codes_of_a_model_are_those_of_its_parameters() -> None:
    model = Sequential(Linear(64, 32), Linear(32, 10))
    found = Quantizer.quantize_model(model)["quantized_layers"]

    for number, parameter in enumerate(model.parameters()):
        entry = found[f"param_{number}"]
        restored = dequantize_int8(entry["quantized"], entry["scale"], entry["zero_point"]).data
        np.testing.assert_allclose(np.asarray(restored).reshape(parameter.shape), parameter.data, atol=entry["scale"])


def test_a_model_s_codes_take_a_quarter() -> None:
    found = Quantizer.quantize_model(Sequential(Linear(64, 32), ReLU(), Linear(32, 10)))

    assert found["compression_ratio"] == pytest.approx(4, rel=0.1)
    assert found["original_size_mb"] / found["quantized_size_mb"] == pytest.approx(4, rel=0.1)
