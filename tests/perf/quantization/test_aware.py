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
from tinytorch.perf.quantization.aware import LearnedCodes, StraightThroughAdam

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


def codes_of(values: list[float], steps: float) -> LearnedCodes:
    """Codes of 3 bits, -3 to 3, with that step."""
    learned = LearnedCodes(Tensor(np.array(values), requires_grad=True), None, 3, True, "min-max")
    learned.stretch.data[:] = np.log(steps / learned.steps)
    return learned


def test_everybody_sees_rounded_weights_and_the_step_changes_exact_ones() -> None:
    learned = codes_of([0.2, 0.9], 1.0)
    exact = learned.exact
    optimizer = StraightThroughAdam([learned.weight], 0.1, [learned])
    np.testing.assert_allclose(learned.weight.data, [0, 1], rtol=1e-6)
    learned.weight.grad = np.array([1.0, -1.0], np.float32)
    optimizer.step()

    learned.show_exact()
    np.testing.assert_allclose(learned.weight.data, [0.1, 1.0], atol=1e-5)
    assert learned.weight.data is exact


def test_a_step_learns_as_rounded_weights_change_with_it() -> None:
    learned = codes_of([0.3, 1.6, 9.0], 1.0)
    learned.show_rounded()
    learned.weight.grad = np.array([1.0, 10.0, 100.0], np.float32)
    learned.share_gradient()
    slope = (0 - 0.3) + 10 * (2 - 1.6) + 100 * 3  # the last one lies beyond the codes
    np.testing.assert_allclose(learned.stretch.grad, slope / np.sqrt(3 * 3), rtol=1e-5)
    np.testing.assert_array_equal(learned.weight.grad, [1, 10, 0])


def test_every_channel_has_a_step_of_its_own() -> None:
    weight = Tensor(np.array([[0.3, 4.0], [1.0, 1.0]]), requires_grad=True)
    learned = LearnedCodes(weight, 1, 4, False, "mse")
    learned.weight.grad = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    learned.share_gradient()
    assert learned.stretch.grad.shape == (2,)
    assert learned.stretch.grad.data[1] == 0


@pytest.mark.parametrize("bits", [4, 3, 2])
def test_tuning_beats_rounding_alone(trained: Sequential, bits: int) -> None:
    tuned = accuracy(quantization_aware_tune(trained, TRAIN, bits=bits, epochs=6), TEST)
    assert tuned >= accuracy(quantize_model(trained, bits=bits, ranges="mse"), TEST)
    assert tuned > (0.93 if bits > 2 else 0.85)


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="ReLU has none"):
        quantization_aware_tune(ReLU(), TRAIN)


def test_layers_that_are_skipped_stay_floats(trained: Sequential) -> None:
    train, _ = load_digits()
    tuned = quantization_aware_tune(trained, train, epochs=1, skip=["layers.0"])
    assert isinstance(tuned[0].weight, Tensor)
    with pytest.raises(UsageError, match=r"no layer 'layer\.0' to skip"):
        quantization_aware_tune(trained, train, epochs=1, skip=["layer.0"])
