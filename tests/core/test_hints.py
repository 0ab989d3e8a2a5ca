"""What to write in the place of a name that this framework has not."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cuda", "every tensor is in memory"),
        ("cumsum", "np.cumsum"),
        ("zero_", "inside no_grad"),
        ("norm", "sqrt"),
    ],
)
def test_a_name_that_is_missing_says_what_to_write(name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=f"a Tensor has no '{name}': .*{words}"):
        getattr(Tensor([1.0]), name)


def test_names_of_the_language_are_asked_for_without_a_word() -> None:
    assert not hasattr(Tensor([1.0]), "__array_interface__")
    assert not hasattr(Tensor([1.0]), "cuda")
    assert copy.copy(Tensor([1.0])).tolist() == [1]


def test_what_is_typed_most_is_there() -> None:
    truth, guess = Tensor(np.array([1, 2, 3])), Tensor(np.array([1, 0, 3]))
    assert (guess == truth).float().mean().item() == pytest.approx(2 / 3)
    assert (~(guess == truth) | (truth > 2)).long().tolist() == [0, 1, 1]
    assert (truth.dim(), truth.numel(), Tensor([[1.0, 2.0]]).t().shape) == (1, 3, (2, 1))
    assert ((truth > 1) & (guess > 1)).tolist() == [False, False, True]
    assert not Tensor([1.0], requires_grad=True).requires_grad_(False).requires_grad
    assert Tensor([2.0]).pow(3).tolist() == [8]
