"""Magnitude pruning: which weights go, how many, and that they stay away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, Sequential, layer_kinds, parameter_count
from tinytorch.core.spatial import SimpleCNN
from tinytorch.core.transformers import GPT
from tinytorch.core.weights import weighted_layers
from tinytorch.datasets import load_digits
from tinytorch.errors import UsageError
from tinytorch.perf.compression import magnitude, prune_weights, share_weights, sparsity_of


def model() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(64, 20, rng=rng), ReLU(), Linear(20, 10, rng=rng)).eval()


DATA = TensorDataset(load_digits()[0].inputs[:200], load_digits()[0].labels[:200])


@given(sparsity=st.floats(0, 1), scope=st.sampled_from(["layer", "model"]))
def test_exactly_that_share_of_the_weights_is_zero(sparsity: float, scope: str) -> None:
    assert sparsity_of(prune_weights(model(), sparsity=sparsity, scope=scope)) == pytest.approx(sparsity, abs=0.003)


def test_the_smallest_weights_go() -> None:
    original = model()
    pruned = prune_weights(original, sparsity=0.5)
    for before, after in ((original[place].weight.data, pruned[place].weight.data) for place in (0, 2)):
        gone = after == 0
        assert np.abs(before[gone]).max() <= np.abs(before[~gone]).min()
        np.testing.assert_array_equal(after[~gone], before[~gone])


def test_each_layer_loses_its_share_or_the_whole_model_does() -> None:
    original = model()
    original[2].weight.data *= 100
    by_layer, by_model = (prune_weights(original, sparsity=0.5, scope=scope) for scope in ("layer", "model"))

    assert [np.mean(by_layer[place].weight.data == 0) for place in (0, 2)] == [0.5, 0.5]
    assert (by_model[2].weight.data == 0).sum() < 0.1 * by_model[2].weight.size


def test_biases_stay() -> None:
    original = model()
    original[0].bias.data[:] = 0.001

    assert (prune_weights(original, sparsity=1.0)[0].bias.data == original[0].bias.data).all()


@pytest.mark.parametrize("options", [{}, {"gradual_epochs": 3}])
def test_zeros_stay_zeros_while_the_rest_learns(options: dict) -> None:
    original = model()
    pruned = prune_weights(original, sparsity=0.8, train_data=DATA, epochs=2, **options)

    assert sparsity_of(pruned) == pytest.approx(0.8, abs=0.003)
    assert (pruned[0].weight.data != original[0].weight.data)[pruned[0].weight.data != 0].any()


def test_little_by_little_is_fast_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[float] = []
    plain = magnitude.prune_in_place

    def noted(model, sparsity: float, *others):
        reached.append(sparsity)
        return plain(model, sparsity, *others)

    monkeypatch.setattr(magnitude, "prune_in_place", noted)
    prune_weights(model(), sparsity=0.9, train_data=DATA, gradual_epochs=3, epochs=1)

    assert reached == pytest.approx([0.9 * 19 / 27, 0.9 * 26 / 27, 0.9, 0.9])


@pytest.mark.parametrize(
    "make",
    [
        lambda: SimpleCNN(10, 8, 1, rng=np.random.default_rng(0)),
        lambda: GPT(7, 8, 1, 2, 6, rng=np.random.default_rng(0)),
    ],
)
def test_models_of_any_kind_are_pruned_and_keep_their_kinds(make) -> None:
    original = make()
    pruned = prune_weights(original, sparsity=0.7)

    assert sparsity_of(pruned) == pytest.approx(0.7, abs=0.02)
    assert sparsity_of(original) == 0
    assert (layer_kinds(pruned), parameter_count(pruned)) == (layer_kinds(original), parameter_count(original))


WRONG = {
    "more than all": ({"sparsity": 1.2}, "share of the weights"),
    "less than nothing": ({"sparsity": -0.1}, "share of the weights"),
    "unknown scope": ({"sparsity": 0.5, "scope": "globl"}, "no scope"),
    "gradual without data": ({"sparsity": 0.5, "gradual_epochs": 3}, "needs train_data"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_makes_no_sense_is_refused(options: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        prune_weights(model(), **options)


def test_pruning_comes_before_compact_weights() -> None:
    with pytest.raises(UsageError) as caught:
        prune_weights(share_weights(model()), sparsity=0.5)

    assert "prune first" in caught.value.mend


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="ReLU has none"):
        prune_weights(ReLU(), sparsity=0.5)
    assert sparsity_of(ReLU()) == 0


def test_layers_that_are_skipped_keep_their_weights() -> None:
    plain = model()
    names = [name for name, _, _ in weighted_layers(plain)]
    pruned = prune_weights(plain, sparsity=0.5, skip=names[:1])
    zeros = [float((layer.weight.data == 0).mean()) for _, layer, _ in weighted_layers(pruned)]
    assert zeros[0] == 0
    assert min(zeros[1:]) > 0.4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"skip": ["nope"]}, "no layer 'nope' to skip"),
        ({"skip": "layers.0"}, "must be a list of names"),
        ({"skip": [0]}, "must be a list of names"),
        ({"skip": None}, "must be a list of names"),
        ({"banana": 3}, "no option banana="),
        ({"epochs": 3}, "without train_data has no effect"),
        ({"lr": 0.1, "train_data": DATA}, "no option lr="),
    ],
)
def test_what_has_no_effect_is_refused(options: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        prune_weights(model(), sparsity=0.5, **options)


@pytest.mark.parametrize(("sparsity", "left"), [(0.999, 1), (0.97, 1), (0.5, 8), (1.0, 0)])
def test_less_than_all_leaves_at_least_one(sparsity: float, left: int) -> None:
    layer = prune_weights(Sequential(Linear(4, 4, rng=1)), sparsity=sparsity)[0]

    assert np.count_nonzero(layer.weight.data) == left
