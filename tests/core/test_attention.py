"""Attention."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.attention import MultiHeadAttention, causal_mask, scaled_dot_product_attention
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError


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


BOOLEAN = causal_mask(5, 5)
HABITS = {
    "boolean": BOOLEAN,
    "numbers": BOOLEAN.astype(np.float32),
    "integers": BOOLEAN.astype(np.int64),
    "tensor": Tensor(BOOLEAN, dtype=np.float32),
    "additive": np.where(BOOLEAN, 0.0, -np.inf),
    "large additive": np.where(BOOLEAN, 0.0, -1e9),
    "one more axis": BOOLEAN[None],
    "for each head": np.broadcast_to(BOOLEAN, (2, 2, 5, 5)),
}


@pytest.mark.parametrize("habit", HABITS)
def test_masks_of_every_habit_mean_the_same(habit: str) -> None:
    attention, inputs = MultiHeadAttention(8, 2, np.random.default_rng(1)), vectors(2, 5, 8)
    np.testing.assert_array_equal(attention(inputs, HABITS[habit]), attention(inputs, mask=BOOLEAN))


def test_numbers_of_any_size_are_added_to_the_scores() -> None:
    query, bias = vectors(3, 4), np.array([[0.5, -2.0, 3.0]])
    _, weights = scaled_dot_product_attention(query, query, query, bias)
    scores = np.exp(query.data @ query.data.T / 2 + bias)
    np.testing.assert_allclose(weights, scores / scores.sum(-1, keepdims=True), rtol=1e-5)


def test_an_additive_mask_of_zeros_blocks_nothing() -> None:
    query = vectors(3, 4)
    plain, masked = (scaled_dot_product_attention(query, query, query, mask)[1] for mask in (None, np.zeros((3, 3))))
    np.testing.assert_array_equal(plain, masked)


@pytest.mark.parametrize("row", [np.zeros(3), np.zeros(3, bool), np.full(3, -np.inf)])
def test_a_row_that_may_look_nowhere_is_finite(row: np.ndarray) -> None:
    mask = np.ones((3, 3), row.dtype) if row[0] == 0 else np.zeros((3, 3))
    mask[1] = row
    query = Tensor(vectors(3, 4).data, requires_grad=True)
    outputs, weights = scaled_dot_product_attention(query, query, query, mask)
    outputs.sum().backward()
    np.testing.assert_allclose(weights.data[1], 1 / 3, rtol=1e-6)
    assert np.isfinite(query.grad).all()


@pytest.mark.parametrize(
    ("shapes", "mask"),
    [
        (((3, 4), (3, 5), (3, 4)), None),
        (((3, 4), (3, 4), (2, 4)), None),
        (((4,), (3, 4), (3, 4)), None),
        (((3, 4), (3, 4), (3, 4)), np.ones((2, 3))),
        (((3, 4), (3, 4), (3, 4)), np.ones((2, 3, 3))),
    ],
)
def test_shapes_that_do_not_fit_are_named(shapes: tuple[tuple[int, ...], ...], mask: np.ndarray | None) -> None:
    with pytest.raises(ShapeError, match="attention needs"):
        scaled_dot_product_attention(*(vectors(*shape) for shape in shapes), mask)


@pytest.mark.parametrize("shape", [(5, 8), (1, 5, 4)])
def test_inputs_that_do_not_fit_are_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"MultiHeadAttention\(8, 2\) needs inputs \(N, T, 8\)"):
        MultiHeadAttention(8, 2)(vectors(*shape))


def test_attention_says_its_sizes() -> None:
    attention = MultiHeadAttention(8, 2)
    assert (attention.embed_dim, attention.num_heads, attention.head_dim) == (8, 2, 4)


def test_a_mask_of_integers_that_are_no_truths_is_added() -> None:
    scores = np.random.default_rng(0).standard_normal((1, 3, 4)).astype(np.float32)
    query, key, value = (Tensor(scores) for _ in range(3))
    whole, floating = (
        scaled_dot_product_attention(query, key, value, (mask * -10_000).astype(kind))[0].data
        for kind in (np.int64, np.float32)
        for mask in [~np.tri(3, dtype=bool)]
    )
    np.testing.assert_array_equal(whole, floating)
    allowed = scaled_dot_product_attention(query, key, value, np.tri(3, dtype=int))[0].data
    np.testing.assert_allclose(whole, allowed, rtol=1e-6)


def test_attention_of_three_inputs_says_what_to_write() -> None:
    x = Tensor(np.ones((1, 3, 4)))
    with pytest.raises(UsageError, match="MultiHeadAttention needs one input") as caught:
        MultiHeadAttention(4, 2)(x, x, x)
    assert "scaled_dot_product_attention" in caught.value.mend
