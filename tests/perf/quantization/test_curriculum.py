"""The curriculum's names, with its contract."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.perf.quantization import Quantizer, dequantize_int8, quantize_int8


@pytest.mark.parametrize("values", [[[-1.0, 0.0, 2.0]], [[0.0, 5.0]], [[-3.0, -1.0]], [[0.0, 0.0]], [[7.0]]])
def test_codes_and_back(values: list[list[float]]) -> None:
    codes, scale, zero_point = quantize_int8(Tensor(values))
    restored = dequantize_int8(codes, scale, zero_point)

    assert codes.data.dtype == np.int8
    assert isinstance(restored, Tensor)
    np.testing.assert_allclose(restored.data, values, atol=scale)


def model() -> Sequential:
    return Sequential(Linear(4, 3), ReLU(), Linear(3, 2))


def test_a_model_becomes_a_dictionary_and_stays_as_it_is() -> None:
    given = model()
    before = [parameter.data.copy() for parameter in given.parameters()]
    info = Quantizer.quantize_model(given)

    assert list(info["quantized_layers"]) == ["param_0", "param_1", "param_2", "param_3"]
    assert info["quantized_layers"]["param_0"].keys() == {"quantized", "scale", "zero_point", "original_shape"}
    assert info["quantized_layers"]["param_0"]["original_shape"] == (4, 3)
    assert (info["original_size_mb"], info["quantized_size_mb"]) == (4 * 23 / 2**20, 23 / 2**20)
    assert info["compression_ratio"] == 4
    assert all((a == b.data).all() for a, b in zip(before, given.parameters(), strict=True))


def test_every_tensor_is_found_again_in_the_dictionary() -> None:
    given = model()
    info = Quantizer.quantize_model(given)
    for entry, parameter in zip(info["quantized_layers"].values(), given.parameters(), strict=True):
        restored = Quantizer.dequantize_tensor(entry["quantized"], entry["scale"], entry["zero_point"])
        np.testing.assert_allclose(restored.data, parameter.data, atol=entry["scale"])


def test_both_are_compared() -> None:
    given = model()
    found = Quantizer.compare_models(given, Quantizer.quantize_model(given))

    assert found["compression_ratio"] == 4
    assert found["memory_saved_mb"] == pytest.approx(3 * 23 / 2**20)


def test_one_tensor_is_quantized_as_by_the_function() -> None:
    tensor = Tensor([[1.0, -2.0]])
    for first, second in zip(Quantizer.quantize_tensor(tensor), quantize_int8(tensor), strict=True):
        np.testing.assert_array_equal(np.asarray(first), np.asarray(second))


def test_a_model_without_parameters_compresses_nothing() -> None:
    assert Quantizer.quantize_model(ReLU())["compression_ratio"] == 1
