"""Inputs that never change."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Layer, Linear, Sequential, layer_kinds
from tinytorch.core.spatial import Conv2d, Flatten
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.compression import prune_inputs
from tinytorch.perf.compression.inputs import Selection
from tinytorch.perf.quantization import quantize_model


def rows(constant: dict[int, float]) -> TensorDataset:
    inputs = np.random.default_rng(0).standard_normal((3000, 6)).astype(np.float32)
    for place, value in constant.items():
        inputs[:, place] = value
    return TensorDataset(inputs, np.zeros(3000, np.int64))


PIXELS = TensorDataset(np.ones((2, 1, 1, 1)), np.zeros(2, int))


def network(bias: bool = True) -> Sequential:
    return Sequential(Linear(6, 4, bias=bias, rng=0), ReLU(), Linear(4, 2, rng=1)).eval()


@pytest.mark.parametrize("bias", [True, False])
def test_features_that_never_change_are_not_looked_at(bias: bool) -> None:
    data, model = rows({1: 0.0, 4: -2.5}), network(bias)
    pruned = prune_inputs(model, data)
    assert next(array.shape for array in pruned.weights()) == (4, 4)
    assert layer_kinds(pruned) == layer_kinds(model)
    np.testing.assert_allclose(pruned(data.inputs).data, model(data.inputs).data, rtol=1e-4, atol=1e-5)
    others = data.inputs + np.array([0, 9, 0, 0, 9, 0], np.float32)
    np.testing.assert_array_equal(pruned(data.inputs).data, pruned(others).data)


def test_where_all_change_nothing_does() -> None:
    assert repr(prune_inputs(network(), rows({}))) == repr(network())


def test_one_sample_that_differs_is_enough() -> None:
    data = rows({1: 0.0})
    data.inputs[-1, 1] = 1e-3
    assert prune_inputs(network(), data).weights()[0].shape == (6, 4)


def test_what_is_left_is_quantized_as_any_layer() -> None:
    pruned = quantize_model(prune_inputs(network(), rows({0: 1.0})))
    assert pruned(np.ones((1, 6))).shape == (1, 2)


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        (Sequential(Conv2d(1, 2, 1), Flatten(), Linear(2, 2)), PIXELS, "begins with"),
        (network(), rows(dict.fromkeys(range(6), 1.0)), "all features"),
    ],
)
def test_what_has_no_features_to_leave_out_is_refused(model: Layer, data: TensorDataset, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        prune_inputs(model, data)


def test_inputs_of_another_size_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"Selection\(2 of 3\)"):
        Selection(np.array([True, False, True]))(np.ones((1, 4)))


def test_inputs_that_are_no_numbers_are_refused() -> None:
    data = rows({})
    data.inputs[7, 2] = np.nan
    with pytest.raises(UsageError, match="finite numbers"):
        prune_inputs(network(), data)
