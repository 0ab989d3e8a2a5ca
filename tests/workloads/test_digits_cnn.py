"""`digits_cnn`: its size, its data, and that its recipe learns."""

from __future__ import annotations

import dataclasses

import numpy as np

from tinytorch.competition.rules.events import load_rules
from tinytorch.core.layers import layer_kinds, parameter_count
from tinytorch.core.metrics import accuracy
from tinytorch.workloads.digits_cnn import TASK
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import train_baseline


def test_it_is_listed() -> None:
    assert find_task("digits_cnn") is TASK


def test_it_has_153_kb_of_weights() -> None:
    model = TASK.build_model(0)

    assert parameter_count(model) == 38_282
    assert sum(array.nbytes for array in model.weights()) == 153_128


def test_its_layers_are_those_of_its_title() -> None:
    kinds = [kind for kind in layer_kinds(TASK.build_model(0)) if kind != "ReLU"]

    assert kinds == ["Conv2d", "Conv2d", "MaxPool2d", "Flatten", "Linear", "Linear"]


def test_its_data_are_the_digits_as_images() -> None:
    images, digits = TASK.load_data(), find_task("digits_mlp").load_data()

    for split, flat in zip(images, digits, strict=True):
        np.testing.assert_array_equal(split.inputs.reshape(len(split), -1), flat.inputs)
        np.testing.assert_array_equal(split.labels, flat.labels)
    assert images[0].inputs.shape == (1437, 1, 8, 8)


def test_the_same_seed_trains_the_same_weights() -> None:
    short = dataclasses.replace(TASK, recipe=dataclasses.replace(TASK.recipe, epochs=1))
    first, second = train_baseline(short), train_baseline(short)

    for a, b in zip(first.weights(), second.weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_baseline_reaches_its_accuracy() -> None:
    _, test = TASK.load_data()

    assert accuracy(train_baseline(TASK), test) >= load_rules().reference_accuracy["digits_cnn"] - 0.01
