"""Pruning transformers: attention heads (Michel, Levy & Neubig 2019), neurons of the perceptrons, width and blocks.

With heads and neurons nothing changes between blocks, so that any model with such layers in it, of any class, can be
pruned.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.compact import CompactWeight
from tinytorch.core.dataloader import TensorDataset, as_dataset
from tinytorch.core.layers import Linear, find_layers
from tinytorch.core.model import set_training_mode
from tinytorch.core.ops import Array
from tinytorch.core.transformers import GPT, MLP
from tinytorch.core.weights import check_finite
from tinytorch.errors import UsageError
from tinytorch.perf.compression.tuning import check_tuning, number_of, on_the_way, tuned_in_stages
from tinytorch.perf.compression.width import least_busy, narrow_stream


def prune_transformer(
    model: Any,
    *,
    heads: int | None = None,
    hidden: int | float | None = None,
    width: int | float | None = None,
    blocks: int | None = None,
    train_data: TensorDataset | None = None,
    stages: int = 1,
    stage_epochs: int = 1,
    **tuning: Any,
) -> Any:
    """A smaller copy of `model`: every attention keeps its `heads` most important heads, every MLP `hidden` neurons.

    In a GPT the vectors between blocks keep `width` numbers (`narrow_stream`), and as many `blocks` stay, those that
    change vectors most; both look at `train_data`, sequences of tokens. `hidden` and `width` may be shares (float,
    0 < share <= 1); None leaves that part as it is, and what has fewer stays. A head's or neuron's importance is the
    norm of the weights into it times the norm of those out of it. With `train_data` the result is fine-tuned; `tuning`
    are the options of `fine_tune`. In `stages` parts get smaller by the same factor each time, and learn for
    `stage_epochs` before the next; blocks go in the last. Raises UsageError for a model without what is to be pruned,
    for numbers that make no sense, and for weights that are compact.
    """
    check_tuning(train_data, tuning, stages)
    asked = {"heads": heads, "hidden": hidden, "width": width, "blocks": blocks}
    parts = {name: value for name, value in asked.items() if value is not None}
    before = _sizes(model)
    if not any(before[name] for name in parts):
        raise UsageError(
            "prune_transformer needs heads= with an attention, hidden= with an MLP, or width= or blocks= with a GPT"
        )
    if ("width" in parts or "blocks" in parts) and train_data is None:
        raise UsageError("pruning width or blocks needs train_data, which shows what can go")
    wanted = {name: [number_of(name, value, size) for size in before[name]] for name, value in parts.items()}

    def smaller(current: Any, share: float) -> Any:
        names = [name for name in parts if name != "blocks" or share == 1]
        steps = {name: on_the_way(before[name], wanted[name], share) for name in names}
        return _smaller(copy.deepcopy(current), steps, train_data)

    pruned = tuned_in_stages(model, smaller, train_data, stages, stage_epochs, tuning)
    set_training_mode(pruned, False)
    return pruned


def _sizes(model: Any) -> dict[str, list[int]]:
    """How much there is of every part that can be pruned, in each layer that has one."""
    return {
        "heads": [layer.num_heads for layer in _found(model, MultiHeadAttention)],
        "hidden": [layer.linear1.out_features for layer in _found(model, MLP)],
        "width": [gpt.embed_dim for gpt in _found(model, GPT)],
        "blocks": [gpt.num_layers for gpt in _found(model, GPT)],
    }


def _found(model: Any, kind: type[Any]) -> list[Any]:
    return [layer for layer in find_layers(model) if isinstance(layer, kind)]


def _smaller(model: Any, sizes: dict[str, list[int]], train_data: TensorDataset | None) -> Any:
    """The model itself, each part cut to its size; blocks last, while sizes count those that go."""
    for attention, number in zip(_found(model, MultiHeadAttention), sizes.get("heads", ()), strict=False):
        _keep_heads(attention, number)
    for perceptron, number in zip(_found(model, MLP), sizes.get("hidden", ()), strict=False):
        _keep_neurons(perceptron, number)
    if train_data is None:
        return model
    inputs = as_dataset(train_data).inputs
    for gpt, number in zip(_found(model, GPT), sizes.get("width", ()), strict=False):
        narrow_stream(gpt, number, inputs)
    for gpt, number in zip(_found(model, GPT), sizes.get("blocks", ()), strict=False):
        _keep_blocks(gpt, number, inputs)
    return model


def _keep_blocks(gpt: GPT, number: int, inputs: Array) -> None:
    """Keep the blocks that change vectors most, in place."""
    if gpt.memory is not None:
        raise UsageError("blocks of a GPT with a cache cannot be pruned", mend="prune first, then with_kv_cache(model)")
    gone = least_busy(gpt, number, inputs)
    gpt.blocks = [block for place, block in enumerate(gpt.blocks) if place not in gone]


def _keep_heads(attention: MultiHeadAttention, number: int) -> None:
    """Keep the most important heads, in place."""
    width, heads = attention.head_dim, attention.num_heads
    into = _squares(attention.v_proj, 0).reshape(heads, width).sum(axis=1)
    out_of = _squares(attention.out_proj, 1).reshape(heads, width).sum(axis=1)
    kept = np.sort(np.argsort(-into * out_of, kind="stable")[:number])
    columns = (kept[:, None] * width + np.arange(width)).ravel()
    for name in ("q_proj", "k_proj", "v_proj"):
        setattr(attention, name, _with_columns(getattr(attention, name), columns))
    attention.out_proj = _with_rows(attention.out_proj, columns)
    attention.num_heads = number


def _keep_neurons(perceptron: MLP, number: int) -> None:
    """Keep the most important hidden neurons, in place."""
    importance = _squares(perceptron.linear1, 0) * _squares(perceptron.linear2, 1)
    kept = np.sort(np.argsort(-importance, kind="stable")[:number])
    perceptron.linear1 = _with_columns(perceptron.linear1, kept)
    perceptron.linear2 = _with_rows(perceptron.linear2, kept)


def _squares(linear: Linear, axis: int) -> Array:
    """Sums of the squared weights along an axis, with the biases of columns."""
    if isinstance(linear.weight, CompactWeight):
        raise UsageError(f"{linear!r} cannot be pruned: its weight is a {linear.weight!r}", mend="prune first")
    check_finite(linear.weight.data, "pruned")
    sums: Array = np.square(linear.weight.data).sum(axis=axis)
    return sums if axis or linear.bias is None else sums + np.square(linear.bias.data)


def _with_columns(linear: Linear, columns: Array) -> Linear:
    bias = None if linear.bias is None else linear.bias.data[columns]
    return Linear.from_arrays(np.ascontiguousarray(linear.weight.data[:, columns]), bias)


def _with_rows(linear: Linear, rows: Array) -> Linear:
    bias = None if linear.bias is None else linear.bias.data.copy()
    return Linear.from_arrays(linear.weight.data[rows], bias)
