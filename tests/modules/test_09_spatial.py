"""What the course promises of module 09, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, MaxPool2d
from tinytorch.core.tensor import Tensor

X = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype(np.float32)
GRID = Tensor(np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4))


def by_hand(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A 3x3 convolution without padding, one output at a time."""
    out = np.zeros((len(x), len(weight), x.shape[2] - 2, x.shape[3] - 2))
    for n, c, i, j in np.ndindex(*out.shape):
        out[n, c, i, j] = (x[n, :, i : i + 3, j : j + 3] * weight[c]).sum() + bias[c]
    return out


def test_a_convolution_is_a_sum_over_windows() -> None:
    layer = Conv2d(3, 4, kernel_size=3)

    expected = by_hand(X, np.asarray(layer.weight.data), np.asarray(layer.bias.data))
    np.testing.assert_allclose(layer(Tensor(X)).data, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "size"),
    [({}, 4), ({"padding": 1}, 6), ({"stride": 2}, 2), ({"stride": 2, "padding": 1}, 3)],
    ids=["neither", "padding=1", "stride=2", "both"],
)
def test_its_size_follows_from_stride_and_padding(options: dict[str, int], size: int) -> None:
    assert Conv2d(3, 5, kernel_size=3, **options)(Tensor(X)).shape == (2, 5, size, size)


@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0), (2, 1)])
def test_its_values_follow_from_stride_and_padding(stride: int, padding: int) -> None:
    layer = Conv2d(3, 4, kernel_size=3, stride=stride, padding=padding)
    padded = np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    expected = by_hand(padded, np.asarray(layer.weight.data), np.asarray(layer.bias.data))[:, :, ::stride, ::stride]

    np.testing.assert_allclose(layer(Tensor(X)).data, expected, rtol=1e-3, atol=1e-4)


def test_windows_of_a_pool_may_overlap() -> None:
    assert MaxPool2d(2, stride=1)(GRID).data[0, 0].tolist() == [[5, 6, 7], [9, 10, 11], [13, 14, 15]]


def test_padding_is_never_the_greatest() -> None:
    assert MaxPool2d(2, padding=1)(Tensor(GRID.data - 100)).data.max() == -85
    assert MaxPool2d(2, padding=1)(Tensor(GRID.data - 100)).data.min() == -100


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(MaxPool2d, [[5, 7], [13, 15]]), (AvgPool2d, [[2.5, 4.5], [10.5, 12.5]])],
    ids=["MaxPool2d", "AvgPool2d"],
)
def test_a_pool_says_one_number_for_each_window(kind: type, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(kind(2)(GRID).data[0, 0], expected)


def test_a_convolution_learns() -> None:
    layer = Conv2d(3, 2, kernel_size=3, padding=1)
    layer(Tensor(X)).sum().backward()

    assert np.asarray(layer.weight.grad).shape == layer.weight.shape
    np.testing.assert_allclose(np.asarray(layer.bias.grad), [72, 72], rtol=1e-4)


def test_a_pool_hands_its_gradient_to_the_greatest() -> None:
    x = Tensor(GRID.data, requires_grad=True)
    MaxPool2d(2)(x).sum().backward()

    assert np.flatnonzero(np.asarray(x.grad)).tolist() == [5, 7, 13, 15]


def test_in_inference_a_channel_is_normalized_by_what_was_seen_in_training() -> None:
    layer, seen = BatchNorm2d(3), 5 * X + 2
    for _ in range(80):
        layer(Tensor(seen))
    layer.training = False
    found = np.asarray(layer(Tensor(np.full((1, 3, 6, 6), 2.0))).data)

    expected = (2 - seen.mean(axis=(0, 2, 3))) / seen.std(axis=(0, 2, 3))
    np.testing.assert_allclose(found[0, :, 0, 0], expected, atol=0.05)


def test_normalized_channels_learn_a_gain_and_a_shift() -> None:
    assert sorted(parameter.size for parameter in BatchNorm2d(3).parameters()) == [3, 3]


def test_normalized_channels_have_mean_zero_and_deviation_one() -> None:
    found = np.asarray(BatchNorm2d(3)(Tensor(5 * X + 2)).data)

    np.testing.assert_allclose(found.mean(axis=(0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=(0, 2, 3)), 1, atol=1e-2)
