"""Quantization-aware fine-tuning: gradients go straight through, and codes that lost accuracy win it back."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Linear, Sequential, layer_kinds
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.metrics import accuracy
from tinytorch.core.optimizers import Adam
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.datasets import load_digits
from tinytorch.errors import UsageError
from tinytorch.perf.quantization import QuantizedWeight, quantization_aware_tune, quantize_model
from tinytorch.perf.quantization.aware import StraightThroughAdam

TRAIN, TEST = load_digits()


@pytest.fixture(scope="module")
def trained() -> Sequential:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(64, 24, rng=rng), ReLU(), Linear(24, 24, rng=rng), ReLU(), Linear(24, 10, rng=rng))
    Trainer(model, Adam(model.parameters(), 3e-3), CrossEntropyLoss()).fit(DataLoader(TRAIN, 32, shuffle=True), 15)
    model[0].weight.data[0, 0] = 5.0  # an outlier at a pixel that is always dark: one scale for all gets coarse
    return model.eval()


def test_accuracy_that_codes_lost_comes_back(trained: Sequential) -> None:
    options = {"bits": 4, "per_channel": False}
    plain, tuned = quantize_model(trained, **options), quantization_aware_tune(trained, TRAIN, epochs=6, **options)

    assert accuracy(plain, TEST) < accuracy(trained, TEST) - 0.05
    assert accuracy(tuned, TEST) > accuracy(plain, TEST) + 0.05


def test_the_result_has_codes_and_the_given_model_stays(trained: Sequential) -> None:
    before = [array.copy() for array in trained.weights()]
    tuned = quantization_aware_tune(trained, TensorDataset(TRAIN.inputs[:64], TRAIN.labels[:64]), epochs=1)

    assert [type(layer.weight) for layer in tuned if layer.kind == "Linear"] == [QuantizedWeight] * 3
    assert layer_kinds(tuned) == layer_kinds(trained)
    assert all((a == b).all() for a, b in zip(before, trained.weights(), strict=True))


def test_everybody_sees_rounded_weights_and_the_step_changes_exact_ones() -> None:
    weight = Tensor(np.array([0.2, 0.9]), requires_grad=True)
    exact = weight.data
    optimizer = StraightThroughAdam([weight], 0.1, [(weight, np.rint)])
    assert (weight.data == [0, 1]).all()
    weight.grad = np.array([1.0, -1.0], np.float32)
    optimizer.step()

    assert (weight.data == [0, 1]).all()
    optimizer.show_exact()
    np.testing.assert_allclose(weight.data, [0.1, 1.0], atol=1e-5)
    assert weight.data is exact


def test_codes_are_those_of_the_exact_weights(monkeypatch: pytest.MonkeyPatch, trained: Sequential) -> None:
    shown: list[bool] = []
    plain = StraightThroughAdam.show_exact

    def show(optimizer: StraightThroughAdam) -> None:
        plain(optimizer)
        shown.append(True)

    monkeypatch.setattr(StraightThroughAdam, "show_exact", show)
    quantization_aware_tune(trained, TensorDataset(TRAIN.inputs[:32], TRAIN.labels[:32]), epochs=1)

    assert len(shown) == 1 + 1  # for the step, and at the end


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="ReLU has none"):
        quantization_aware_tune(ReLU(), TRAIN)


def test_layers_that_are_skipped_stay_floats(trained: Sequential) -> None:
    train, _ = load_digits()
    tuned = quantization_aware_tune(trained, train, epochs=1, skip=["layers.0"])
    assert isinstance(tuned[0].weight, Tensor)
    with pytest.raises(UsageError, match=r"no layer 'layer\.0' to skip"):
        quantization_aware_tune(trained, train, epochs=1, skip=["layer.0"])
