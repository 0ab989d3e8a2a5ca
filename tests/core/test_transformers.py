"""Transformers: blocks, and a GPT that generates."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, MLP, Completion, LayerNorm, TransformerBlock
from tinytorch.errors import ShapeError, UsageError


def small_gpt() -> GPT:
    return GPT(7, 8, 2, 2, max_seq_len=12, rng=np.random.default_rng(0))


def test_a_normalized_vector_has_mean_0_and_variance_1() -> None:
    outputs = LayerNorm(64)(np.random.default_rng(0).normal(3, 5, (4, 64)).astype(np.float32)).data

    np.testing.assert_allclose(outputs.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.var(-1), 1, rtol=1e-3)


@pytest.mark.parametrize("layer", [MLP(8), TransformerBlock(8, 2)], ids=["mlp", "block"])
def test_the_shape_is_kept(layer: MLP | TransformerBlock) -> None:
    assert layer(np.zeros((2, 5, 8), np.float32)).shape == (2, 5, 8)


def test_every_parameter_of_a_gpt_gets_a_gradient() -> None:
    gpt = small_gpt()
    gpt(np.array([[1, 2, 3]])).sum().backward()

    assert all(parameter.grad is not None for parameter in gpt.parameters())


def test_a_later_token_changes_no_earlier_score() -> None:
    gpt = small_gpt()

    np.testing.assert_allclose(gpt(np.array([[1, 2, 3]])).data[:, :2], gpt(np.array([[1, 2]])).data, rtol=1e-4)


def test_generation_keeps_the_prompt_and_takes_the_likeliest_token() -> None:
    gpt = small_gpt()
    sequence = gpt.generate([1, 2], 3).data.tolist()

    assert sequence[:2] == [1, 2]
    assert sequence[2] == int(gpt(np.array([[1, 2]])).data[0, -1].argmax())


def test_a_temperature_draws_by_the_seed() -> None:
    first, second = (small_gpt().generate([1], 9, 2.0, np.random.default_rng(3)).data.tolist() for _ in range(2))

    assert first == second != small_gpt().generate([1], 9).data.tolist()


@pytest.mark.parametrize("arguments", [([1], 13), ([1], -1), ([1], 1, -0.5)])
def test_generation_that_cannot_be_is_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(UsageError):
        small_gpt().generate(*arguments)


def test_a_completion_answers_with_new_tokens_and_trains_on_their_scores() -> None:
    model = Completion(small_gpt(), 4, 3)
    tokens = Tensor(np.zeros((2, 6), np.int64))

    assert model.eval()(tokens).shape == (2, 3)
    assert model.train()(tokens).shape == (2, 3, 7)
    with pytest.raises(ShapeError, match="sequences of 6 tokens"):
        model(tokens[:, :5])
