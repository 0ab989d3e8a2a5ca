"""Sequences with one right answer."""

from __future__ import annotations

import numpy as np

from tinytorch.datasets.sequences import load_reversal


def test_the_answer_is_the_prompt_backwards() -> None:
    _, test = load_reversal()

    np.testing.assert_array_equal(test.labels, test.inputs[:, ::-1])


def test_a_training_input_is_a_prompt_and_its_answer_without_the_last_digit() -> None:
    train, _ = load_reversal()

    np.testing.assert_array_equal(train.inputs[:, 64:], train.labels[:, :-1])
