"""Kinds of layers: only what is ours counts as ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tinytorch.core import layers
from tinytorch.core.activations import ReLU
from tinytorch.core.compact import CompactWeight
from tinytorch.core.kinds import layer_kinds
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.perf.compression import share_weights


class Fast(Linear):
    """Says that it stands in for a kind."""

    kind = "Linear"


class Residual(Sequential):
    """A container with a forward of its own."""

    kind = "Sequential"

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + super().forward(inputs)


class TwoFaced(list):  # type: ignore[type-arg]
    """Hands out other layers than it holds."""

    def __iter__(self) -> Iterator[Any]:
        return iter([])


class Walks(Sequential):
    """Shows what it likes."""

    def walk(self) -> Iterator[Layer]:
        return iter([Linear(2, 2)])


class Disguised(Layer):
    """Not even isinstance sees what it is."""

    __class__ = Linear  # type: ignore[assignment]


class Lazy(np.ndarray):
    """May compute anything when it is computed with."""


class Halves(float):
    """May be any number when it is counted with."""


class OwnWeight(CompactWeight):
    """May compute anything."""

    shape = (2, 2)


OWN_LINEAR = type("Linear", (Linear,), {})


def of_our_module() -> Layer:
    """Put into a module of ours, where it is found under its name."""
    pretender: Any = type("Extra", (Linear,), {"__module__": "tinytorch.core.layers", "kind": "Linear"})
    sys.modules["tinytorch.core.layers"].Extra = pretender  # type: ignore[attr-defined]
    made: Layer = pretender(2, 2)
    return made


def given(name: str, value: object) -> Layer:
    """A Linear that was given something of its own."""
    layer = Linear(2, 2)
    setattr(layer, name, value)
    return layer


def weighted(array: Any) -> Layer:
    """A Linear whose weight has this array inside."""
    layer = Linear(2, 2)
    layer.weight.data = array
    return layer


def with_method() -> CompactWeight:
    """A weight of ours, of which one method is another one."""
    weight = share_weights(Linear(4, 4), clusters=2).weight
    weight.multiply = lambda inputs: inputs
    return weight


def holding(items: Any) -> Layer:
    """A Sequential whose list is another one."""
    model = Sequential(ReLU())
    model.layers = items
    return model


OWN: dict[str, tuple[Callable[[], Layer], list[str]]] = {
    "a class of its own": (lambda: Fast(2, 2), ["Fast (own)"]),
    "a class of our name": (lambda: OWN_LINEAR(2, 2), ["Linear (own)"]),
    "a class that says it is ours": (
        lambda: type("Linear", (Fast,), {"__module__": "tinytorch.core.layers"})(2, 2), ["Linear (own)"],
    ),
    "a class put into our module": (of_our_module, ["Extra (own)"]),
    "a container with its own forward": (lambda: Residual(Linear(2, 2)), ["Residual (own)", "Linear"]),
    "a container that shows what it likes": (lambda: Walks(ReLU()), ["Walks (own)", "ReLU"]),
    "a disguise": (lambda: Sequential(Disguised()), ["Disguised (own)"]),
    "a list of its own": (
        lambda: holding(TwoFaced([ReLU()])), ["Sequential with its own TwoFaced", "ReLU"],
    ),
    "a function among layers": (lambda: holding([ReLU(), max_of]), ["ReLU", "max_of (own)"]),
    "an object among layers": (lambda: holding([ReLU(), Anything()]), ["ReLU", "Anything (own)"]),
    "a forward of its own": (lambda: given("forward", lambda inputs: inputs), ["Linear with its own forward"]),
    "an array of its own in a weight": (
        lambda: weighted(np.zeros((2, 2), np.float32).view(Lazy)),
        ["Linear with its own Lazy"],
    ),
    "objects in a weight": (
        lambda: weighted(np.full((2, 2), Anything(), object)), ["Linear with its own array of objects"],
    ),
    "a method of its own in a weight": (lambda: given("weight", with_method()), ["Linear with its own function"]),
    "a number of its own": (lambda: given("scale", Halves(2)), ["Linear with its own Halves"]),
    "a weight of its own": (lambda: given("weight", OwnWeight()), ["Linear with its own OwnWeight"]),
}  # fmt: skip


def max_of(inputs: Tensor) -> Tensor:
    return inputs


class Anything:
    """Can be called."""

    def __call__(self, inputs: Tensor) -> Tensor:
        return inputs


@pytest.mark.parametrize(("make", "kinds"), OWN.values(), ids=OWN)
def test_what_is_not_ours_is_marked(
    make: Callable[[], Layer], kinds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "Extra", None, raising=False)  # gone again afterwards

    assert layer_kinds(make()) == kinds


def test_kinds_of_ours_are_plain() -> None:
    relu = ReLU()
    model = Sequential([Linear(2, 2), relu, Sequential(Linear(2, 2), relu)])

    assert layer_kinds(model) == ["Linear", "ReLU", "Linear", "ReLU"]
