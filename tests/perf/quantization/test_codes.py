"""Codes: how far a weight moves, what it takes, and that nothing is lost in packing."""

from __future__ import annotations

import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinytorch.core.tensor import Tensor
from tinytorch.errors import RangeError, UsageError
from tinytorch.perf.quantization import quantize_weight

WEIGHTS = arrays(np.float32, array_shapes(min_dims=2, max_dims=4), elements=st.floats(-100, 100, width=32))
SCHEMES = [*product((8, 4, 3, 2), (True, False), (None, 0, 1))]
TINY = np.array([[1e-45]], np.float32)  # its scale would underflow to zero


def scheme(bits: int, symmetric: bool, axis: int | None) -> dict[str, object]:
    return {"bits": bits, "symmetric": symmetric, "axis": axis}


@given(weight=WEIGHTS, chosen=st.sampled_from(SCHEMES))
@example(weight=TINY, chosen=(8, True, None))
@example(weight=TINY, chosen=(4, False, 0))
def test_no_weight_moves_by_more_than_half_a_step(weight: np.ndarray, chosen: tuple) -> None:
    quantized = quantize_weight(weight, **scheme(*chosen))
    half_step = quantized._beside(quantized.scale, slice(None)) * 0.501
    allowed = half_step if chosen[1] else 2 * half_step  # zero, too, is put on a whole step

    assert (np.abs(quantized.dense().astype(np.float64) - weight) <= allowed + 1e-5 * np.abs(weight)).all()


@pytest.mark.parametrize("chosen", SCHEMES)
def test_zero_stays_zero(chosen: tuple) -> None:
    weight = np.array([[0.0, 3.0], [-1.0, 0.0], [0.0, 0.0]], np.float32)
    restored = quantize_weight(weight, **scheme(*chosen)).dense()

    assert (restored[weight == 0] == 0).all()


@pytest.mark.parametrize("chosen", SCHEMES)
def test_a_channel_without_weights_adds_nothing(chosen: tuple) -> None:
    weight = np.random.default_rng(0).normal(size=(784, 6)).astype(np.float32)
    weight[:, 2] = 0
    inputs = Tensor(np.random.default_rng(1).random((3, 784), np.float32))
    codes = quantize_weight(weight, **scheme(*chosen))

    np.testing.assert_allclose(codes.multiply(inputs).data, inputs.data @ codes.dense(), atol=2e-4)
    assert chosen[2] != 1 or (codes.multiply(inputs).data[:, 2] == 0).all()


@pytest.mark.parametrize("chosen", SCHEMES)
@pytest.mark.parametrize("value", [0.0, 2.5, -2.5])
def test_a_constant_weight_is_nearly_itself(chosen: tuple, value: float) -> None:
    restored = quantize_weight(np.full((3, 4), value, np.float32), **scheme(*chosen)).dense()

    np.testing.assert_allclose(restored, value, rtol=5e-4)  # of the scale's float16


@pytest.mark.parametrize(
    ("options", "nbytes"),
    [
        ({"axis": 1}, 64 * 32 + 2 * 32),
        ({"axis": None}, 64 * 32 + 2),
        ({"axis": 1, "symmetric": False}, 64 * 32 + 3 * 32),
        ({"axis": 1, "bits": 4}, 64 * 32 // 2 + 2 * 32),
        ({"axis": None, "bits": 4, "symmetric": False}, 64 * 32 // 2 + 3),
    ],
)
def test_bytes_are_those_of_codes_scales_and_zero_points(options: dict, nbytes: int) -> None:
    quantized = quantize_weight(np.random.default_rng(0).standard_normal((64, 32)).astype(np.float32), **options)

    assert quantized.nbytes == nbytes
    assert nbytes <= len(pickle.dumps(quantized, 5)) <= nbytes + 600


def test_four_bits_with_their_scales_take_less_than_14_per_cent() -> None:
    weight = np.ones((1024, 1024), np.float32)

    assert quantize_weight(weight, 1, bits=4).nbytes <= 0.14 * weight.nbytes


@pytest.mark.parametrize("chosen", SCHEMES)
@pytest.mark.parametrize("index", [1, slice(1, 3), np.array([2, 0, 2]), np.array([[0, 1]]), (slice(None), 1)])
def test_rows_are_rows_of_the_whole(chosen: tuple, index: object) -> None:
    quantized = quantize_weight(np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32), **scheme(*chosen))

    np.testing.assert_array_equal(quantized.rows(index), quantized.dense()[index])
    np.testing.assert_array_equal(quantized[index].data, quantized.dense()[index])


HEAVY_TAILED = np.random.default_rng(0).standard_t(2, (200, 8)).astype(np.float32)


def squared_error(**options: object) -> float:
    return float(np.square(quantize_weight(HEAVY_TAILED, **options).dense() - HEAVY_TAILED).sum())


@pytest.mark.parametrize(("bits", "symmetric", "axis"), SCHEMES)
def test_the_least_squared_error_is_never_larger_than_that_of_the_whole_range(
    bits: int, symmetric: bool, axis: int | None
) -> None:
    options = scheme(bits, symmetric, axis)

    assert squared_error(**options, ranges="mse") <= squared_error(**options)


def test_with_few_bits_and_far_outliers_cutting_off_helps() -> None:
    assert squared_error(axis=1, bits=4, ranges="mse") < 0.9 * squared_error(axis=1, bits=4)


def test_a_percentile_leaves_the_outermost_thousandth_out() -> None:
    weight = np.linspace(-1, 1, 10_001, dtype=np.float32).reshape(-1, 1)
    quantized = quantize_weight(weight, None, ranges="percentile")

    assert np.abs(quantized.dense()).max() == pytest.approx(0.998, abs=1e-4)


def test_channels_of_their_own_are_finer_than_one_scale_for_all() -> None:
    weight = np.array([[1.0, 100.0], [-0.5, 50.0]], np.float32)
    fine, coarse = (np.abs(quantize_weight(weight, axis).dense() - weight)[:, 0].max() for axis in (1, None))

    assert fine < 0.01 < coarse


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(UsageError, match="NaN or infinite"):
        quantize_weight(np.array([[value, 1.0]]), 1)


@pytest.mark.parametrize(
    ("options", "words"), [({"bits": 5}, "8, 4, 3 or 2 bits"), ({"ranges": "minmax"}, "no ranges")]
)
def test_schemes_that_there_are_not_are_refused(options: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        quantize_weight(np.ones((2, 2)), 1, **options)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
@pytest.mark.parametrize("ranges", ["min-max", "percentile", "mse"])
def test_a_weight_without_elements_stays_so(shape: tuple[int, int], ranges: str) -> None:
    assert quantize_weight(np.zeros(shape, np.float32), 1, ranges=ranges).dense().shape == shape


def test_codes_lie_in_order_however_the_weight_does() -> None:
    turned = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32).T

    assert quantize_weight(turned, 1).codes.flags.c_contiguous


def test_an_axis_is_counted_from_the_end_too() -> None:
    weight = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    last, second = quantize_weight(weight, -1), quantize_weight(weight, 1)
    np.testing.assert_array_equal(last.dense(), second.dense())
    assert last.axis == 1
    with pytest.raises(RangeError, match=r"must lie in -2\.\.1, not 2"):
        quantize_weight(weight, 2)
