"""Narrower residual streams: a GPT's vectors are turned so that their last directions can be cut (SliceGPT, 2024).

Ashkboos et al., "SliceGPT: Compress large language models by deleting rows and columns", section 3: what is added to
the stream can be turned by any orthogonal matrix, where all that reads it turns it back. A LayerNorm must find the same
lengths afterwards: what it takes its mean off has none here, before and after.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.layers import Linear
from tinytorch.core.listening import heard
from tinytorch.core.model import inference, replaced
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import GPT, LayerNorm, TiedHead
from tinytorch.core.weights import check_finite
from tinytorch.errors import UsageError

SAMPLES = 256  # of the training split, which show the directions that vectors take
NARROWEST = 2
SHORTEST = 1e-12  # vector that has a direction


def narrow_stream(gpt: GPT, width: int, inputs: Array) -> None:
    """Cut the vectors of `gpt` to `width` numbers, in place; `inputs` (N, T) are tokens as it reads them.

    Kept are the directions in which the vectors before each LayerNorm are longest. Raises UsageError for a width that
    is none, and for weights that are compact, or tied.
    """
    if width >= gpt.embed_dim:
        return
    if width < NARROWEST:
        raise UsageError(f"prune_transformer needs a width from {NARROWEST} on: a mean takes one number, not {width}")
    readers = [(block.ln1, _projections(block)) for block in gpt.blocks]
    readers += [(block.ln2, [block.mlp.linear1]) for block in gpt.blocks]
    readers += [(gpt.ln_f, [gpt.lm_head])]
    tables: list[Any] = [gpt.token_embedding, gpt.position_embedding]
    writers: list[Any] = [part for block in gpt.blocks for part in (block.attention.out_proj, block.mlp.linear2)]
    _check(gpt, [*tables, *writers, *(linear for _, linears in readers for linear in linears)])
    covariance = _covariance(gpt, [norm for norm, _ in readers], inputs)
    if not np.isfinite(covariance).all():
        raise UsageError("the width of a GPT whose vectors are all zero, or no numbers, cannot be pruned")
    turn = _directions(covariance, width)  # (embed_dim, width)
    for layer in (*tables, *writers):
        layer.weight = _tensor(_centred(layer.weight.data) @ turn)
    for layer in writers:
        layer.bias = None if layer.bias is None else _tensor(_centred(layer.bias.data) @ turn)
    for norm, linears in readers:
        for linear in linears:
            _read_turned(linear, norm, turn)
        norm.eps *= norm.gamma.size / width  # beside a mean square over fewer numbers
        norm.gamma, norm.beta = _tensor(np.ones(width)), _tensor(np.zeros(width))


def least_busy(gpt: GPT, count: int, inputs: Array) -> list[int]:
    """Numbers of all blocks but `count`, in whose vectors they change least (Men et al. 2024, "ShortGPT").

    That is one less the cosine of the angle between a vector that goes in and the one that comes out.
    """
    influence = np.zeros(gpt.num_layers)

    def listening(number: int) -> Any:
        forward = gpt.blocks[number].forward

        def call(vectors: Tensor, *others: Any) -> Any:
            output = forward(vectors, *others)
            first, second = (each.data.reshape(-1, each.shape[-1]).astype(np.float64) for each in (vectors, output))
            lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
            influence[number] = 1 - ((first * second).sum(axis=1) / np.maximum(lengths, SHORTEST)).mean()
            return output

        return call

    with ExitStack() as stack:
        for number, block in enumerate(gpt.blocks):
            stack.enter_context(replaced(block, "forward", listening(number)))
        look_at(gpt, inputs)
    return sorted(int(number) for number in np.argsort(influence, kind="stable")[: gpt.num_layers - count])


def look_at(gpt: GPT, inputs: Array) -> None:
    """Let a GPT read the first sequences of tokens (N, T), as much of them as it has positions for.

    Raises UsageError for what are no sequences.
    """
    if inputs.ndim != 2 or not inputs.size:
        raise UsageError(f"a GPT needs sequences of tokens (N, T) that show what can go, not {inputs.shape}")
    with inference(gpt), no_grad():
        gpt(Tensor(inputs[:SAMPLES, : gpt.max_seq_len]))


def _projections(block: Any) -> list[Any]:
    return [block.attention.q_proj, block.attention.k_proj, block.attention.v_proj]


def _check(gpt: GPT, layers: list[Any]) -> None:
    if isinstance(gpt.lm_head, TiedHead):
        raise UsageError("the width of a GPT with tied weights cannot be pruned: its table is written and read")
    if not gpt.num_layers or len({id(layer.weight) for layer in layers}) < len(layers):
        raise UsageError("prune_transformer needs width of a GPT with blocks, each of whose weights is in one place")
    norms = [gpt.ln_f, *(norm for block in gpt.blocks for norm in (block.ln1, block.ln2))]
    if not all(type(norm) is LayerNorm for norm in norms) or len({id(norm) for norm in norms}) < len(norms):
        raise UsageError("prune_transformer needs width of a GPT in which every LayerNorm is in one place")
    for layer in layers:
        if isinstance(layer.weight, CompactWeight):
            raise UsageError(f"{layer!r} cannot be pruned: its weight is a {layer.weight!r}", mend="prune first")
        check_finite(layer.weight.data, "pruned")


def _covariance(gpt: GPT, norms: list[LayerNorm], inputs: Array) -> Array:
    """Products of all vectors (embed_dim, embed_dim) that LayerNorms read, without their means, each norm's as much."""
    size = norms[0].gamma.size
    total = np.zeros((size, size))

    def hear(vectors: Array) -> None:
        rows = _centred(vectors.reshape(-1, size))
        with np.errstate(invalid="ignore"):  # vectors of zeros have no direction: what comes of it is looked at
            np.add(total, rows.T @ rows / np.square(rows).sum(), out=total)

    with ExitStack() as stack:
        for norm in norms:
            stack.enter_context(heard(norm, hear))
        look_at(gpt, inputs)
    return total


def _directions(covariance: Array, width: int) -> Array:
    """The `width - 1` longest directions (embed_dim, width), written in `width` numbers whose mean is zero."""
    _, vectors = np.linalg.eigh(covariance)
    longest = vectors[:, ::-1][:, : width - 1]
    basis, _ = np.linalg.qr(_centred(np.eye(width))[:, : width - 1])
    turn: Array = longest @ basis.T
    return turn


def _read_turned(linear: Linear, norm: LayerNorm, turn: Array) -> None:
    """Let a Linear behind a LayerNorm read turned vectors: its gain and shift go into the weight and the bias.

    A vector's mean square is over `width` numbers now, where it was over more.
    """
    before, width = turn.shape
    if norm.beta.data.any():
        shift = norm.beta.data @ linear.weight.data
        linear.bias = _tensor(shift if linear.bias is None else linear.bias.data + shift)
    gained = norm.gamma.data[:, None] * linear.weight.data
    linear.weight = _tensor(np.sqrt(before / width) * turn.T @ gained)


def _centred(array: Array) -> Array:
    centred: Array = array - array.mean(axis=-1, keepdims=True, dtype=np.float64)
    return centred


def _tensor(array: Array) -> Tensor:
    return Tensor(np.ascontiguousarray(array, np.float32), requires_grad=True)
