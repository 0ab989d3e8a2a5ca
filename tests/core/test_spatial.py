"""Layers for images: shapes, definitions, errors, running statistics."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.core.layers import Layer, Sequential, layer_kinds, parameter_count
from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d, SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 6, 5)).astype(np.float32)


@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 3),
    height=st.integers(3, 7),
    width=st.integers(3, 7),
    data=st.data(),
)
def test_every_pixel_of_a_convolution_is_its_window_times_the_kernel(
    kernel: tuple[int, int], stride: int, height: int, width: int, data: st.DataObject
) -> None:
    padding = data.draw(st.integers(0, min(kernel) - 1))
    rng = np.random.default_rng(1)
    images = rng.standard_normal((2, 3, height, width))
    weight, bias = rng.standard_normal((4, 3, *kernel)), rng.standard_normal(4)
    layer = Conv2d.from_arrays(weight, bias, stride, padding)
    outputs = layer(Tensor(images)).data

    wider = np.pad(images, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for row, column in np.ndindex(outputs.shape[2:]):
        top, left = row * stride, column * stride
        window = wider[:, :, top : top + kernel[0], left : left + kernel[1]]
        expected = np.einsum("nchw,ochw->no", window, weight) + bias
        np.testing.assert_allclose(outputs[:, :, row, column], expected, rtol=1e-4, atol=1e-4)


def test_a_convolution_of_one_pixel_is_a_linear_layer() -> None:
    layer = Conv2d(3, 4, kernel_size=1, rng=np.random.default_rng(0))
    expected = np.einsum("nchw,oc->nohw", IMAGES, layer.weight.data[:, :, 0, 0])
    np.testing.assert_allclose(layer(IMAGES), expected, rtol=1e-5, atol=1e-6)


def test_a_convolution_starts_with_the_variance_of_he() -> None:
    weight = Conv2d(64, 64, 3, rng=np.random.default_rng(0)).weight.data
    assert weight.var() == pytest.approx(2 / (64 * 9), rel=0.02)


def test_a_convolution_is_drawn_from_the_generator_given() -> None:
    first, second = (Conv2d(3, 3, 3, rng=np.random.default_rng(5)).weight.data for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_sizes_can_be_read_from_a_convolution() -> None:
    layer = Conv2d(3, 8, (3, 2), bias=False)
    assert (layer.in_channels, layer.out_channels, layer.kernel_size) == (3, 8, (3, 2))
    assert parameter_count(layer) == 3 * 8 * 6


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (Conv2d(3, 8, 3), (2, 3, 6, 5), (2, 8, 4, 3)),
        (Conv2d(3, 8, 3, padding=1), (2, 3, 6, 5), (2, 8, 6, 5)),
        (Conv2d(3, 8, 3, stride=2, padding=1), (2, 3, 6, 5), (2, 8, 3, 3)),
        (Conv2d(3, 8, 3), (0, 3, 6, 5), (0, 8, 4, 3)),
        (MaxPool2d(2), (2, 3, 6, 5), (2, 3, 3, 2)),
        (AvgPool2d((3, 2), stride=1), (2, 3, 6, 5), (2, 3, 4, 4)),
        (BatchNorm2d(3), (2, 3, 6, 5), (2, 3, 6, 5)),
        (Flatten(), (2, 3, 6, 5), (2, 90)),
    ],
    ids=repr,
)
def test_shapes(layer: Conv2d, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert layer(np.ones(shape, np.float32)).shape == expected


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Conv2d(3, 8, 3), (2, 4, 6, 5), "4 channels, the weight is for 3"),
        (Conv2d(3, 8, 3), (3, 6, 5), r"\(N, channels, height, width\)"),
        (Conv2d(3, 8, 7), (2, 3, 6, 5), "larger than the padded image"),
        (MaxPool2d(2), (2, 3, 1, 5), "larger than the padded image"),
        (AvgPool2d(2), (6, 5), r"\(N, channels, height, width\)"),
        (BatchNorm2d(3), (2, 4, 6, 5), r"needs \(N, 3, H, W\)"),
        (BatchNorm2d(3), (1, 3, 1, 1), "more than one pixel"),
    ],
)
def test_images_that_do_not_fit_are_refused(layer: Conv2d, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        layer(np.ones(shape, np.float32))


@pytest.mark.parametrize(
    "sizes", [{"kernel_size": 0}, {"kernel_size": 3, "stride": 0}, {"kernel_size": 3, "padding": -1}], ids=str
)
def test_sizes_that_make_no_windows_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="kernel"):
        Conv2d(1, 1, **sizes)
    with pytest.raises(UsageError, match="kernel"):
        MaxPool2d(**sizes)


def test_a_pool_with_an_oblong_kernel_needs_a_stride() -> None:
    with pytest.raises(UsageError, match="stride"):
        MaxPool2d((3, 2))


def test_a_window_of_equal_pixels_hands_its_gradient_to_the_first() -> None:
    images = Tensor(np.ones((1, 1, 2, 2)), requires_grad=True)
    MaxPool2d(2)(images).backward([[[[5.0]]]])
    np.testing.assert_array_equal(images.grad, [[[[5, 0], [0, 0]]]])


def test_batch_norm_makes_mean_zero_and_variance_one_in_training() -> None:
    outputs = BatchNorm2d(3)(IMAGES * 7 + 3).data
    np.testing.assert_allclose(outputs.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.var(axis=(0, 2, 3)), 1, rtol=1e-3)


def test_batch_norm_in_inference_treats_samples_alone() -> None:
    layer = BatchNorm2d(3)
    layer(IMAGES)
    layer.eval()
    np.testing.assert_allclose(layer(IMAGES)[:1], layer(IMAGES[:1]), rtol=1e-6)


def test_running_statistics_are_kept_but_are_no_parameters() -> None:
    layer = BatchNorm2d(3)
    layer(IMAGES)
    twin = pickle.loads(pickle.dumps(layer))
    np.testing.assert_array_equal(twin.running_mean, layer.running_mean)
    assert len(layer.parameters()) == 2


def test_kinds_are_the_names_of_the_layers() -> None:
    model = Sequential(Conv2d(1, 1, 1), BatchNorm2d(1), MaxPool2d(1), AvgPool2d(1), Flatten())
    assert layer_kinds(model) == ["Conv2d", "BatchNorm2d", "MaxPool2d", "AvgPool2d", "Flatten"]


def test_a_pool_needs_pixels_in_every_window() -> None:
    with pytest.raises(UsageError, match="padding smaller than its kernel"):
        MaxPool2d(2, padding=2)


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (Conv2d(3, 8, 3), (2, 4, 6, 5), r"Conv2d\(3, 8, \(3, 3\), stride=1, padding=0\) needs images \(N, 3, H, W\)"),
        (Conv2d(3, 8, 3), (3, 6, 5), r"needs images \(N, 3, H, W\), got \(3, 6, 5\)"),
        (Conv2d(3, 8, 3), (1, 3, 2, 5), "a window .* is larger than the padded image"),
        (MaxPool2d(3), (1, 3, 2, 5), r"MaxPool2d\(.*\) needs images \(N, C, H, W\), got \(1, 3, 2, 5\)"),
        (AvgPool2d(2), (3, 4), r"AvgPool2d\(.*\) needs images"),
    ],
)
def test_images_that_do_not_fit_are_named_with_the_layer(layer: Layer, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        layer(np.ones(shape))


@pytest.mark.parametrize("layer", [Conv2d(3, 4, 3, padding=1), MaxPool2d(2), AvgPool2d(2), Flatten()], ids=repr)
def test_gradients_reach_a_batch_of_any_size(layer: Layer) -> None:
    for samples in (0, 1):
        images = Tensor(IMAGES[:samples], requires_grad=True)
        layer(images).sum().backward()
        assert images.grad is not None
        assert images.grad.shape == images.shape


def test_a_simple_network_scores_every_image() -> None:
    network = SimpleCNN(num_classes=7)
    scores = network(np.zeros((2, 3, 32, 32), np.float32))
    scores.sum().backward()
    assert scores.shape == (2, 7)
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert SimpleCNN(image_size=8, in_channels=1)(np.zeros((1, 1, 8, 8))).shape == (1, 10)
    with pytest.raises(UsageError, match="multiple of 4"):
        SimpleCNN(image_size=30)


def test_batch_norm_says_its_channels() -> None:
    layer = BatchNorm2d(3, eps=1e-3, momentum=0.2)
    assert (layer.num_features, layer.eps, layer.momentum) == (3, 1e-3, 0.2)


def test_batch_norm_keeps_away_from_zero_by_its_eps() -> None:
    layer = BatchNorm2d(1, eps=3.0).eval()
    np.testing.assert_allclose(layer(np.ones((1, 1, 1, 2))), 0.5)


@pytest.mark.parametrize("channels", [(0, 1), (1, 0)])
def test_a_convolution_needs_channels(channels: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="Conv2d needs its channels as an integer from 1 on"):
        Conv2d(*channels, 3)


def test_batch_norm_needs_a_channel() -> None:
    with pytest.raises(UsageError, match="num_features as an integer from 1 on"):
        BatchNorm2d(0)


@pytest.mark.parametrize(
    ("dilation", "groups", "stride", "padding"), [(2, 1, 1, 0), (1, 2, 1, 1), (2, 4, 2, 2), (3, 1, 1, 3)]
)
def test_groups_and_gaps_are_those_of_one_dense_kernel(dilation: int, groups: int, stride: int, padding: int) -> None:
    rng = np.random.default_rng(0)
    layer = Conv2d(4, 8, 3, stride, padding, rng=rng, dilation=dilation, groups=groups)
    images = rng.standard_normal((2, 4, 9, 9)).astype(np.float32)
    size = 1 + 2 * dilation
    dense = np.zeros((8, 4, size, size), np.float32)
    for output in range(8):
        first = output // (8 // groups) * (4 // groups)
        dense[output, first : first + 4 // groups, ::dilation, ::dilation] = layer.weight.data[output]
    plain = Conv2d.from_arrays(dense, None, stride, padding)
    np.testing.assert_allclose(layer(images).data, plain(images).data, rtol=1e-4, atol=1e-5)


def test_gradients_reach_the_kernels_of_all_groups() -> None:
    layer = Conv2d(4, 4, 2, rng=0, dilation=2, groups=2)
    layer(np.ones((1, 4, 5, 5))).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, np.full((4, 2, 2, 2), 9))
    np.testing.assert_array_equal(layer.bias.grad, np.full(4, 9))


@pytest.mark.parametrize("options", [{"groups": 3}, {"groups": 0}, {"dilation": 0}, {"dilation": 1.5}, {"stride": 1.5}])
def test_sizes_that_make_no_convolution_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"Conv2d needs|cannot be divided|needs a kernel"):
        Conv2d(4, 4, 3, **options)


def test_a_convolution_says_what_is_not_plain() -> None:
    assert repr(Conv2d(4, 4, 3, groups=2, dilation=2)).endswith("padding=0, dilation=2, groups=2)")
    assert "groups" not in vars(Conv2d(4, 4, 3))


def test_images_of_other_channels_are_named_in_groups_too() -> None:
    with pytest.raises(ShapeError, match=r"needs images \(N, 4, H, W\), got \(1, 3, 9, 9\)"):
        Conv2d(4, 4, 3, groups=2)(np.ones((1, 3, 9, 9)))


@pytest.mark.parametrize(("weight", "bias"), [(np.ones((2, 3)), None), (np.ones((2, 1, 3, 3)), np.ones(3))])
def test_arrays_that_make_no_convolution_are_refused(weight: Any, bias: Any) -> None:
    with pytest.raises(ShapeError, match="Conv2d needs a weight"):
        Conv2d.from_arrays(weight, bias)
