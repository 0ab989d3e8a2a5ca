"""Weight sharing: k-means in one dimension, what it takes, and zeros that stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential, layer_kinds, parameter_count
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT
from tinytorch.errors import UsageError
from tinytorch.perf.compression import SharedWeight, prune_weights, share_weights
from tinytorch.perf.compression.sharing import cluster, shared

VALUES = arrays(np.float32, st.integers(1, 60), elements=st.floats(-100, 100, width=32))
RNG = np.random.default_rng(0)
WEIGHT = RNG.standard_normal((40, 30)).astype(np.float32)


def distances(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.abs(values[:, None].astype(np.float64) - centres)


@given(values=VALUES, count=st.integers(1, 16))
def test_centres_are_means_of_the_values_that_are_nearest_to_them(values: np.ndarray, count: int) -> None:
    centres = cluster(values, count)
    nearest = distances(values, centres).argmin(axis=1)

    assert 1 <= len(centres) <= count
    assert (np.diff(centres) > 0).all()
    for number, centre in enumerate(centres):
        if (nearest == number).any() and len(np.unique(distances(values, centres).min(axis=1))) == len(values):
            assert values[nearest == number].mean(dtype=np.float64) == pytest.approx(centre, rel=1e-6, abs=1e-6)


def test_groups_that_lie_apart_are_found() -> None:
    values = np.concatenate([centre + 0.01 * RNG.standard_normal(50) for centre in (-3, 0.5, 2, 9)]).astype(np.float32)

    np.testing.assert_allclose(cluster(values, 4), [-3, 0.5, 2, 9], atol=0.02)


@pytest.mark.parametrize(("clusters", "bits"), [(2, 1), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)])
def test_numbers_take_as_many_bits_as_the_codebook_needs(clusters: int, bits: int) -> None:
    found = shared(WEIGHT, clusters)

    assert found.bits == bits
    assert found.nbytes == 1200 * bits // 8 + 4 * len(found.codebook)
    assert len(np.unique(found.dense())) <= clusters


@given(values=VALUES, count=st.integers(2, 16))
def test_every_weight_is_its_nearest_value(values: np.ndarray, count: int) -> None:
    found = shared(values, count)
    nonzero = values != 0

    own = found.codebook[1:] if 0 < nonzero.sum() < len(values) else found.codebook
    least = distances(values, own.astype(np.float64)).min(axis=1)
    moved = np.abs(found.dense().astype(np.float64) - values)
    np.testing.assert_allclose(moved[nonzero], least[nonzero], atol=1e-4)
    assert (found.dense()[~nonzero] == 0).all()


def test_more_values_move_weights_less() -> None:
    errors = [np.square(shared(WEIGHT, count).dense() - WEIGHT).sum() for count in (2, 4, 16, 64, 256)]

    assert errors == sorted(errors, reverse=True)


def test_zeros_have_a_value_of_their_own() -> None:
    pruned = np.where(np.abs(WEIGHT) < 1, 0, WEIGHT)
    found = shared(pruned, 16)

    assert (found.dense()[pruned == 0] == 0).all()
    assert (found.dense()[pruned != 0] != 0).all()
    assert len(found.codebook) <= 16


@pytest.mark.parametrize("weight", [np.zeros((3, 2)), np.full((3, 2), 2.5), np.zeros((0, 2)), np.array([[1.0]])])
def test_few_different_weights_are_kept_exactly(weight: np.ndarray) -> None:
    np.testing.assert_array_equal(shared(weight.astype(np.float32), 16).dense(), weight)


def model() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(6, 16, rng=rng), ReLU(), Linear(16, 3, rng=rng)).eval()


@pytest.mark.parametrize("make", [model, lambda: GPT(7, 8, 1, 2, 6, rng=np.random.default_rng(0)).eval()])
def test_models_of_any_kind_share(make) -> None:
    original = make()
    sharing = share_weights(original, clusters=256)
    inputs = np.ones((2, 6)) if make is model else np.zeros((2, 5), int)

    np.testing.assert_allclose(sharing(inputs).data, original(inputs).data, atol=0.05)
    assert (layer_kinds(sharing), parameter_count(sharing)) == (layer_kinds(original), parameter_count(original))


def test_kept_layers_stay() -> None:
    sharing = share_weights(model(), skip=["layers.0"])

    assert [type(sharing[place].weight) for place in (0, 2)] == [Tensor, SharedWeight]


def test_pruning_before_sharing_keeps_its_zeros() -> None:
    sharing = share_weights(prune_weights(model(), sparsity=0.5), clusters=4)

    assert np.mean(sharing[0].weight.dense() == 0) == 0.5


@pytest.mark.parametrize("clusters", [1, 257])
def test_a_number_of_clusters_that_makes_no_sense_is_refused(clusters: int) -> None:
    with pytest.raises(UsageError, match=r"2..256"):
        share_weights(model(), clusters=clusters)


def test_weights_that_are_not_finite_are_refused() -> None:
    with pytest.raises(UsageError, match="NaN"):
        shared(np.array([[np.nan]]), 4)


def test_rows_are_rows_of_the_whole() -> None:
    found = shared(WEIGHT, 16)

    np.testing.assert_array_equal(found.rows(np.array([3, 1])), found.dense()[[3, 1]])
