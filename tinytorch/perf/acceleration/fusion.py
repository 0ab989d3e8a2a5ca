"""Fusion: the same function by other weights, such that less is left to compute.

What a normalization multiplies with and adds goes into the layer beside it, and what later sums make of no effect is
left out. Layers and their kinds stay; those that have nothing to do any more do nothing, and plans leave them out.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from tinytorch.core.activations import GELU
from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.compact import CompactWeight
from tinytorch.core.embeddings import Embedding, PositionalEncoding
from tinytorch.core.layers import Layer, Linear, Sequential, find_layers, inference, set_training_mode
from tinytorch.core.model import as_call, replaced
from tinytorch.core.ops import Array, Operation, watched
from tinytorch.core.spatial import BatchNorm2d, Conv2d
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.core.transformers import GPT, MLP, LayerNorm, TiedHead, TransformerBlock
from tinytorch.errors import UsageError


def fuse(model: Any, example: Array | None = None) -> Any:
    """A copy of `model`, of any class, for inference, that computes the same from weights that save work.

    In every Sequential a BatchNorm2d goes into the Conv2d before it (Jacob et al. 2018, section 3.2). In every
    TransformerBlock and GPT the gains and shifts of LayerNorms go into the Linears behind them, biases of keys, which
    softmax takes out again, are gone, those of values lie in the attention's output. In a GPT all that is added to the
    residual stream has mean zero, so that LayerNorms have none to take off (Ashkboos et al. 2024, section 3.2).
    Weights that are compact, or shared by layers, stay as they are, and what would go into them. So do parts that are
    called from elsewhere than their container: a class of somebody else's may do that, and its `forward` is watched on
    an `example` of its inputs (N, ...). Without one nothing that such a class holds is fused.
    """
    fused, _ = fused_parts(model, example)
    return fused


Parts = list[tuple[Layer, Layer]]
"""Containers, each with a part of it that was changed, and may be called by that container alone."""


def fused_parts(model: Any, example: Array | None) -> tuple[Any, Parts | None]:
    """What `fuse` gives, and the parts that it changed; None where all layers are ours: no plan needs a second look."""
    fused = copy.deepcopy(model)
    layers = find_layers(fused)
    set_training_mode(fused, False)
    holders = [layer for layer in layers if [*layer.children()]]
    is_open = not isinstance(fused, Layer) or not all(map(_Free.is_ours, holders))
    if is_open and example is None:
        return fused, []
    free = _Free(layers, users(fused, example) if is_open else None)
    for layer in filter(free.is_ours, layers):
        match layer:
            case Sequential():
                _fuse_norms(layer, free)
            case TransformerBlock() if has_usual_parts(layer):
                _fuse_block(layer, free)
            case GPT() if is_as_built(layer):
                if isinstance(layer.lm_head, Linear) and free(layer, layer.lm_head, layer.ln_f):
                    fold_layer_norm(layer.ln_f, [layer.lm_head])
                _centre(layer, free)
    return fused, free.parts if is_open or not all(map(_Free.is_ours, layers)) else None


def is_as_built(gpt: GPT) -> bool:
    """Whether a GPT computes by the framework's own layers alone, each of them of the kind that it was built with."""
    layers = find_layers(gpt)
    are_ours = all(type(layer).__module__.startswith("tinytorch.") and "forward" not in vars(layer) for layer in layers)
    blocks = all(type(block) is TransformerBlock and has_usual_parts(block) for block in gpt.blocks)
    blocks = blocks and len({id(block.attention) for block in gpt.blocks}) == len(gpt.blocks)
    ends = (gpt.token_embedding, gpt.position_embedding, gpt.ln_f)
    is_usual = tuple(map(type, ends)) == (Embedding, PositionalEncoding, LayerNorm) and _is_head(gpt)
    return are_ours and blocks and is_usual


def _is_head(gpt: GPT) -> bool:
    """Whether scores come of a Linear, or of the table that embeds the tokens."""
    head = gpt.lm_head
    return isinstance(head, Linear) or (type(head) is TiedHead and head.embedding is gpt.token_embedding)


def has_usual_parts(block: TransformerBlock) -> bool:
    """Whether all parts of a block are of the kinds that it was built with; Linears may be quantized ones."""
    attention, mlp = block.attention, block.mlp
    if (type(attention), type(mlp)) != (MultiHeadAttention, MLP):
        return False
    projections = (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj)
    are_linear = all(isinstance(layer, Linear) for layer in (*projections, mlp.linear1, mlp.linear2))
    return are_linear and (type(mlp.gelu), type(block.ln1), type(block.ln2)) == (GELU, LayerNorm, LayerNorm)


def users(model: Any, example: Array | None) -> dict[int, set[int]]:
    """For each layer, by its id, the ids of those inside whose `forward` it was called or its weight was used.

    0 stands for none. One run on an example shows it.
    """
    layers = find_layers(model)
    found: dict[int, set[int]] = {id(layer): set() for layer in layers}
    owners = {id(item.data): id(layer) for layer in layers for item in vars(layer).values() if type(item) is Tensor}
    running = [0]

    def called(layer: Any) -> Callable[..., Any]:
        forward = layer.forward

        def call(*given: Any, **named: Any) -> Any:
            found[id(layer)].add(running[-1])
            running.append(id(layer))
            try:
                return forward(*given, **named)
            finally:
                running.pop()

        return call

    def computed(name: str, row: Operation) -> Operation:
        def forward(*arrays: Array, **options: Any) -> Array:
            for owner in {owners.get(id(array), 0) for array in arrays} - {*running, 0}:
                found[owner].add(running[-1])
            return row.forward(*arrays, **options)

        return Operation(forward, row.vjps)

    with ExitStack() as stack, inference(model), no_grad(), watched(computed):
        for layer in layers:
            stack.enter_context(replaced(layer, "forward", called(layer)))
        as_call(model)(Tensor(np.array(example)))
    return found


def check_parts(model: Any, parts: Parts, inputs: Array) -> None:
    """UsageError where inputs of another shape use a part past its container, which was fused for the example's."""
    found = users(model, inputs) if parts else {}
    for container, part in parts:
        if found[id(part)] - {id(container)}:
            name, reason = type(model).__qualname__, f"it uses {part!r} otherwise than for the example's"
            mend = "compile it with an example of that shape"
            raise UsageError(f"for inputs {inputs.shape} {name} cannot run as a plan: {reason}", mend=mend)


class _Free:
    """Whether parts of a container may be changed: ours, in one place, with weights of floats that are theirs alone,
    and used by that container alone, as far as it is known who used them.
    """

    def __init__(self, layers: list[Layer], users: dict[int, set[int]] | None = None) -> None:
        self.parts: Parts = []
        self._users = users
        self._tensors = Counter(id(item) for layer in layers for item in vars(layer).values() if is_weight(item))
        self._places = Counter(id(child) for layer in layers for child in layer.children())

    def __call__(self, container: Layer, *layers: Layer) -> bool:
        if self._users is not None and any(self._users[id(layer)] - {id(container)} for layer in layers):
            return False
        kept = [item for layer in layers for item in vars(layer).values() if is_weight(item)]
        are_alone = all(type(item) is Tensor and self._tensors[id(item)] == 1 for item in kept)
        if not are_alone or not all(self.is_ours(layer) and self._places[id(layer)] == 1 for layer in layers):
            return False
        self.parts += [(container, layer) for layer in layers]
        return True

    @staticmethod
    def is_ours(layer: Layer) -> bool:
        """Whether a layer computes what the framework's does, not what a class of somebody else's says."""
        return type(layer).__module__.startswith("tinytorch.core.") and "forward" not in vars(layer)


def is_weight(item: object) -> bool:
    """Whether an attribute of a layer is a weight, in whatever form."""
    return isinstance(item, (Tensor, CompactWeight))


class FoldedBatchNorm2d(Layer):
    """What is left of a BatchNorm2d that went into its convolution: inputs come out as they are."""

    kind = BatchNorm2d.kind

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape, kept."""
        return inputs


def _fuse_norms(container: Sequential, free: _Free) -> None:
    """Fold every BatchNorm2d that stands behind a Conv2d, in place."""
    for number, (first, second) in enumerate(itertools.pairwise(list(container.layers))):
        if isinstance(first, Conv2d) and isinstance(second, BatchNorm2d) and free(container, first, second):
            fold_batch_norm(first, second)
            folded = container.layers[number + 1] = FoldedBatchNorm2d()
            free.parts[-1] = (container, folded)


def fold_batch_norm(convolution: Conv2d, norm: BatchNorm2d) -> None:
    """Move what `norm` does in inference into the convolution before it, in place."""
    scale = norm.gamma.data / np.sqrt(norm.running_var + norm.eps)
    bias = 0 if convolution.bias is None else convolution.bias.data
    convolution.weight.data = convolution.weight.data * scale[:, None, None, None]
    convolution.bias = _tensor((bias - norm.running_mean) * scale + norm.beta.data)


def fold_layer_norm(norm: LayerNorm, followers: list[Linear]) -> None:
    """Move the gain and shift of `norm` into all Linears that read it, in place."""
    gain, shift = norm.gamma.data, norm.beta.data
    for linear in followers:
        if shift.any():
            bias = 0 if linear.bias is None else linear.bias.data
            linear.bias = _tensor(bias + shift @ linear.weight.data)
        linear.weight.data = gain[:, None] * linear.weight.data
    norm.gamma, norm.beta = _tensor(np.ones_like(gain)), _tensor(np.zeros_like(shift))


def _fuse_block(block: TransformerBlock, free: _Free) -> None:
    attention, mlp = block.attention, block.mlp
    readers = [attention.q_proj, attention.k_proj, attention.v_proj]
    if free(block, attention, block.ln1) and free(attention, *readers):
        fold_layer_norm(block.ln1, readers)
        attention.k_proj.bias = None  # adds the same to all scores of a query
        if free(attention, attention.out_proj) and attention.v_proj.bias is not None:
            through = attention.v_proj.bias.data @ attention.out_proj.weight.data  # weights of positions sum to 1
            bias = 0 if attention.out_proj.bias is None else attention.out_proj.bias.data
            attention.out_proj.bias, attention.v_proj.bias = _tensor(bias + through), None
    if free(block, mlp, block.ln2) and free(mlp, mlp.linear1):
        fold_layer_norm(block.ln2, [mlp.linear1])


def _centre(gpt: GPT, free: _Free) -> None:
    """Take its mean off everything that is added to the residual stream, which only LayerNorms read."""
    tables: list[Any] = [gpt.token_embedding, gpt.position_embedding]
    writers = [linear for block in gpt.blocks for linear in (block.attention.out_proj, block.mlp.linear2)]
    holders = [gpt, gpt, *(part for block in gpt.blocks for part in (block.attention, block.mlp))]
    if not all(free(holder, layer) for holder, layer in zip(holders, [*tables, *writers], strict=True)):
        return
    for layer in (*tables, *writers):
        layer.weight.data = _centred(layer.weight.data)
        if isinstance(layer, Linear) and layer.bias is not None:
            layer.bias = _tensor(_centred(layer.bias.data))


def _centred(array: Array) -> Array:
    centred: Array = (array - array.mean(axis=-1, keepdims=True, dtype=np.float64)).astype(np.float32)
    return centred


def _tensor(array: Array) -> Tensor:
    return Tensor(array.astype(np.float32))
