"""What a model holds, by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.spatial import BatchNorm2d
from tinytorch.core.state import generators, held, load_state_dict, state_dict
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.quantization import quantize_model


class Own:
    """A model of no Layer, with a scale that is shared."""

    def __init__(self) -> None:
        self.scale = Tensor([2.0], requires_grad=True)
        self.parts = {"first": Linear(2, 3), "again": [self.scale]}
        self.classes = np.array([1, 2])


def test_arrays_are_named_by_the_first_way_that_leads_to_them() -> None:
    assert list(state_dict(Own())) == ["scale", "parts.first.weight", "parts.first.bias", "classes"]
    assert list(Sequential(Linear(1, 1), BatchNorm2d(1)).state_dict()) == [
        "layers.0.weight", "layers.0.bias", "layers.1.gamma", "layers.1.beta", "layers.1.running_mean",
        "layers.1.running_var",
    ]  # fmt: skip


def test_a_quantized_model_is_saved_with_its_codes() -> None:
    model, other = (quantize_model(Sequential(Linear(3, 2))) for _ in range(2))
    load_state_dict(other, state_dict(model))
    np.testing.assert_array_equal(other(np.ones((1, 3))), model(np.ones((1, 3))))


def test_a_state_is_a_copy() -> None:
    model = Linear(2, 2)
    before = model.state_dict()
    model.weight.data += 1
    assert not np.array_equal(before["weight"], model.weight.data)


def test_a_state_goes_into_the_same_arrays() -> None:
    model, other = Own(), Own()
    weight = other.parts["first"].weight.data
    load_state_dict(other, state_dict(model))
    assert other.parts["first"].weight.data is weight
    np.testing.assert_array_equal(weight, model.parts["first"].weight.data)


def test_a_layer_takes_a_state_too() -> None:
    first, second = BatchNorm2d(2), BatchNorm2d(2)
    first(np.random.default_rng(0).standard_normal((4, 2, 3, 3)))
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(first.running_var, second.running_var)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "without bias, weight"),
        ({"weight": 0, "bias": 0, "w": 1}, "with w"),
        ({"weight": 0, "x": 1}, "without bias and with x"),
    ],
)
def test_the_state_of_another_model_is_refused(state: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Linear(2, 3).load_state_dict(state)


def test_a_weight_that_is_turned_around_is_named_and_nothing_is_written() -> None:
    model = Linear(2, 3)
    before = model.state_dict()
    with pytest.raises(ShapeError, match=r"weight needs the shape \(2, 3\), got \(3, 2\)") as caught:
        model.load_state_dict({"bias": np.ones(3), "weight": np.ones((3, 2))})
    assert "PyTorch" in caught.value.mend
    np.testing.assert_array_equal(model.bias.data, before["bias"])


def test_everything_is_held_once_and_cycles_end() -> None:
    model = Own()
    model.parts["model"] = model
    found = [item for _, item in held(model)]
    assert len({id(item) for item in found}) == len(found)


def test_generators_are_found_by_name() -> None:
    assert list(generators(Sequential(Dropout(0.5), Dropout(0.5)))) == ["layers.0._rng", "layers.1._rng"]


@pytest.mark.parametrize(
    "values", [np.array([0.5, 1.0]), np.array([300, 1]), np.array([-129, 0]), np.array(["a", "b"])]
)
def test_codes_take_no_other_numbers(values: Any) -> None:
    holder = SimpleNamespace(codes=np.array([1, 2], np.int8))
    with pytest.raises(UsageError, match="codes holds int8"):
        load_state_dict(holder, {"codes": values})
    np.testing.assert_array_equal(holder.codes, [1, 2])


def test_whole_numbers_of_another_type_are_taken() -> None:
    holder = SimpleNamespace(codes=np.array([1, 2], np.int8), weight=np.zeros(2, np.float32))
    load_state_dict(holder, {"codes": np.array([3.0, -4.0]), "weight": np.array([1, 2])})
    np.testing.assert_array_equal(holder.codes, [3, -4])
    np.testing.assert_array_equal(holder.weight, [1, 2])


def test_a_number_that_float32_does_not_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="weight holds float32"):
        load_state_dict(SimpleNamespace(weight=np.zeros(1, np.float32)), {"weight": np.array([1e300])})
