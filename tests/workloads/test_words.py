"""`words`: how its baseline is trained, with a last layer that is wider meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.datasets.words import LENGTH, LETTERS, TOKENS, load_words
from tinytorch.workloads import words
from tinytorch.workloads.words import AROUND, NAMED, TASK, PlaceAndLetters, build_model, cuts, fit_aligned


def test_what_is_trained_has_the_task_s_form_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """No part of the wider layer is left, and weights have changed."""
    monkeypatch.setattr(words, "BATCHES", 2)
    train, test = load_words()
    before, model = build_model(0), build_model(0)
    fit_aligned(model, train, replace(TASK.recipe, epochs=2, batch_size=4))

    assert [array.shape for array in model.weights()] == [array.shape for array in before.weights()]
    assert not np.array_equal(model.gpt.token_embedding.weight.data, before.gpt.token_embedding.weight.data)
    assert np.asarray(model(Tensor(test.inputs[:2]))).shape == (2, LENGTH)


def test_a_batch_has_places_and_the_letters_around_each() -> None:
    """At the ends of a prompt the last letter stands for those beyond."""
    inputs, labels = next(cuts(3, np.random.default_rng(0)))
    letters = inputs[:, :LENGTH]

    assert (inputs.shape, labels.shape) == ((3, 127), (3, LENGTH, 1 + NAMED))
    assert labels[..., 0].min() >= LETTERS
    np.testing.assert_array_equal(labels[..., 1 + AROUND], letters)
    np.testing.assert_array_equal(labels[:, 0, 1 : 1 + AROUND], letters[:, :1].repeat(AROUND, axis=1))
    np.testing.assert_array_equal(labels[:, 10, 1 + AROUND :], letters[:, 10 : 11 + AROUND])


def test_without_weight_the_letters_count_nothing() -> None:
    scores, labels = Tensor(np.random.rand(2, 4, TOKENS + NAMED * LETTERS)), np.zeros((2, 4, 1 + NAMED), int)
    other = labels.copy()
    other[..., 1:] = 5
    loss = PlaceAndLetters()

    assert float(loss(scores, Tensor(labels))) == float(loss(scores, Tensor(other)))
    loss.weight = 0.5
    assert float(loss(scores, Tensor(labels))) != float(loss(scores, Tensor(other)))


def test_naming_letters_counts_less_with_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing at the end, when only places are learned."""
    weights: list[float] = []
    monkeypatch.setattr(words.Trainer, "train_epoch", lambda self, batches: weights.append(self.loss_fn.weight))
    fit_aligned(build_model(0), load_words()[0], replace(TASK.recipe, epochs=10))

    assert weights == pytest.approx([0.5, 5 / 12, 1 / 3, 0.25, 1 / 6, 1 / 12, 0, 0, 0, 0])
