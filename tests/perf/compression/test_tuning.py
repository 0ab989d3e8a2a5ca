"""Fine-tuning: on samples that change, at a rate that falls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch.core.dataloader import RandomNoise, TensorDataset
from tinytorch.core.layers import Linear, ReLU, Sequential
from tinytorch.core.schedules import LEAST_RATE
from tinytorch.core.state import state_dict
from tinytorch.errors import UsageError
from tinytorch.perf.compression import prune_neurons, prune_transformer
from tinytorch.perf.compression.tuning import fine_tune, number_of


class Seen:
    """A transform that keeps what it was given and changes nothing."""

    def __init__(self) -> None:
        self.batches: list[np.ndarray] = []

    def __call__(self, inputs: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        self.batches.append(inputs)
        return inputs


def data() -> TensorDataset:
    generator = np.random.default_rng(0)
    return TensorDataset(generator.random((20, 4), np.float32), generator.integers(0, 3, 20))


def model() -> Sequential:
    generator = np.random.default_rng(1)
    return Sequential(Linear(4, 8, rng=generator), ReLU(), Linear(8, 3, rng=generator))


def test_every_batch_of_every_epoch_is_changed() -> None:
    seen = Seen()
    fine_tune(model(), data(), epochs=3, batch_size=5, transforms=[seen])

    assert [len(batch) for batch in seen.batches] == [5] * 12


def test_pruning_hands_them_on() -> None:
    seen = Seen()
    prune_neurons(model(), keep=4, train_data=data(), epochs=1, batch_size=20, transforms=[seen])

    assert len(seen.batches) == 1


def test_other_samples_make_another_model() -> None:
    plain, changed = model(), model()
    fine_tune(plain, data(), epochs=1)
    fine_tune(changed, data(), epochs=1, transforms=[RandomNoise(0.5)])

    assert not np.array_equal(plain[0].weight.data, changed[0].weight.data)


def test_a_constant_rate_is_what_it_was_before_there_were_schedules() -> None:
    first, second = model(), model()
    fine_tune(first, data(), epochs=4)
    fine_tune(second, data(), epochs=4, schedule="constant")

    assert all(np.array_equal(array, state_dict(second)[name]) for name, array in state_dict(first).items())


def test_a_cosine_falls_to_nearly_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first epoch has the rate that was asked for, the last one the least."""
    rates: list[float] = []
    monkeypatch.setattr("tinytorch.perf.compression.tuning.MaskedAdam.step", lambda self: rates.append(self.lr))
    fine_tune(model(), data(), epochs=50, batch_size=20, learning_rate=0.1, schedule="cosine")

    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1] < 2 * LEAST_RATE * 0.1) == (0.1, True)


def test_a_schedule_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no schedule 'cosin'"):
        fine_tune(model(), data(), schedule="cosin")


@pytest.mark.parametrize("prune", [prune_neurons, prune_transformer])
def test_options_of_tuning_without_data_are_refused(prune: Callable[..., object]) -> None:
    with pytest.raises(UsageError, match="epochs= without train_data has no effect"):
        prune(model(), **({"keep": 2} if prune is prune_neurons else {"heads": 1}), epochs=3)


def test_a_pair_of_inputs_and_labels_is_trained_on_too() -> None:
    inputs, labels = data().inputs, data().labels
    models = [model(), model()]
    for each, given in zip(models, (data(), (inputs, labels)), strict=True):
        fine_tune(each, given, epochs=1)
    np.testing.assert_array_equal(*[each.parameters()[0].data for each in models])


@pytest.mark.parametrize("keep", [np.int64(4), 4, np.float64(0.5), 0.5])
def test_a_number_of_numpy_s_is_a_number(keep: Any) -> None:
    assert number_of("keep", keep, 8) == 4
