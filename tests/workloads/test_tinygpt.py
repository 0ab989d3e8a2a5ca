"""`tinygpt`: its size, and what one inference of it is."""

from __future__ import annotations

import numpy as np

from tinytorch.core.layers import parameter_count
from tinytorch.workloads.registry import find_task

TASK = find_task("tinygpt")


def test_it_has_438_kb_of_weights() -> None:
    model = TASK.build_model(0)

    assert parameter_count(model) == 109_568
    assert sum(array.nbytes for array in model.weights()) == 438_272


def test_one_inference_is_a_whole_generation() -> None:
    _, test = TASK.load_data()
    answers = TASK.build_model(0).eval()(test.inputs[:1]).data

    assert test.inputs.shape[1] >= 16
    assert (answers.shape, answers.dtype) == ((1, 64), np.int64)


def test_its_first_labels_are_a_prompt_backwards() -> None:
    train, test = TASK.load_data()

    for split in (train, test):
        np.testing.assert_array_equal(split.labels, split.inputs[:, 63::-1])
