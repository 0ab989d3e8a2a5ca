"""Looking at a model and at the machine in turns."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.profiling import look_beside
from tinytorch.perf.profiling.layers import counted
from tinytorch.perf.profiling.light import ROUNDS

ROW = np.ones((1, 40), np.float32)


def network() -> Sequential:
    return Sequential(Linear(40, 30, rng=0), ReLU(), Linear(30, 5, rng=1)).eval()


class Holder:
    """A model of a class of its own, around another one."""

    def __init__(self, model: object) -> None:
        self.model = model

    def __call__(self, inputs: Tensor) -> object:
        return self.model(inputs)


def test_rounds_of_limits_and_calls_give_a_share_with_an_interval() -> None:
    ticks = count(step=1_000_000)
    limits, light = look_beside(network(), lambda: Tensor(ROW), 5400, lambda: next(ticks))

    assert limits.flops_per_s > 0
    assert light.share > 0
    assert light.interval is None  # every reading of this clock lies a millisecond behind the one before
    assert next(ticks) > ROUNDS * 60_000_000


def test_nothing_is_said_of_what_cannot_be_counted() -> None:
    ticks = count(step=1_000_000)

    assert look_beside(lambda inputs: inputs, lambda: ROW, 1, lambda: next(ticks))[1] is None


def test_every_operation_counts() -> None:
    flops, weights, moved = counted(network(), Tensor(ROW))

    assert flops == 2 * (40 * 30 + 30 * 5) + 30
    assert weights == 4 * (40 * 30 + 30 + 30 * 5 + 5)
    assert moved == 4 * (40 * 30 + 30 + 30 * 5 + 5 + 40 + 30 + 30 + 30 + 30 + 5)


def test_a_class_of_its_own_counts_like_ours() -> None:
    assert counted(Holder(network()), Tensor(ROW)) == counted(network(), Tensor(ROW))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_plan_tells_of_itself_but_not_inside_another_model(backend: str) -> None:
    """Wherever it is hidden, it shows when it runs."""
    plan = compile_model(network(), ROW, backend)

    assert counted(plan, ROW) == tuple(plan.plan_work(ROW))
    assert counted(Holder(plan), Tensor(ROW)) is None
    assert counted(lambda inputs: plan(inputs), Tensor(ROW)) is None
    assert counted(network(), Tensor(ROW)) is not None


class Obliging(Holder):
    """It has whatever it is asked for."""

    def __getattr__(self, name: str) -> float:
        return 0.5


class Strict(Holder):
    """It has what it knows, and says so in its own way."""

    def __getattr__(self, name: str) -> float:
        raise RuntimeError(name)


class Planner(Holder):
    """It has a function of that name, which is its own affair."""

    def plan_work(self, inputs: object) -> str:
        return "rubbish"


@pytest.mark.parametrize("kind", [Obliging, Strict, Planner])
def test_nobody_but_a_plan_is_asked_what_it_does(kind: type[Holder]) -> None:
    assert counted(kind(network()), Tensor(ROW)) == counted(network(), Tensor(ROW))


def test_counting_leaves_a_model_as_it_was() -> None:
    plan = compile_model(network(), ROW, "numba")
    before = plan(ROW).data
    counted(plan, ROW)

    np.testing.assert_array_equal(plan(ROW).data, before)
