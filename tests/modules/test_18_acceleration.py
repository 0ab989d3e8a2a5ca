"""What the course promises of module 18 (17 in the newer edition), whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import GELU
from tinytorch.core.tensor import Tensor
from tinytorch.perf.acceleration import fused_gelu, tiled_matmul, vectorized_matmul

A, B = (np.random.default_rng(seed).normal(size=shape) for seed, shape in enumerate([(33, 50), (50, 21)]))


def test_a_product_of_matrices_is_numpy_s() -> None:
    np.testing.assert_allclose(vectorized_matmul(Tensor(A), Tensor(B)).data, A @ B, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("tile_size", [1, 7, 16, 64])
def test_tiles_add_up_to_the_product(tile_size: int) -> None:
    np.testing.assert_allclose(tiled_matmul(Tensor(A), Tensor(B), tile_size).data, A @ B, rtol=1e-3, atol=1e-4)


FUNCTIONS = {
    "vectorized_matmul": lambda a: vectorized_matmul(a, Tensor(B)),
    "tiled_matmul": lambda a: tiled_matmul(a, Tensor(B), 16),
    "fused_gelu": lambda a: fused_gelu(a),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_goes_in_stays_as_it_was(function) -> None:
    given = Tensor(A)
    function(given)

    np.testing.assert_array_equal(given.data, Tensor(A).data)


@pytest.mark.parametrize("product", [vectorized_matmul, tiled_matmul])
def test_shapes_that_do_not_fit_are_refused(product) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every implementation has words of its own
        product(Tensor(A), Tensor(A))


def test_gelu_in_one_go_is_gelu() -> None:
    np.testing.assert_allclose(fused_gelu(Tensor(A)).data, GELU()(Tensor(A)).data, atol=0.025)
