"""Strategies are data: steps that any process can take, one after the other."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, ReLU, Sequential, layer_kinds
from tinytorch.harness.contender import Contender
from tinytorch.perf.quantization import QuantizedWeight
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.strategies import BASELINE, INT8, Step, Strategy, apply, prune

DATA = TensorDataset(np.zeros((4, 6), np.float32), np.zeros(4, int))


def model() -> Sequential:
    return Sequential(Linear(6, 8), ReLU(), Linear(8, 2))


def test_steps_are_taken_in_order() -> None:
    smaller = apply((prune(3, epochs=1), INT8), model(), DATA)

    assert layer_kinds(smaller) == layer_kinds(model())
    assert [type(smaller[place].weight) for place in (0, 2)] == [QuantizedWeight] * 2
    assert smaller[0].weight.shape == (6, 3)


def test_no_step_changes_nothing() -> None:
    given = model()

    assert apply(BASELINE.steps, given, DATA) is given


def test_steps_travel_as_json() -> None:
    steps = (prune(0.5, epochs=2), INT8)

    assert [Step(**step) for step in json.loads(json.dumps([asdict(step) for step in steps]))] == [*steps]


def test_techniques_are_those_of_the_steps() -> None:
    assert Strategy("x", (prune(3, epochs=1), INT8)).techniques == ["Structured Pruning", "INT8 Quantization"]


def test_a_strategy_is_known_by_the_digest_of_its_steps() -> None:
    strategy = find_task("digits_mlp").strategy("all_around")
    other = replace(strategy, steps=(prune(255, epochs=20),))

    assert Contender.reference(strategy).sha256 == Contender.reference(replace(strategy, costs="nothing")).sha256
    assert Contender.reference(strategy).sha256 != Contender.reference(other).sha256
