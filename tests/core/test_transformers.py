"""Transformers: blocks, and a GPT that generates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tinytorch.core import transformer, transformers
from tinytorch.core.layers import Dropout
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.spatial import BatchNorm2d
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
    with pytest.raises(UsageError, match="num_layers as an integer from 1 on"):
        GPT(7, 8, 0, 2)


def test_generating_nothing_gives_the_prompt() -> None:
    assert small_gpt().generate([1, 2], 0).data.tolist() == [1, 2]


def test_layer_norm_needs_a_size() -> None:
    with pytest.raises(UsageError, match="normalized_shape as an integer from 1 on"):
        LayerNorm(0)


@pytest.mark.parametrize("prompt", [[], [[[1]]]])
def test_a_prompt_has_one_or_two_axes_and_a_token(prompt: list[object]) -> None:
    with pytest.raises(ShapeError, match="at least one token"):
        small_gpt().generate(prompt, 3)


def test_what_adds_to_the_stream_starts_smaller_the_more_blocks_there_are() -> None:
    gpt = GPT(7, 64, 8, 2, 12, rng=0)
    for block in gpt.blocks:
        assert block.attention.q_proj.weight.data.std() == pytest.approx(math.sqrt(2 / 64), rel=0.05)
        assert block.attention.out_proj.weight.data.std() == pytest.approx(math.sqrt(2 / 64) / 4, rel=0.05)
        assert block.mlp.linear2.weight.data.std() == pytest.approx(math.sqrt(2 / 256) / 4, rel=0.05)
    assert gpt.token_embedding.weight.data.std() == pytest.approx(0.02, rel=0.1)


def tied_gpt() -> GPT:
    return GPT(7, 8, 2, 2, 12, rng=0, tie_weights=True)


def test_a_tied_head_has_the_weight_of_the_embedding() -> None:
    gpt, tokens = tied_gpt(), np.array([[1, 2, 3]])
    hidden = np.random.default_rng(0).standard_normal((1, 3, 8)).astype(np.float32)
    np.testing.assert_allclose(gpt.lm_head(hidden).data, hidden @ gpt.token_embedding.weight.data.T, rtol=1e-5)
    CrossEntropyLoss()(gpt(tokens), np.array([[2, 3, 4]])).backward()
    assert len(gpt.parameters()) == len(GPT(7, 8, 2, 2, 12).parameters()) - 1
    assert gpt.token_embedding.weight.grad is not None
    assert gpt.token_embedding.weight.grad.all()


def test_a_tied_head_needs_vectors_of_its_size() -> None:
    with pytest.raises(ShapeError, match=r"TiedHead\(Embedding\(7, 8\)\) needs inputs"):
        tied_gpt().lm_head(np.ones((1, 3)))


@pytest.mark.parametrize("norm", [LayerNorm(2), BatchNorm2d(2)])
def test_gain_and_shift_have_pytorch_s_names_too(norm: Any) -> None:
    norm.weight, norm.bias = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    assert (norm.gamma.tolist(), norm.beta.tolist()) == ([1, 2], [3, 4])
    assert norm.weight is norm.gamma
    assert norm.bias is norm.beta
