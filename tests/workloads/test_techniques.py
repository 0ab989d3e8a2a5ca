"""The table of techniques: every one works, and what is told of it was measured."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, Sequential, layer_kinds
from tinytorch.core.transformers import GPT, Completion
from tinytorch.workloads import techniques
from tinytorch.workloads.registry import TASKS
from tinytorch.workloads.strategies import apply
from tinytorch.workloads.techniques import TECHNIQUES, Technique, measured

RNG = np.random.default_rng(0)
DATA = TensorDataset(RNG.standard_normal((20, 30)).astype(np.float32), RNG.integers(0, 4, 20))

TOKENS = TensorDataset(RNG.integers(0, 7, (16, 7)), RNG.integers(0, 7, (16, 4)))  # prompts and answers, as in training


def perceptron() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(Linear(30, 300, rng=rng), ReLU(), Linear(300, 4, rng=rng)).eval()


def generator() -> Completion:
    return Completion(GPT(7, 8, 1, 2, 8, rng=np.random.default_rng(0)), 4, 4).eval()


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.name)
def test_every_technique_gives_a_model_of_the_same_kinds(technique: Technique) -> None:
    generates = technique.task == "tinygpt"
    model, data = (generator(), TOKENS) if generates else (perceptron(), DATA)
    inputs = data.inputs[:1]
    changed = apply(technique.steps, model, data)

    assert layer_kinds(changed) == layer_kinds(model)
    assert changed(inputs).shape == model(inputs).shape


def test_names_are_different_and_tasks_known() -> None:
    assert len({technique.name for technique in TECHNIQUES}) == len(TECHNIQUES)
    assert {technique.task for technique in TECHNIQUES} <= set(TASKS)


def test_the_file_holds_what_was_measured_of_every_technique() -> None:
    found = measured()

    assert found["machine"]
    assert found["date"]
    assert {(name, result["task"]) for name, result in found["results"].items()} == {
        (technique.name, technique.task) for technique in TECHNIQUES
    }


@pytest.mark.parametrize("name", [technique.name for technique in TECHNIQUES])
def test_figures_are_possible(name: str) -> None:
    result = measured()["results"][name]
    estimate, lower, upper = result["speedup"]

    assert 0 < lower <= estimate <= upper < math.inf
    assert min(result["compression_ratio"], result["file_ratio"]) > 0
    assert all(0 < accuracy <= 1 for accuracy in result["accuracy"])


def test_without_a_file_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(techniques, "MEASURED_FILE", tmp_path / "none.json")

    assert measured() == {}
