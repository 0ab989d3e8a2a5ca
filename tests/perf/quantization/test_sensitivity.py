"""Sensitivity of layers, measured one at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, Sequential
from tinytorch.errors import UsageError
from tinytorch.perf.quantization import choose_layers, quantize_model, sensitivity

RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((50, 8)).astype(np.float32)
INPUTS[:, 0] = 0
DATA = TensorDataset(INPUTS, np.zeros(50, int))


def model() -> Sequential:
    """A weight that no input reaches stretches the first layer's range: with one scale the others become coarse."""
    first, second = Linear(8, 8, rng=np.random.default_rng(1)), Linear(8, 4, rng=np.random.default_rng(2))
    first.weight.data[0, 0] = 40
    return Sequential(first, ReLU(), second)


def test_the_layer_that_bears_least_comes_first() -> None:
    errors = sensitivity(model(), DATA, per_channel=False)

    assert list(errors) == ["layers.0", "layers.2"]
    assert errors["layers.0"] > errors["layers.2"] > 0


def test_more_bits_move_outputs_less() -> None:
    four, eight = (sensitivity(model(), DATA, bits=bits) for bits in (4, 8))

    assert all(eight[name] < four[name] for name in four)


def test_chosen_layers_are_kept() -> None:
    keep = choose_layers({"layers.2": 0.1, "layers.0": 0.4}, 1)

    assert keep == ["layers.0"]
    assert isinstance(quantize_model(model(), skip=keep)[0].weight.data, np.ndarray)
    assert choose_layers({"a": 0.1}, 0) == []


@pytest.mark.parametrize("count", [-1, 2])
def test_no_more_layers_are_chosen_than_there_are(count: int) -> None:
    with pytest.raises(UsageError, match=r"count must lie in 0..1"):
        choose_layers({"a": 0.1}, count)


def test_without_data_nothing_can_be_measured() -> None:
    with pytest.raises(UsageError, match="at least one sample"):
        sensitivity(model(), TensorDataset(np.zeros((0, 8)), np.zeros(0, int)))
