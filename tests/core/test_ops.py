"""Every operation's gradients, and broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from tinytorch.core.arrays import unbroadcast
from tinytorch.core.ops import OPERATIONS

RNG = np.random.default_rng(7)
MATRIX = RNG.standard_normal((3, 4))
OTHER = RNG.standard_normal((3, 4))
ROW = RNG.standard_normal(4)
COLUMN = RNG.standard_normal((3, 1))
CUBE = RNG.standard_normal((2, 3, 4))
IMAGES = RNG.standard_normal((2, 3, 5, 6))
KERNELS = RNG.standard_normal((4, 3, 3, 2))
AWAY_FROM_ZERO = np.where(MATRIX < 0, -1, 1) * (np.abs(MATRIX) + 0.5)
POSITIVE = np.abs(MATRIX) + 0.5
TWO_AXES: dict[str, Any] = {"axis": (0, 2), "keepdims": False}

CASES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("add", [MATRIX, OTHER], {}),
    ("add", [MATRIX, ROW], {}),
    ("sub", [COLUMN, ROW], {}),
    ("sub", [ROW, CUBE], {}),
    ("mul", [MATRIX, COLUMN], {}),
    ("mul", [np.array(2.5), CUBE], {}),
    ("div", [MATRIX, AWAY_FROM_ZERO], {}),
    ("div", [ROW, POSITIVE], {}),
    ("neg", [MATRIX], {}),
    ("pow", [MATRIX], {"exponent": 3}),
    ("pow", [np.array([0.0, 1.0])], {"exponent": 0}),
    ("pow", [POSITIVE], {"exponent": -0.5}),
    ("power", [POSITIVE, OTHER], {}),
    ("power", [np.array(2.0), CUBE], {}),
    ("power", [POSITIVE, np.array([0.0, 1.0, 2.0, -0.5])], {}),
    ("abs", [AWAY_FROM_ZERO], {}),
    ("matmul", [MATRIX, OTHER.T], {}),
    ("matmul", [CUBE, OTHER.T], {}),
    ("matmul", [CUBE, CUBE.swapaxes(1, 2)], {}),
    ("matmul", [CUBE[:1], CUBE.swapaxes(1, 2)], {}),
    ("matmul", [ROW, ROW], {}),
    ("matmul", [MATRIX, ROW], {}),
    ("matmul", [CUBE, ROW], {}),
    ("matmul", [COLUMN[:, 0], MATRIX], {}),
    ("matmul", [COLUMN[:, 0], CUBE], {}),
    ("linear", [MATRIX, OTHER.T, COLUMN[:, 0]], {}),
    ("linear", [CUBE, OTHER.T, COLUMN[:, 0]], {}),
    ("linear", [ROW, OTHER.T, COLUMN[:, 0]], {}),
    ("exp", [MATRIX], {}),
    ("log", [POSITIVE], {}),
    ("sqrt", [POSITIVE], {}),
    ("tanh", [MATRIX], {}),
    ("sigmoid", [MATRIX], {}),
    ("gelu", [3 * MATRIX], {}),
    ("where", [MATRIX, OTHER], {"condition": MATRIX > OTHER}),
    ("where", [COLUMN, ROW], {"condition": MATRIX > 0}),
    ("where", [CUBE, np.array(-1.5)], {"condition": CUBE[:1, :, :1] > 0}),
    ("relu", [AWAY_FROM_ZERO], {}),
    ("conv2d", [IMAGES, KERNELS, ROW], {"stride": 1, "padding": 1}),
    ("conv2d", [IMAGES, KERNELS], {"stride": 1, "padding": 0}),
    ("conv2d", [IMAGES, KERNELS, ROW], {"stride": 2, "padding": 1}),
    ("conv2d", [IMAGES, KERNELS, ROW], {"stride": 3, "padding": 0}),
    ("conv2d", [IMAGES, KERNELS, ROW], {"stride": 2, "padding": 3}),
    ("conv2d", [IMAGES, KERNELS[:, :, :1, :1], ROW], {"stride": 1, "padding": 0}),
    ("conv2d", [IMAGES, KERNELS[:, :, :1, :1]], {"stride": 2, "padding": 1}),
    ("conv2d", [IMAGES[:1], KERNELS[:, :, :1], ROW], {"stride": 1, "padding": 1}),
    ("max_pool2d", [IMAGES], {"kernel": (2, 2), "stride": 2, "padding": 0}),
    ("max_pool2d", [IMAGES], {"kernel": (3, 2), "stride": 1, "padding": 1}),
    ("max_pool2d", [IMAGES[:1]], {"kernel": (2, 2), "stride": 3, "padding": 0}),
    ("max_pool2d", [IMAGES[:1]], {"kernel": (1, 1), "stride": 2, "padding": 0}),
    ("avg_pool2d", [IMAGES], {"kernel": (2, 2), "stride": 2, "padding": 0}),
    ("avg_pool2d", [IMAGES[:1]], {"kernel": (2, 3), "stride": 1, "padding": 1}),
    ("avg_pool2d", [IMAGES], {"kernel": (3, 2), "stride": 1, "padding": 1}),
    ("sum", [MATRIX], {"axis": None, "keepdims": False}),
    ("sum", [CUBE], TWO_AXES),
    ("sum", [CUBE], {"axis": -1, "keepdims": True}),
    ("mean", [MATRIX], {"axis": None, "keepdims": False}),
    ("mean", [CUBE], TWO_AXES),
    ("var", [MATRIX], {"axis": None, "keepdims": False}),
    ("var", [CUBE], TWO_AXES),
    ("std", [MATRIX], {"axis": None, "keepdims": False}),
    ("std", [CUBE], TWO_AXES),
    ("max", [MATRIX], {"axis": None, "keepdims": True}),
    ("max", [MATRIX], {"axis": 1, "keepdims": False}),
    ("max", [CUBE], TWO_AXES),
    ("min", [MATRIX], {"axis": None, "keepdims": True}),
    ("min", [CUBE], TWO_AXES),
    ("clip", [MATRIX], {"low": np.array(-0.5), "high": None}),
    ("clip", [MATRIX], {"low": np.array(-0.5), "high": np.array(0.7)}),
    ("clone", [MATRIX], {}),
    ("reshape", [MATRIX], {"shape": (2, -1)}),
    ("transpose", [CUBE], {"axes": None}),
    ("transpose", [CUBE], {"axes": (2, 0, 1)}),
    ("transpose", [CUBE], {"axes": (0, -1, -2)}),
    ("swapaxes", [CUBE], {"first": -1, "second": 0}),
    ("getitem", [CUBE], {"index": (slice(1), ..., slice(None, None, 2))}),
    ("getitem", [CUBE], {"index": (0, None, 1)}),
    ("getitem", [MATRIX], {"index": np.array([0, 2, 0, 0])}),
    ("getitem", [MATRIX], {"index": np.array([[0, -1], [2, 2]])}),
    ("getitem", [MATRIX], {"index": np.array([], int)}),
    ("getitem", [MATRIX], {"index": (np.array([0, 0]), np.array([1, 1]))}),
    ("getitem", [MATRIX], {"index": MATRIX > 0}),
    ("concatenate", [MATRIX, COLUMN, OTHER], {"axis": 1}),
    ("concatenate", [CUBE, CUBE[:1]], {"axis": 0}),
    ("concatenate", [CUBE, CUBE[:, :1]], {"axis": -2}),
    ("normalize", [MATRIX], {"axis": -1, "epsilon": 1e-5}),
    ("normalize", [CUBE], {"axis": (0, 2), "epsilon": 0.1}),
    ("softmax", [MATRIX], {"axis": -1}),
    ("log_softmax", [CUBE], {"axis": 1}),
    ("cross_entropy", [MATRIX], {"labels": np.array([0, 3, 3])}),
    ("binary_cross_entropy_of_logits", [MATRIX], {"targets": (OTHER > 0).astype(float)}),
    ("binary_cross_entropy", [1 / (1 + np.exp(-MATRIX))], {"targets": (OTHER > 0).astype(float)}),
]


@pytest.mark.parametrize(("name", "arrays", "options"), CASES)
def test_gradients_agree_with_central_differences(
    check_gradients: Callable[..., None], name: str, arrays: list[Any], options: dict[str, Any]
) -> None:
    check_gradients(name, arrays, options)


def test_every_operation_is_checked() -> None:
    assert {name for name, _, _ in CASES} == set(OPERATIONS)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), seed=st.integers(0, 99))
def test_gradients_survive_any_broadcasting(
    check_gradients: Callable[..., None], name: str, shapes: Any, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    check_gradients(name, [generator.uniform(1, 2, shape) for shape in shapes.input_shapes], {})


@given(shapes=mutually_broadcastable_shapes(num_shapes=1, base_shape=(2, 3, 2)))
def test_unbroadcast_counts_how_often_an_element_was_used(shapes: Any) -> None:
    shape = shapes.input_shapes[0]
    stretched = np.broadcast_shapes(shape, (2, 3, 2))
    expected = np.full(shape, np.prod(stretched) / max(1, np.prod(shape)))
    np.testing.assert_array_equal(unbroadcast(np.ones(stretched), shape), expected)


def test_tied_maxima_share_the_gradient() -> None:
    row = OPERATIONS["max"]
    array = np.array([1.0, 3.0, 3.0])
    shared = row.vjps[0](np.array(1.0), np.array(3.0), array, axis=None, keepdims=False)
    np.testing.assert_array_equal(shared, [0, 0.5, 0.5])


def test_sigmoid_keeps_its_digits_near_zero() -> None:
    logits = np.array([-80, -30, -12, 0, 12], np.float32)
    exact = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(OPERATIONS["sigmoid"].forward(logits), exact, rtol=1e-6)


def test_numbers_that_are_all_equal_have_no_slope_of_their_spread() -> None:
    row, array = OPERATIONS["std"], np.ones(3)
    np.testing.assert_array_equal(row.vjps[0](np.array(1.0), np.array(0.0), array, axis=None, keepdims=False), 0)


@pytest.mark.parametrize("name", ["gelu", "sigmoid", "tanh", "relu"])
def test_a_single_number_has_an_activation(name: str) -> None:
    single, row = OPERATIONS[name].forward(np.array(0.7)), OPERATIONS[name].forward(np.array([0.7]))
    assert float(single) == row[0]


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "log_softmax"])
def test_large_inputs_do_not_overflow(name: str) -> None:
    options = {} if name == "sigmoid" else {"axis": 0}
    assert np.isfinite(OPERATIONS[name].forward(np.array([1e4, -1e4]), **options)).all()
