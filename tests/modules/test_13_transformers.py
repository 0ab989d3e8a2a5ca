"""What the course promises of module 13, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, MLP, LayerNorm, TransformerBlock, create_causal_mask

X = Tensor(np.random.default_rng(0).normal(3, 2, size=(2, 5, 16)))
TOKENS = np.array([[1, 2, 3, 4]])


def gpt() -> GPT:
    return GPT(vocab_size=11, embed_dim=16, num_layers=2, num_heads=2, max_seq_len=32)


def test_a_normalized_row_has_mean_zero_and_deviation_one() -> None:
    found = np.asarray(LayerNorm(16)(X).data)

    np.testing.assert_allclose(found.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=-1), 1, atol=1e-3)


@pytest.mark.parametrize("make", [lambda: MLP(16), lambda: TransformerBlock(16, 2)], ids=["MLP", "TransformerBlock"])
def test_a_block_keeps_the_shape(make) -> None:
    assert make()(X).shape == (2, 5, 16)


def test_a_block_adds_to_what_goes_in() -> None:
    block = TransformerBlock(16, 2)
    for parameter in block.parameters():
        parameter.data = np.zeros_like(parameter.data)

    np.testing.assert_allclose(block(X).data, X.data, atol=1e-6)


def test_a_block_has_attention_and_a_perceptron_of_four_times_the_width() -> None:
    shapes = [parameter.shape for parameter in TransformerBlock(16, 2).parameters()]

    assert shapes.count((16, 16)) == 4
    assert {(16, 64), (64, 16)} <= {*shapes}


@pytest.mark.parametrize("length", [1, 4])
def test_a_causal_mask_shows_what_came_before(length: int) -> None:
    found = np.asarray(create_causal_mask(length).data).reshape(length, length)

    np.testing.assert_array_equal(found, np.tril(np.ones((length, length))))


def test_a_gpt_scores_every_next_token() -> None:
    assert gpt()(Tensor(TOKENS)).shape == (1, 4, 11)


def test_later_tokens_change_no_earlier_score() -> None:
    model = gpt()
    model.eval() if hasattr(model, "eval") else None
    first, second = (np.asarray(model(Tensor(tokens)).data) for tokens in (TOKENS, np.array([[1, 2, 3, 9]])))

    np.testing.assert_allclose(first[:, :3], second[:, :3], atol=1e-5)


def test_the_order_of_earlier_tokens_matters() -> None:
    model = gpt()
    model.eval() if hasattr(model, "eval") else None
    first, second = (np.asarray(model(Tensor(tokens)).data) for tokens in (TOKENS, np.array([[3, 2, 1, 4]])))

    assert not np.allclose(first[:, -1], second[:, -1], atol=1e-4)


def test_without_warmth_the_likeliest_token_is_taken() -> None:
    model = gpt()
    model.eval() if hasattr(model, "eval") else None
    for _ in range(3):  # once, chance may take it too
        found = np.asarray(model.generate(Tensor(TOKENS), max_new_tokens=3, temperature=1e-4).data)

        for end in (4, 5, 6):
            assert found[0, end] == np.asarray(model(Tensor(found[:, :end])).data)[0, -1].argmax()


def test_warm_it_says_different_things() -> None:
    model = gpt()
    told = {tuple(np.ravel(model.generate(Tensor(TOKENS), max_new_tokens=8, temperature=5.0).data)) for _ in range(5)}

    assert len(told) > 1


def test_generation_keeps_the_prompt_and_adds_tokens() -> None:
    found = np.asarray(gpt().generate(Tensor(TOKENS), max_new_tokens=6).data)

    assert found.shape == (1, 10)
    np.testing.assert_array_equal(found[:, :4], TOKENS)
    assert set(found.ravel().astype(int)) <= set(range(11))


def test_everything_learns() -> None:
    model = gpt()
    model(Tensor(TOKENS)).sum().backward()

    assert all(parameter.grad is not None for parameter in model.parameters())
