"""What the course promises of module 11, whoever wrote it."""

from __future__ import annotations

import numpy as np

from tinytorch.core.embeddings import Embedding, EmbeddingLayer, PositionalEncoding, create_sinusoidal_embeddings
from tinytorch.core.tensor import Tensor

TOKENS = Tensor([[1, 4, 1], [0, 2, 3]])


def test_a_token_is_a_row_of_the_table() -> None:
    layer = Embedding(vocab_size=6, embed_dim=8)
    found = layer(TOKENS)

    assert found.shape == (2, 3, 8)
    np.testing.assert_array_equal(found.data[0, 1], layer.weight.data[4])


def test_rows_that_were_looked_up_learn() -> None:
    layer = Embedding(vocab_size=6, embed_dim=2)
    layer(TOKENS).sum().backward()

    np.testing.assert_array_equal(np.asarray(layer.weight.grad)[:, 0], [1, 2, 1, 1, 1, 0])


def test_sines_and_cosines_tell_positions_apart() -> None:
    table = np.asarray(create_sinusoidal_embeddings(50, 16).data)

    assert table.shape == (50, 16)
    np.testing.assert_allclose(table[0, 0::2], 0, atol=1e-6)
    np.testing.assert_allclose(table[0, 1::2], 1, atol=1e-6)
    np.testing.assert_allclose(table[1, 0], np.sin(1), rtol=1e-5)
    np.testing.assert_allclose(
        table[3, 2:4], [np.sin(3 / 10_000 ** (2 / 16)), np.cos(3 / 10_000 ** (2 / 16))], rtol=1e-4
    )


def test_a_position_is_added_to_what_is_there() -> None:
    encoding = PositionalEncoding(max_seq_len=10, embed_dim=8)
    alone, with_five = (np.asarray(encoding(Tensor(np.full((1, 4, 8), value))).data) for value in (0.0, 5.0))

    np.testing.assert_allclose(with_five - alone, 5, rtol=1e-5)


def test_positions_learn() -> None:
    assert [parameter.shape for parameter in PositionalEncoding(max_seq_len=10, embed_dim=8).parameters()] == [(10, 8)]


def test_a_position_is_added() -> None:
    encoding = PositionalEncoding(max_seq_len=10, embed_dim=8)
    found = np.asarray(encoding(Tensor(np.zeros((1, 4, 8)))).data)

    assert found.shape == (1, 4, 8)
    assert not np.allclose(found[0, 0], found[0, 1])


def test_without_positions_a_token_is_the_same_everywhere() -> None:
    found = np.asarray(EmbeddingLayer(vocab_size=6, embed_dim=8, pos_encoding=None)(TOKENS).data)

    np.testing.assert_array_equal(found[0, 0], found[0, 2])


def test_tokens_and_positions_come_together() -> None:
    layer = EmbeddingLayer(vocab_size=6, embed_dim=8, max_seq_len=10)
    found = np.asarray(layer(TOKENS).data)

    assert found.shape == (2, 3, 8)
    assert not np.allclose(found[0, 0], found[0, 2])  # the same token elsewhere
