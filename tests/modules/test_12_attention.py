"""What the course promises of module 12, whoever wrote it."""

from __future__ import annotations

import numpy as np

from tinytorch.core.attention import MultiHeadAttention, scaled_dot_product_attention
from tinytorch.core.tensor import Tensor

Q, K, V = (Tensor(np.random.default_rng(seed).normal(size=(2, 5, 8))) for seed in range(3))
CAUSAL = Tensor(np.tril(np.ones((5, 5))))


def test_each_token_takes_a_mean_of_the_values() -> None:
    output, weights = scaled_dot_product_attention(Q, K, V)

    np.testing.assert_allclose(np.asarray(weights.data).sum(axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(output.data, np.asarray(weights.data) @ np.asarray(V.data), rtol=1e-4, atol=1e-5)


def test_scores_are_scaled_by_the_root_of_their_width() -> None:
    _, weights = scaled_dot_product_attention(Q, K, V)
    scores = np.exp(np.asarray(Q.data) @ np.swapaxes(np.asarray(K.data), 1, 2) / np.sqrt(8))

    np.testing.assert_allclose(weights.data, scores / scores.sum(axis=-1, keepdims=True), rtol=1e-4)


def test_what_is_masked_is_not_looked_at() -> None:
    _, weights = scaled_dot_product_attention(Q, K, V, mask=CAUSAL)

    assert np.allclose(np.triu(np.asarray(weights.data)[0], 1), 0, atol=1e-6)


def test_behind_a_mask_weights_still_add_up_to_one() -> None:
    output, weights = scaled_dot_product_attention(Q, K, V, mask=CAUSAL)

    np.testing.assert_allclose(np.asarray(weights.data).sum(axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(output.data[:, 0], np.asarray(V.data)[:, 0], rtol=1e-4)  # the first sees itself alone


def test_heads_have_four_layers_to_learn() -> None:
    weights = [parameter for parameter in MultiHeadAttention(8, 2).parameters() if len(parameter.shape) == 2]

    assert [weight.shape for weight in weights] == [(8, 8)] * 4


def test_one_sample_does_not_look_at_another() -> None:
    layer = MultiHeadAttention(embed_dim=8, num_heads=2)

    np.testing.assert_allclose(layer(Q).data[:1], layer(Tensor(np.asarray(Q.data)[:1])).data, atol=1e-5)


def test_every_head_looks_for_itself() -> None:
    one, two = MultiHeadAttention(embed_dim=8, num_heads=1), MultiHeadAttention(embed_dim=8, num_heads=2)
    for mine, theirs in zip(one.parameters(), two.parameters(), strict=True):
        theirs.data = np.array(mine.data)

    assert not np.allclose(one(Q).data, two(Q).data, atol=1e-4)


def test_many_heads_keep_the_shape() -> None:
    assert MultiHeadAttention(embed_dim=8, num_heads=2)(Q).shape == (2, 5, 8)


def test_the_future_changes_nothing_behind_a_causal_mask() -> None:
    layer = MultiHeadAttention(embed_dim=8, num_heads=2)
    changed = np.array(Q.data)
    changed[:, -1] += 1
    first, second = (np.asarray(layer(x, mask=CAUSAL).data) for x in (Q, Tensor(changed)))

    np.testing.assert_allclose(first[:, :-1], second[:, :-1], atol=1e-5)
    assert not np.allclose(first[:, -1], second[:, -1])
