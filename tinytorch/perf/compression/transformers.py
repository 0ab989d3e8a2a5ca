"""Pruning inside transformers: whole attention heads (Michel, Levy & Neubig 2019), and neurons of the perceptrons.

Between blocks nothing changes, so that any model with such layers in it, of any class, can be pruned.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.compact import CompactWeight
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, find_layers
from tinytorch.core.model import set_training_mode
from tinytorch.core.ops import Array
from tinytorch.core.transformers import MLP
from tinytorch.core.weights import check_finite
from tinytorch.errors import UsageError
from tinytorch.perf.compression.tuning import check_tuning, fine_tune, number_of


def prune_transformer(
    model: Any,
    *,
    heads: int | None = None,
    hidden: int | float | None = None,
    train_data: TensorDataset | None = None,
    **tuning: Any,
) -> Any:
    """A smaller copy of `model`: every attention keeps its `heads` most important heads, every MLP `hidden` neurons.

    `hidden` may be a share (float, 0 < hidden <= 1); None leaves that part as it is, and what has fewer stays. A head's
    or neuron's importance is the norm of the weights into it times the norm of those out of it. With `train_data` the
    result is fine-tuned; `tuning` are the options of `fine_tune`. Raises UsageError for a model without what is to be
    pruned, for numbers that make no sense, and for weights that are compact.
    """
    check_tuning(train_data, tuning)
    smaller = copy.deepcopy(model)
    attentions = [layer for layer in find_layers(smaller) if isinstance(layer, MultiHeadAttention)]
    perceptrons = [layer for layer in find_layers(smaller) if isinstance(layer, MLP)]
    if (heads is None or not attentions) and (hidden is None or not perceptrons):
        raise UsageError("prune_transformer needs heads= with an attention, or hidden= with an MLP, in the model")
    for attention in attentions if heads is not None else ():
        _keep_heads(attention, number_of("heads", heads, attention.num_heads))
    for perceptron in perceptrons if hidden is not None else ():
        _keep_neurons(perceptron, number_of("hidden", hidden, perceptron.linear1.out_features))
    if train_data is not None:
        fine_tune(smaller, train_data, **tuning)
    set_training_mode(smaller, False)
    return smaller


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
