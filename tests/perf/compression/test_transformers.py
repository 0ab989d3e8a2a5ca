"""Pruning inside transformers: which heads and neurons go, and that what is left computes the same."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, Sequential, find_layers, layer_kinds
from tinytorch.core.transformers import GPT, MLP, Completion
from tinytorch.errors import UsageError
from tinytorch.perf.compression import prune_transformer
from tinytorch.perf.memoization import with_kv_cache
from tinytorch.perf.quantization import quantize_model

TOKENS = np.array([[1, 5, 2, 0], [3, 3, 6, 4]])


def gpt() -> GPT:
    return GPT(7, 16, 2, 4, max_seq_len=8, rng=np.random.default_rng(0)).eval()


def test_sizes_inside_blocks_shrink_and_those_between_stay() -> None:
    small = prune_transformer(gpt(), heads=3, hidden=0.25)

    for block in small.blocks:
        assert block.attention.num_heads == 3
        assert block.attention.q_proj.weight.shape == block.attention.v_proj.weight.shape == (16, 12)
        assert block.attention.out_proj.weight.shape == (12, 16)
        assert (block.mlp.linear1.weight.shape, block.mlp.linear2.weight.shape) == ((16, 16), (16, 16))
    assert small(TOKENS).shape == (2, 4, 7)
    assert layer_kinds(small) == layer_kinds(gpt())


def test_keeping_all_changes_nothing() -> None:
    np.testing.assert_allclose(
        prune_transformer(gpt(), heads=4, hidden=1.0)(TOKENS).data, gpt()(TOKENS).data, rtol=1e-5, atol=1e-6
    )


def test_a_head_that_nobody_listens_to_goes_first() -> None:
    model = gpt()
    for block in model.blocks:
        block.attention.out_proj.weight.data[4:8] = 0  # the second head's part
    small = prune_transformer(model, heads=3)

    np.testing.assert_allclose(small(TOKENS).data, model(TOKENS).data, rtol=1e-4, atol=1e-5)


def test_neurons_that_nobody_listens_to_go_first() -> None:
    model = gpt()
    for block in model.blocks:
        block.mlp.linear2.weight.data[::2] = 0
    small = prune_transformer(model, hidden=32)

    np.testing.assert_allclose(small(TOKENS).data, model(TOKENS).data, rtol=1e-4, atol=1e-5)


def test_a_pruned_model_generates_the_same_with_a_cache() -> None:
    small = prune_transformer(Completion(gpt(), 4, 4).eval(), heads=2, hidden=8)
    plain = small(TOKENS).data

    np.testing.assert_array_equal(with_kv_cache(small)(TOKENS).data, plain)


def test_what_is_left_is_fine_tuned() -> None:
    data = TensorDataset(TOKENS, np.roll(TOKENS, 1, axis=1))
    raw, tuned = (prune_transformer(gpt(), heads=2, **options) for options in ({}, {"train_data": data, "epochs": 2}))

    assert not np.allclose(raw(TOKENS).data, tuned(TOKENS).data)
    assert not any(layer.training for layer in find_layers(tuned))


def test_the_given_model_stays_as_it_is() -> None:
    model = gpt()
    before = [array.copy() for array in model.weights()]
    prune_transformer(model, heads=1, hidden=1)

    assert all((a == b).all() for a, b in zip(model.weights(), before, strict=True))


def test_only_what_is_named_is_pruned() -> None:
    assert prune_transformer(gpt(), hidden=4).blocks[0].attention.num_heads == 4
    assert prune_transformer(gpt(), heads=1).blocks[0].mlp.linear1.out_features == 64


def test_pruned_parts_are_quantized_afterwards_and_not_before() -> None:
    assert quantize_model(prune_transformer(gpt(), heads=2))(TOKENS).shape == (2, 4, 7)
    with pytest.raises(UsageError, match="cannot be pruned"):
        prune_transformer(quantize_model(gpt()), heads=2)


WRONG = {
    "nothing asked": (gpt, {}),
    "no attention": (lambda: Sequential(Linear(2, 2)), {"heads": 1}),
    "no perceptron": (lambda: MultiHeadAttention(8, 2), {"hidden": 2}),
    "no head": (gpt, {"heads": 0}),
    "a share above one": (lambda: MLP(4), {"hidden": 1.5}),
    "a truth value": (gpt, {"heads": True}),
}


@pytest.mark.parametrize(("make", "options"), WRONG.values(), ids=WRONG.keys())
def test_what_makes_no_sense_is_refused(make, options: dict) -> None:
    with pytest.raises(UsageError, match=r"needs heads=|(heads|hidden) must be"):
        prune_transformer(make(), **options)
