"""Embeddings of tokens and positions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tinytorch.core.embeddings import Embedding, EmbeddingLayer, PositionalEncoding, create_sinusoidal_embeddings
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError


def test_an_embedding_gives_the_rows_of_its_table() -> None:
    layer = Embedding(5, 3)

    np.testing.assert_array_equal(layer(np.array([[4, 0]])).data, layer.weight.data[[[4, 0]]])


def test_a_token_used_twice_gets_both_gradients() -> None:
    layer = Embedding(3, 2)
    layer(np.array([1, 1, 2])).sum().backward()

    np.testing.assert_array_equal(layer.weight.grad, [[0, 0], [2, 2], [1, 1]])


@pytest.mark.parametrize("tokens", [[3], [-1], [0.5]])
def test_what_is_no_token_is_refused(tokens: list[float]) -> None:
    with pytest.raises(UsageError, match=r"tokens must (be integers|lie in 0\.\.2,)"):
        Embedding(3, 2)(Tensor(tokens))


def test_positions_are_added_from_the_start_on() -> None:
    layer = PositionalEncoding(6, 2)

    np.testing.assert_array_equal(layer(np.zeros((1, 3, 2), np.float32), start=2).data[0], layer.weight.data[2:5])


def test_a_sequence_beyond_the_context_is_refused() -> None:
    with pytest.raises(ShapeError, match="5 positions is longer than the context of 4"):
        PositionalEncoding(4, 2)(np.zeros((1, 3, 2), np.float32), start=2)


def test_waves_are_sine_and_cosine_of_the_position_and_get_slower() -> None:
    positions = np.arange(4)
    slower = positions / 10_000 ** (2 / 6)
    expected = [np.sin(positions), np.cos(positions), np.sin(slower), np.cos(slower)]
    np.testing.assert_allclose(create_sinusoidal_embeddings(4, 6).data[:, :4].T, expected, rtol=1e-5)


def test_an_embedding_layer_adds_tokens_and_positions() -> None:
    layer = EmbeddingLayer(5, 4, max_seq_len=6)
    tokens = np.array([[4, 0, 1]])
    expected = layer.token_embedding.weight.data[tokens] + layer.pos_encoding.weight.data[:3]
    np.testing.assert_array_equal(layer(tokens), expected)
    assert len(layer.parameters()) == 2


def test_tokens_may_be_scaled_and_go_without_positions() -> None:
    layer = EmbeddingLayer(5, 4, pos_encoding=None, scale_embeddings=True)
    np.testing.assert_allclose(layer(np.array([2])).data[0], 2 * layer.token_embedding.weight.data[2])


def test_fixed_waves_are_not_trained() -> None:
    assert len(EmbeddingLayer(5, 4, pos_encoding="sinusoidal").parameters()) == 1


def test_vectors_of_another_size_are_named() -> None:
    with pytest.raises(ShapeError, match=r"PositionalEncoding\(4, 2, 'learned'\) needs inputs \(..., T, 2\)"):
        PositionalEncoding(4, 2)(np.zeros((1, 3, 1), np.float32))


@pytest.mark.parametrize("build", [lambda: Embedding(0, 2), lambda: Embedding(2, 0), lambda: PositionalEncoding(0, 2)])
def test_an_embedding_needs_sizes(build) -> None:
    with pytest.raises(UsageError, match="its sizes as an integer from 1 on"):
        build()


def test_positions_of_an_unknown_kind_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown positions 'rotary'"):
        PositionalEncoding(4, 2, "rotary")  # type: ignore[arg-type]


def test_fresh_tables_are_even_within_their_limits() -> None:
    tokens, places = Embedding(300, 200, rng=0).weight.data, PositionalEncoding(300, 200, rng=0).weight.data
    for table, limit in ((tokens, math.sqrt(6 / 500)), (places, math.sqrt(2 / 200))):
        assert 0.99 * limit < np.abs(table).max() <= limit
        assert table.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("kind", [Embedding, PositionalEncoding])
def test_a_layer_over_a_given_table_learns_it(kind: Any) -> None:
    layer = kind.from_array(np.ones((3, 2), np.float32))
    assert (layer.weight.shape, layer.weight.requires_grad) == ((3, 2), True)
    with pytest.raises(ShapeError, match="needs a table"):
        kind.from_array(np.ones(3))
