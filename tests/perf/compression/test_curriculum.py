"""The curriculum's names, with its contract: in place, in per cent."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError
from tinytorch.perf.compression import (
    Compressor,
    compress_model,
    low_rank_approximate,
    magnitude_prune,
    measure_sparsity,
    structured_prune,
)


def model() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(8, 10, bias=False, rng=rng), ReLU(), Linear(10, 4, bias=False, rng=rng))


def test_sparsity_is_that_of_weights_in_per_cent_or_as_a_share() -> None:
    layer = Linear(4, 1)
    layer.weight.data[:] = [[1], [2], [3], [0]]

    assert (measure_sparsity(layer), Compressor.measure_sparsity(layer)) == (25, 0.25)  # the bias is 0, and no weight
    assert measure_sparsity(ReLU()) == 0


@pytest.mark.parametrize("share", [0.29, 0.57, 0.07])
def test_a_share_of_a_hundred_is_so_many(share: float) -> None:
    layer = Linear(4, 100)
    structured_prune(layer, share)

    assert (~layer.weight.data.any(axis=0)).sum() == round(100 * share)
    assert len(low_rank_approximate(np.eye(100), share)[1]) == round(100 * share)


def test_large_half_precision_weights_are_told_apart() -> None:
    layer = Linear(4, 3)
    layer.weight.data = np.tile(np.array([900, 800, 700], np.float16), (4, 1))
    structured_prune(layer, 0.34)

    assert layer.weight.data.any(axis=0).tolist() == [True, True, False]


def test_a_model_without_layers_to_prune_is_refused() -> None:
    with pytest.raises(UsageError, match="needs layers with weights"):
        structured_prune(ReLU(), 0.5)


@pytest.mark.parametrize(
    "wrong", [{"magnitude_prune": 0.5, "structured_prune": 7}, {"magnitude_prune": 0.5, "magnitude_sparsity": 0.1}]
)
def test_a_wrong_configuration_changes_nothing(wrong: dict[str, float]) -> None:
    given = model()
    with pytest.raises(UsageError):
        compress_model(given, wrong)

    assert measure_sparsity(given) == 0


def test_a_silenced_neuron_says_nothing_whatever_its_bias_was() -> None:
    layer = Linear(3, 2)
    layer.weight.data[:, 0], layer.bias.data[:] = 0.001, 5
    structured_prune(layer, 0.5)

    assert layer(Tensor(np.ones((1, 3)))).data[0, 0] == 0
    assert layer.bias.data[1] == 5


@pytest.mark.parametrize("name", ["magnitude_prune", "magnitude_sparsity"])
def test_a_configuration_has_two_spellings(name: str) -> None:
    assert compress_model(model(), {name: 0.5})["final_sparsity"] == 50


def test_the_smallest_of_all_weights_go_in_place() -> None:
    given = model()
    given[2].weight.data *= 100
    returned = magnitude_prune(given, 0.5)

    assert returned is given
    assert measure_sparsity(given) == 50
    assert np.count_nonzero(given[2].weight.data) == 40


def test_without_a_number_half_of_them_go() -> None:
    assert measure_sparsity(magnitude_prune(model())) == 50


@pytest.mark.parametrize(("ratio", "gone"), [(0.3, 3), (0.5, 5), (0.0, 0)])
def test_that_share_of_the_outputs_is_zero_in_place(ratio: float, gone: int) -> None:
    given = model()
    lengths = np.linalg.norm(given[0].weight.data, axis=0)
    structured_prune(given, ratio)
    zero = ~given[0].weight.data.any(axis=0)

    assert given[0].weight.shape == (8, 10)
    assert zero.sum() == gone
    assert set(np.flatnonzero(zero)) == set(np.argsort(lengths)[:gone])


def test_channels_are_outputs_too() -> None:
    layer = structured_prune(Conv2d(2, 4, 3, rng=np.random.default_rng(0)), 0.5)

    assert (~layer.weight.data.any(axis=(1, 2, 3))).sum() == 2


def test_a_matrix_is_near_the_product_of_its_parts() -> None:
    matrix = np.random.default_rng(0).standard_normal((6, 8))
    left, singular, right = low_rank_approximate(matrix, 1.0)
    halves = low_rank_approximate(Tensor(matrix), 0.5)

    np.testing.assert_allclose(left * singular @ right, matrix, atol=1e-10)
    assert [part.shape for part in halves] == [(6, 3), (3,), (3, 8)]


def test_a_configuration_is_carried_out_and_told() -> None:
    stats = compress_model(model(), {"magnitude_prune": 0.5, "structured_prune": 0.3})

    assert stats["original_params"] == 120
    assert (stats["original_sparsity"], stats["applied_techniques"]) == (
        0,
        ["magnitude_prune_0.5", "structured_prune_0.3"],
    )
    assert 50 <= stats["final_sparsity"] == stats["sparsity_increase"]


@pytest.mark.parametrize("name", ["low_rank", "quantize"])
def test_what_it_cannot_do_is_refused_before_anything_is_changed(name: str) -> None:
    given = model()
    with pytest.raises(UsageError, match=name):
        compress_model(given, {"magnitude_prune": 0.5, name: 0.5})

    assert measure_sparsity(given) == 0


NONSENSE = {
    "more outputs than all": lambda: structured_prune(model(), 1.5),
    "fewer weights than none": lambda: magnitude_prune(model(), -1),
    "no matrix": lambda: low_rank_approximate(np.ones(3)),
    "no rank": lambda: low_rank_approximate(np.ones((3, 3)), 0),
}


@pytest.mark.parametrize("call", NONSENSE.values(), ids=NONSENSE.keys())
def test_what_makes_no_sense_is_refused(call) -> None:
    with pytest.raises(UsageError, match=r"0..1"):
        call()


def test_the_class_has_the_same_functions() -> None:
    given = model()
    pruned, shares = Compressor.compress_model(given, {"structured_prune_ratio": 0.5})

    assert pruned is given
    assert shares == {"original_sparsity": 0, "final_sparsity": 0.5, "compression_ratio": 2}
    assert Compressor.compress_model(model(), {"magnitude_sparsity": 1.0})[1]["compression_ratio"] == np.inf
    assert Compressor.structured_prune is structured_prune
