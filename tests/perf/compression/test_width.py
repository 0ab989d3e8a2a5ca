"""Cutting the residual stream of a GPT, and whole blocks of it."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.transformers import GPT
from tinytorch.errors import UsageError
from tinytorch.perf.compression import prune_transformer
from tinytorch.perf.compression.width import least_busy, narrow_stream
from tinytorch.perf.memoization import with_kv_cache
from tinytorch.perf.quantization import quantize_model

TOKENS = np.random.default_rng(0).integers(0, 7, (64, 8))
TRAIN = TensorDataset(TOKENS, TOKENS)


def gpt(blocks: int = 3, **options: bool) -> GPT:
    return GPT(7, 16, blocks, 4, max_seq_len=8, rng=np.random.default_rng(0), **options).eval()


def flat_gpt() -> GPT:
    """A GPT whose vectors lie in 8 of 16 directions, with gains and shifts of its own."""
    model, rng = gpt(), np.random.default_rng(1)
    directions = np.linalg.qr(rng.standard_normal((16, 8)))[0]
    flat = (directions @ directions.T).astype(np.float32)
    writers = [part for block in model.blocks for part in (block.attention.out_proj, block.mlp.linear2)]
    for layer in (model.token_embedding, model.position_embedding, *writers):
        layer.weight.data = layer.weight.data @ flat
    for layer in writers:
        layer.bias.data = rng.standard_normal(16).astype(np.float32) @ flat
    for norm in (model.ln_f, *(norm for block in model.blocks for norm in (block.ln1, block.ln2))):
        norm.gamma.data[:] = rng.standard_normal(16)
        norm.beta.data[:] = rng.standard_normal(16)
    return model


def test_directions_that_no_vector_takes_cost_nothing() -> None:
    model = flat_gpt()
    small = copy.deepcopy(model)
    narrow_stream(small, 10, TOKENS)  # 8 directions, one that the mean takes off, and one that means take here
    assert small.embed_dim == small.blocks[0].mlp.linear2.weight.shape[1] == 10
    np.testing.assert_allclose(small(TOKENS).data, model(TOKENS).data, rtol=1e-3, atol=1e-4)


def test_the_longest_directions_stay() -> None:
    model = gpt()
    wide, narrow = (copy.deepcopy(model) for _ in range(2))
    narrow_stream(wide, 15, TOKENS)
    narrow_stream(narrow, 4, TOKENS)
    errors = [np.abs(small(TOKENS).data - model(TOKENS).data).mean() for small in (wide, narrow)]
    assert errors[0] < errors[1] / 2


def test_width_and_blocks_are_pruned_in_stages_and_tuned() -> None:
    small = prune_transformer(gpt(), width=8, blocks=2, heads=2, hidden=8, train_data=TRAIN, stages=2, epochs=1)
    assert (small.embed_dim, small.num_layers, small.num_heads) == (8, 2, 2)
    assert small(TOKENS).shape == (64, 8, 7)


def test_a_block_that_changes_nothing_goes_first() -> None:
    model = gpt()
    for layer in (model.blocks[1].attention.out_proj, model.blocks[1].mlp.linear2):
        layer.weight.data[:] = 0
    assert least_busy(model, 2, TOKENS) == [1]


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (gpt, {"width": 1}, "from 2 on"),
        (lambda: gpt(tie_weights=True), {"width": 8}, "tied weights"),
        (lambda: quantize_model(gpt()), {"width": 8}, "cannot be pruned"),
        (lambda: with_kv_cache(gpt()), {"blocks": 2}, "a GPT with a cache"),
    ],
)
def test_what_cannot_be_cut_is_refused(make, options: dict[str, int], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        prune_transformer(make(), train_data=TRAIN, epochs=1, **options)


def test_width_needs_data_to_look_at() -> None:
    with pytest.raises(UsageError, match="needs train_data"):
        prune_transformer(gpt(), width=8)


@pytest.mark.parametrize("tokens", [TOKENS[0], TOKENS[:0]])
@pytest.mark.parametrize("options", [{"width": 8}, {"blocks": 2}])
def test_what_are_no_sequences_is_refused(tokens: np.ndarray, options: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        prune_transformer(gpt(), train_data=TensorDataset(tokens, tokens), epochs=0, **options)


def test_parts_in_two_places_are_not_turned_twice() -> None:
    model = gpt()
    model.blocks[1].mlp = model.blocks[0].mlp
    with pytest.raises(UsageError, match="in one place"):
        prune_transformer(model, width=8, train_data=TRAIN, epochs=0)
    model = gpt()
    model.blocks[1].ln1 = model.ln_f
    with pytest.raises(UsageError, match="LayerNorm is in one place"):
        prune_transformer(model, width=8, train_data=TRAIN, epochs=0)


def test_vectors_of_zeros_have_no_directions() -> None:
    model = gpt()
    model.token_embedding.weight.data[:] = model.position_embedding.weight.data[:] = 0
    with pytest.raises(UsageError, match="all zero"):
        prune_transformer(model, width=8, train_data=TRAIN, epochs=0)
