"""Low rank: as near as singular values allow, and only where it takes less."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.compact import CompactWeight
from tinytorch.core.layers import Linear, Sequential, layer_kinds
from tinytorch.core.metrics import accuracy
from tinytorch.core.model import trainable_tensors
from tinytorch.core.spatial import SimpleCNN
from tinytorch.core.tensor import Tensor
from tinytorch.datasets import load_digits
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.acceleration.plan import make_plan
from tinytorch.perf.acceleration.simplify import simplified
from tinytorch.perf.acceleration.trace import trace
from tinytorch.perf.acceleration.writer import Writer
from tinytorch.perf.compression import FactoredWeight, factorize, fine_tune, share_weights
from tinytorch.perf.compression.low_rank import factored, rank_for
from tinytorch.perf.quantization import quantize_model

RNG = np.random.default_rng(0)
TRAIN, TEST = load_digits()
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


def outputs_of(inputs: np.ndarray, kept: np.ndarray) -> float:
    """How far outputs are from those of the weight."""
    return float(np.linalg.norm(inputs @ kept - inputs @ WEIGHT))


def test_with_inputs_those_factors_are_found_that_change_outputs_least() -> None:
    inputs = (RNG.standard_normal((500, 6)) @ RNG.standard_normal((6, 40))).astype(np.float32)
    plain, aware = factored(WEIGHT, rank=6), factored(WEIGHT, rank=6, products=inputs.T @ inputs)
    assert outputs_of(inputs, aware.dense()) < 0.05 * outputs_of(inputs, plain.dense())


@pytest.mark.parametrize("rank", [1, 4])
def test_no_product_of_that_rank_has_nearer_outputs(rank: int) -> None:
    inputs = RNG.standard_normal((300, 40)) * np.linspace(0.1, 3, 40)
    singular = np.linalg.svd(inputs @ WEIGHT, compute_uv=False)
    error = outputs_of(inputs, factored(WEIGHT, rank=rank, products=inputs.T @ inputs).dense())
    assert error == pytest.approx(np.sqrt(np.square(singular[rank:]).sum()), rel=1e-2)


def test_inputs_that_are_columns_count_there() -> None:
    inputs = RNG.standard_normal((300, 30)) * np.linspace(0.1, 3, 30)
    products = inputs.T @ inputs
    turned = factored(np.ascontiguousarray(WEIGHT), rank=4, products=products, rows_are_inputs=False)
    plain = factored(WEIGHT.T.copy(), rank=4, products=products)
    np.testing.assert_allclose(turned.dense(), plain.dense().T, rtol=1e-3, atol=1e-4)


def digits() -> Sequential:
    model = Sequential(Linear(64, 48, rng=1), ReLU(), Linear(48, 48, rng=2), ReLU(), Linear(48, 10, rng=3))
    fine_tune(model, TRAIN, epochs=8)
    return model.eval()


def test_factors_are_tuned() -> None:
    model = digits()
    raw = factorize(model, rank=4)
    tuned = factorize(model, rank=4, train_data=TRAIN, epochs=10)
    assert accuracy(tuned, TEST) > accuracy(raw, TEST) + 0.05
    assert not tuned.training
    assert len(trainable_tensors(raw)) == len(trainable_tensors(model)) + 3  # each weight is two now


def test_what_was_frozen_stays_so() -> None:
    model = digits()
    model[0].weight.requires_grad = model[2].bias.requires_grad = False
    small = factorize(model, rank=4)
    assert [item.requires_grad for item in (small[0].weight.left, small[2].bias, small[2].weight.right)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("make", [quantize_model, share_weights])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_factors_are_made_smaller_once_more_and_compiled(make, backend: str) -> None:
    small = make(factorize(digits(), rank=8))
    weight = small[0].weight
    assert isinstance(weight, FactoredWeight)
    assert weight.nbytes < 8 * (64 + 48) * 2
    assert isinstance(weight.left, CompactWeight)
    compiled = compile_model(small, TEST.inputs[:3], backend=backend)
    np.testing.assert_allclose(compiled(TEST.inputs[:3]).data, small(TEST.inputs[:3]).data, rtol=1e-3, atol=1e-4)


def test_factors_are_kernels_of_their_own() -> None:
    compiled = compile_model(factorize(digits(), rank=4), TEST.inputs[:1], backend="numba")
    assert compiled._run.__closure__ is not None
    instructions = make_plan(simplified(trace(compiled.model, TEST.inputs[:1]))).instructions
    assert all(Writer().rows(instruction) for instruction in instructions)


def test_a_model_of_factors_is_saved_and_loaded() -> None:
    small = factorize(digits(), rank=4)
    for found in (pickle.loads(pickle.dumps(small)), copy.deepcopy(small)):
        np.testing.assert_array_equal(found(TEST.inputs).data, small(TEST.inputs).data)


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


@pytest.mark.parametrize("size", [0.0, 1e-25])
def test_inputs_that_are_next_to_nothing_leave_factors_finite(size: float) -> None:
    small = factorize(digits(), rank=4, train_data=(TRAIN.inputs * np.float32(size), TRAIN.labels), epochs=0)
    assert np.isfinite(small(TEST.inputs).data).all()


@pytest.mark.parametrize(
    ("inputs", "words"),
    [(np.full((5, 64), np.nan), "finite"), (np.ones((5, 5)), "64"), (np.ones((0, 64)), "at least one")],
)
def test_data_that_show_nothing_are_refused(inputs: np.ndarray, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        factorize(digits(), rank=4, train_data=(inputs, np.zeros(len(inputs), int)), epochs=0)
