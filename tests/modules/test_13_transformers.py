"""What the course promises of module 13, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, MLP, LayerNorm, TransformerBlock

X = Tensor(np.random.default_rng(0).normal(3, 2, size=(2, 5, 16)))
TOKENS = np.array([[1, 2, 3, 4]])


def gpt() -> GPT:
    return GPT(vocab_size=11, embed_dim=16, num_layers=2, num_heads=2, max_seq_len=32)


def test_a_normalized_row_has_mean_zero_and_deviation_one() -> None:
    found = np.asarray(LayerNorm(16)(X).data)

    np.testing.assert_allclose(found.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=-1), 1, atol=1e-3)


@pytest.mark.parametrize("layer", [MLP(16), TransformerBlock(16, 2)])
def test_a_block_keeps_the_shape(layer) -> None:
    assert layer(X).shape == (2, 5, 16)


def test_a_gpt_scores_every_next_token() -> None:
    assert gpt()(Tensor(TOKENS)).shape == (1, 4, 11)


def test_later_tokens_change_no_earlier_score() -> None:
    model = gpt()
    model.eval() if hasattr(model, "eval") else None
    first, second = (np.asarray(model(Tensor(tokens)).data) for tokens in (TOKENS, np.array([[1, 2, 3, 9]])))

    np.testing.assert_allclose(first[:, :3], second[:, :3], atol=1e-5)


def test_generation_keeps_the_prompt_and_adds_tokens() -> None:
    found = np.asarray(gpt().generate(Tensor(TOKENS), max_new_tokens=6).data)

    assert found.shape == (1, 10)
    np.testing.assert_array_equal(found[:, :4], TOKENS)
    assert set(found.ravel().astype(int)) <= set(range(11))


def test_everything_learns() -> None:
    model = gpt()
    model(Tensor(TOKENS)).sum().backward()

    assert all(parameter.grad is not None for parameter in model.parameters())
