"""Low rank: as near as singular values allow, and only where it takes less."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.layers import Linear, Sequential, layer_kinds
from tinytorch.core.spatial import SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.compression import FactoredWeight, factorize
from tinytorch.perf.compression.low_rank import factored, rank_for

RNG = np.random.default_rng(0)
WEIGHT = RNG.standard_normal((40, 30)).astype(np.float32)


def test_a_weight_of_low_rank_is_kept_as_it_is() -> None:
    weight = (RNG.standard_normal((40, 3)) @ RNG.standard_normal((3, 30))).astype(np.float32)
    found = factored(weight, energy=0.9999)

    assert found.rank == 3
    assert found.nbytes == 4 * 3 * 70
    np.testing.assert_allclose(found.dense(), weight, atol=1e-4)


@pytest.mark.parametrize("rank", [1, 5, 10])
def test_no_product_of_that_rank_is_nearer(rank: int) -> None:
    singular = np.linalg.svd(WEIGHT, compute_uv=False)
    error = np.linalg.norm(factored(WEIGHT, rank=rank).dense() - WEIGHT)

    assert error == pytest.approx(np.sqrt(np.square(singular[rank:]).sum()), rel=1e-4)


@pytest.mark.parametrize(("energy", "rank"), [(0.5, 1), (0.64, 1), (0.65, 2), (0.9, 2), (1.0, 3)])
def test_the_least_rank_that_keeps_the_energy(energy: float, rank: int) -> None:
    assert rank_for(np.sqrt([64.0, 26.0, 10.0]), energy) == rank


def test_a_weight_that_would_take_more_stays() -> None:
    assert factored(WEIGHT, rank=30) is None
    assert isinstance(factorize(Sequential(Linear(4, 3)), energy=1.0)[0].weight, Tensor)


@pytest.mark.parametrize("weight", [np.zeros((10, 10)), np.zeros((0, 3)), np.ones(5)])
def test_weights_of_little_are_no_error(weight: np.ndarray) -> None:
    found = factored(weight.astype(np.float32), energy=0.9)

    assert found is None or (found.dense() == weight).all()


def test_convolutions_keep_their_shape_and_models_their_kinds() -> None:
    original, inputs = SimpleCNN(10, 8, 1, rng=np.random.default_rng(0)).eval(), RNG.standard_normal((2, 1, 8, 8))
    small = factorize(original, rank=4)

    assert isinstance(small.conv2.weight, FactoredWeight)
    assert small(inputs).shape == (2, 10)
    assert layer_kinds(small) == layer_kinds(original)


@pytest.mark.parametrize("index", [2, slice(1, 4), np.array([[1, 0]]), (slice(None), 1)])
def test_rows_are_rows_of_the_whole(index: object) -> None:
    found = factored(RNG.standard_normal((8, 3, 3, 3)).astype(np.float32), rank=2)

    np.testing.assert_allclose(found.rows(index), found.dense()[index], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"rank": 2, "energy": 0.5}, {"rank": 0}, {"energy": 0.0}, {"energy": 1.5}])
def test_what_makes_no_sense_is_refused(options: dict) -> None:
    with pytest.raises(UsageError, match=r"factorize needs (either|energy|rank)"):
        factorize(Sequential(Linear(4, 3)), **options)


def test_weights_that_are_not_finite_are_refused() -> None:
    with pytest.raises(UsageError, match="NaN"):
        factored(np.full((3, 3), np.nan), rank=1)
