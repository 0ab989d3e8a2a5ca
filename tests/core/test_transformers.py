"""Transformers: blocks, and a GPT that generates."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core import transformer, transformers
from tinytorch.core.layers import Dropout
from tinytorch.core.tensor import Tensor
from tinytorch.core.transformers import GPT, MLP, Completion, LayerNorm, TransformerBlock, create_causal_mask
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
    sequence = gpt.generate([1, 2], 3, 0).data.tolist()

    assert sequence[:2] == [1, 2]
    assert sequence[2] == int(gpt(np.array([[1, 2]])).data[0, -1].argmax())


def test_a_temperature_draws_by_the_seed() -> None:
    first, second = (small_gpt().generate([1], 9, 2.0, np.random.default_rng(3)).data.tolist() for _ in range(2))

    assert first == second != small_gpt().generate([1], 9, 0).data.tolist()


@pytest.mark.parametrize("arguments", [([], 3), ([1], -1), ([1], 1, -0.5)])
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


def test_generation_slides_over_the_context() -> None:
    sequence = small_gpt().generate([1], 15, 0).data.tolist()
    assert len(sequence) == 16
    assert sequence[15] == int(small_gpt()(np.array([sequence[3:15]])).data[0, -1].argmax())


def test_a_sequence_may_start_at_a_later_position() -> None:
    gpt = small_gpt()
    tokens, table = np.array([[1, 2]]), gpt.position_embedding.weight.data.copy()
    later = gpt(tokens, start_pos=3).data
    gpt.position_embedding.weight.data[:2] = table[3:5]
    np.testing.assert_array_equal(gpt(tokens), later)


def test_tokens_need_two_axes() -> None:
    with pytest.raises(ShapeError, match=r"tokens \(N, T\)"):
        small_gpt()(np.array([1, 2]))


def test_the_causal_mask_lets_positions_look_back() -> None:
    mask = create_causal_mask(3)
    np.testing.assert_array_equal(mask, [[[1, 0, 0], [1, 1, 0], [1, 1, 1]]])
    assert mask.dtype == np.float32


def test_dropout_is_for_training_only() -> None:
    block = TransformerBlock(8, 2, dropout_prob=0.5, rng=np.random.default_rng(0))
    inputs = np.random.default_rng(1).standard_normal((1, 3, 8))
    assert not np.array_equal(block(inputs), block(inputs))
    block.eval()
    np.testing.assert_array_equal(block(inputs), block(inputs))


def test_generation_draws_no_dropout_and_leaves_the_mode() -> None:
    gpt = small_gpt()
    gpt.blocks[0].mlp.dropout = Dropout(0.9)
    assert gpt.generate([1], 8, 0).data.tolist() == gpt.generate([1], 8, 0).data.tolist()
    assert gpt.training


def test_the_singular_name_is_the_same_module() -> None:
    assert all(getattr(transformer, name) is getattr(transformers, name) for name in transformer.__all__)


def test_a_normalized_size_must_fit() -> None:
    with pytest.raises(ShapeError, match=r"LayerNorm\(4\) needs inputs \(..., 4\), got \(2, 1\)"):
        LayerNorm(4)(np.ones((2, 1)))


def test_a_gpt_says_its_sizes() -> None:
    gpt = small_gpt()
    sizes = (gpt.vocab_size, gpt.embed_dim, gpt.num_layers, gpt.num_heads, gpt.max_seq_len)
    assert sizes == (7, 8, 2, 2, 12)
    with pytest.raises(UsageError, match="at least 1 block"):
        GPT(7, 8, 0, 2)


def test_generating_nothing_gives_the_prompt() -> None:
    assert small_gpt().generate([1, 2], 0).data.tolist() == [1, 2]


def test_layer_norm_needs_a_size() -> None:
    with pytest.raises(UsageError, match="size of at least 1"):
        LayerNorm(0)


@pytest.mark.parametrize("prompt", [[], [[[1]]]])
def test_a_prompt_has_one_or_two_axes_and_a_token(prompt: list[object]) -> None:
    with pytest.raises(ShapeError, match="at least one token"):
        small_gpt().generate(prompt, 3)
