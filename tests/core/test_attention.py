"""Attention."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.attention import MultiHeadAttention, causal_mask, scaled_dot_product_attention
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError


def vectors(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def test_attention_is_the_softmax_of_scaled_scores_times_the_values() -> None:
    query, key, value = (vectors(2, 3, 4).data for _ in range(3))
    scores = np.exp(query @ key.swapaxes(1, 2) / 2)
    weights = scores / scores.sum(-1, keepdims=True)
    outputs, found = scaled_dot_product_attention(Tensor(query), Tensor(key), Tensor(value))

    np.testing.assert_allclose(found.data, weights, rtol=1e-5)
    np.testing.assert_allclose(outputs.data, weights @ value, rtol=1e-5)


def test_a_blocked_position_has_no_weight_at_all() -> None:
    _, weights = scaled_dot_product_attention(vectors(5, 4), vectors(5, 4), vectors(5, 4), causal_mask(5, 5))

    assert not np.triu(weights.data, 1).any()


def test_later_tokens_do_not_change_earlier_outputs() -> None:
    attention, inputs = MultiHeadAttention(8, 2, np.random.default_rng(1)), vectors(1, 6, 8)
    whole, start = attention(inputs, causal_mask(6, 6)), attention(inputs[:, :4], causal_mask(4, 4))

    np.testing.assert_allclose(whole.data[:, :4], start.data, rtol=1e-5, atol=1e-6)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(UsageError, match="8 cannot be divided among 3 heads"):
        MultiHeadAttention(8, 3)
