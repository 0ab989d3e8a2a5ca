"""The curriculum's functions give what the plain operations give."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import GELU
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.acceleration import fused_gelu, im2col_conv2d, tiled_matmul, vectorized_matmul

RNG = np.random.default_rng(0)


def drawn(*shape: int) -> Tensor:
    return Tensor(RNG.standard_normal(shape, np.float32))


@pytest.mark.parametrize("tile_size", [1, 3, 64, 1000])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 7, 3), (70, 65, 130)])
def test_tiles_add_up_to_the_product(sizes: tuple[int, int, int], tile_size: int) -> None:
    a, b = drawn(*sizes[:2]), drawn(*sizes[1:])

    np.testing.assert_allclose(tiled_matmul(a, b, tile_size).data, (a @ b).data, atol=1e-4)


@pytest.mark.parametrize("shapes", [((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 1)), ((5, 2, 3), (3, 4))])
def test_the_product_of_matrices(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    a, b = drawn(*shapes[0]), drawn(*shapes[1])

    np.testing.assert_allclose(vectorized_matmul(a, b).data, a.data @ b.data, atol=1e-6)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 5)])
def test_gelu_in_one_array(shape: tuple[int, ...]) -> None:
    x = drawn(*shape)

    np.testing.assert_allclose(fused_gelu(x).data, GELU()(x).data, atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("bias", [True, False])
def test_windows_times_one_matrix(stride: int, padding: int, bias: bool) -> None:
    x, layer = drawn(2, 3, 6, 5), Conv2d(3, 4, (3, 2), stride, padding, bias, rng=RNG)
    outputs = im2col_conv2d(x, layer.weight, layer.bias, stride=stride, padding=padding)

    np.testing.assert_allclose(outputs.data, layer(x).data, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tiled_matmul(drawn(2, 3), drawn(4, 2)),
        lambda: tiled_matmul(drawn(1, 2, 3), drawn(3, 2)),
        lambda: vectorized_matmul(drawn(3), drawn(3, 2)),
        lambda: vectorized_matmul(drawn(2, 3), drawn(2, 3)),
        lambda: im2col_conv2d(drawn(1, 2, 4, 4), drawn(3, 1, 2, 2)),
        lambda: im2col_conv2d(drawn(1, 1, 2, 2), drawn(3, 1, 3, 3)),
    ],
)
def test_what_does_not_fit_together_is_refused(call) -> None:
    with pytest.raises(ShapeError):
        call()


def test_tiles_have_a_size() -> None:
    with pytest.raises(UsageError, match="tile_size as an integer from 1 on"):
        tiled_matmul(drawn(2, 2), drawn(2, 2), 0)
