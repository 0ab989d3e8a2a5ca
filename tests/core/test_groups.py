"""Parameters in groups, each with settings of its own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tinytorch.core.layers import Linear
from tinytorch.core.optimizers import SGD, Adam
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError

START = np.array([1.0, -2.0, 0.5])


def parameter() -> Tensor:
    return Tensor(START.copy(), requires_grad=True, dtype=np.float64)


def test_a_group_has_settings_of_its_own() -> None:
    first, second = parameter(), parameter()
    optimizer = SGD([{"params": first, "lr": 0.2, "weight_decay": 0.5}, {"params": [second]}], lr=0.1)
    for p in (first, second):
        p.grad = np.ones(3)
    optimizer.step()
    np.testing.assert_allclose(first.data, START - 0.2 * (1 + 0.5 * START))
    np.testing.assert_allclose(second.data, START - 0.1)


def test_a_schedule_moves_the_rates_of_all_groups() -> None:
    first, second = parameter(), parameter()
    optimizer = Adam([{"params": [first], "lr": 0.01}, {"params": [second]}], lr=0.1)
    optimizer.lr = 0.5
    assert [optimizer.setting(index, "lr") for index in (0, 1)] == pytest.approx([0.05, 0.5])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([{"params": [parameter()], "lr": float("nan")}], "learning rate above 0"),
        ([{"params": [parameter()], "momentun": 0.9}], "no setting 'momentun'"),
        ([{"lr": 0.1}], "each with"),
        ([parameter(), {"params": [parameter()]}], "groups alone"),
        (parameter(), "got one tensor"),
    ],
)
def test_groups_that_make_no_sense_are_refused(params: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        SGD(params)


@pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.99, 0.999), "ab", (0.9, 1.0)])
def test_betas_are_two_numbers(betas: Any) -> None:
    with pytest.raises(UsageError, match=r"an optimizer needs (betas as two numbers|a beta)"):
        Adam([parameter()], betas=betas)


def test_a_group_may_have_betas_of_its_own() -> None:
    first, second = parameter(), parameter()
    optimizer = Adam([{"params": [first], "betas": (0.5, 0.9)}, {"params": [second]}])
    other = Adam([alone := parameter()], betas=(0.5, 0.9))
    for number in range(3):
        for p in (first, second, alone):
            p.grad = np.arange(3.0) * number
        optimizer.step()
        other.step()
    np.testing.assert_array_equal(first.data, alone.data)
    assert (first.data != second.data).any()


def test_the_result_of_an_operation_is_no_parameter() -> None:
    with pytest.raises(UsageError, match="one is an operation's result"):
        SGD([parameter() * 0.1])


@pytest.mark.parametrize("params", [Linear(2, 2), None, 5])
def test_a_model_in_the_place_of_its_parameters_is_named(params: Any) -> None:
    with pytest.raises(UsageError, match="needs a list of tensors, and got a") as caught:
        SGD(params)
    assert "model.parameters()" in caught.value.mend


def test_settings_of_numpy_s_are_numbers_in_a_state() -> None:
    optimizer = SGD([parameter()], np.float32(0.1), np.float32(0.9), np.int64(0), nesterov=np.True_)
    assert json.loads(json.dumps(optimizer.state_dict()["settings"])) == optimizer.state_dict()["settings"]
