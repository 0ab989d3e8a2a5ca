"""Random graphs of all operations against what PyTorch computed of them (`benchmarks/differential.py --record`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.differential import OPERATIONS, Graph, Ours, Step, computed, drawn


def _recorded() -> list[tuple[Graph, list[Any]]]:
    with np.load(Path(__file__).with_name("differential.npz"), allow_pickle=False) as arrays:
        names = [name.split("/") for name in arrays.files if not name.startswith("torch")]

        def found(seed: str, kind: str) -> list[Any]:
            return [arrays[f"{seed}/{name}"] for number, name in names if number == seed and name.startswith(kind)]

        graphs = []
        for seed in dict.fromkeys(number for number, _ in names):
            steps = [Step(*step) for step in json.loads(str(arrays[f"{seed}/steps"]))]
            graphs.append((Graph(found(seed, "leaf"), steps), found(seed, "result")))
        return graphs


RECORDED = _recorded()


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_values_and_gradients_are_pytorch_s(number: int) -> None:
    graph, (value, *gradients) = RECORDED[number]
    leaves, total = computed(Ours, graph)
    total.backward()
    np.testing.assert_allclose(total.data, value, rtol=1e-9)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        grad = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
        np.testing.assert_allclose(grad, gradient, rtol=1e-8, atol=1e-9 * (1 + np.abs(gradient).max(initial=0)))


def test_every_operation_was_recorded() -> None:
    assert {step.name for graph, _ in RECORDED for step in graph.steps} == set(OPERATIONS)


def test_a_graph_follows_from_its_seed() -> None:
    assert drawn(3).steps == drawn(3).steps
