"""Weights lie as plans multiply with them, and the layers compute what they did."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.spatial import Conv2d
from tinytorch.core.transformers import GPT
from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.acceleration.layout import attention_matrix, conv_matrix, lay_out, linear_matrix
from tinytorch.perf.quantization import quantize_model

RNG = np.random.default_rng(0)
LAYERS = {
    "linear": (Linear(3, 4, rng=RNG), RNG.standard_normal((2, 3), np.float32)),
    "linear without bias": (Linear(3, 4, bias=False, rng=RNG), RNG.standard_normal((2, 3), np.float32)),
    "convolution": (Conv2d(2, 3, (2, 1), rng=RNG), RNG.standard_normal((2, 2, 4, 4), np.float32)),
    "convolution without bias": (Conv2d(2, 3, 2, bias=False, rng=RNG), RNG.standard_normal((2, 2, 4, 4), np.float32)),
    "attention": (MultiHeadAttention(4, 2, rng=RNG), RNG.standard_normal((2, 3, 4), np.float32)),
    "compact": (quantize_model(Sequential(Linear(3, 4, rng=RNG)).eval()), RNG.standard_normal((2, 3), np.float32)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_computes_what_it_did(name: str) -> None:
    layer, inputs = LAYERS[name]
    before = layer(inputs).data
    for _ in range(2):
        lay_out(layer)

    np.testing.assert_allclose(layer(inputs).data, before, rtol=1e-5, atol=1e-6)


def test_a_linear_lies_above_its_bias() -> None:
    linear = Linear(3, 4, rng=RNG)
    lay_out(linear)
    matrix = linear_matrix(linear.weight.data, linear.bias.data)

    assert matrix.shape == (4, 4)
    assert np.shares_memory(matrix, linear.weight.data)
    assert np.shares_memory(matrix[3], linear.bias.data)


def test_a_convolution_lies_as_one_matrix_row_after_row() -> None:
    convolution = Conv2d(2, 3, (2, 1), rng=RNG)
    lay_out(convolution)
    matrix = conv_matrix(convolution.weight.data, convolution.bias.data)

    assert np.shares_memory(matrix, convolution.weight.data)
    assert (matrix.shape, matrix.flags.c_contiguous) == ((2 * 2 * 1 + 1, 3), True)
    np.testing.assert_array_equal(matrix[-1], convolution.bias.data)


@pytest.mark.parametrize("name", ["linear", "linear without bias", "convolution", "attention"])
def test_matrices_begin_with_a_line_of_the_cache(name: str) -> None:
    layer, _ = LAYERS[name]
    lay_out(layer)
    first = layer.q_proj if name == "attention" else layer

    assert first.weight.data.__array_interface__["data"][0] % 64 == 0


@pytest.mark.parametrize("model", [MultiHeadAttention(8, 2, rng=RNG), GPT(5, 8, 2, 2, 6, rng=RNG)])
def test_queries_keys_and_values_lie_beside_one_another(model: Layer) -> None:
    lay_out(model)
    attentions = [layer for layer in model.walk() if isinstance(layer, MultiHeadAttention)]

    assert attentions
    assert all(attention_matrix(layer).shape == (8, 24) for layer in attentions)


def test_a_compiled_gpt_has_one_product_for_all_three() -> None:
    compiled = compile_model(GPT(5, 8, 2, 2, 6, rng=RNG), np.array([[1, 2]]))

    assert all(attention_matrix(block.attention) is not None for block in compiled.gpt.blocks)


def test_arrays_that_do_not_lie_so_are_no_matrix() -> None:
    whole = np.zeros((4, 4), np.float32)

    assert linear_matrix(whole[:-1], whole[-1]).shape == (4, 4)
    assert linear_matrix(whole[:-1], np.zeros(4, np.float32)) is None
    assert linear_matrix(whole[:-2], whole[-1]) is None
    assert linear_matrix(np.zeros((3, 4), np.float32), np.zeros(4, np.float32)) is None
    assert attention_matrix(MultiHeadAttention(4, 2)) is None
