"""Structured pruning: whole neurons and channels are removed, and a smaller model of the same kind is left."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.chains import Joint, Norm, Weighted, inputs_of, joints_of, outputs_of
from tinytorch.core.dataloader import TensorDataset, as_dataset
from tinytorch.core.layers import Linear
from tinytorch.core.model import Layer, as_call, inference, replace_layers, set_training_mode
from tinytorch.core.ops import Array
from tinytorch.core.spatial import BatchNorm2d, Conv2d
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.errors import ShapeError, UsageError
from tinytorch.perf.compression.tuning import check_tuning, number_of, on_the_way, tuned_in_stages


def prune_neurons(
    model: Any,
    *,
    keep: int | float,
    train_data: TensorDataset | None = None,
    stages: int = 1,
    stage_epochs: int = 5,
    example: Any = None,
    **tuning: Any,
) -> Any:
    """A smaller copy of `model`: every hidden layer keeps its most important neurons or channels.

    keep: neurons in each hidden layer (int; narrower layers stay), or the fraction of them (float, 0 < keep <= 1), and
    one at least.
    With `train_data` the result is fine-tuned on it; `tuning` are the options of `fine_tune`. In `stages` layers get
    narrower by the same factor each time, and learn for `stage_epochs` before the next (Li et al. 2017, section 3.4).
    A neuron's importance is the norm of its incoming weights times the norm of its outgoing ones; gains of
    normalizations count in.
    Raises UsageError for a model that is not a chain of Linear, Conv2d, and layers that treat every neuron alone. A
    class of somebody else's is watched on the first of `train_data`, or on an `example` of its inputs (N, ...).
    """
    check_tuning(train_data, tuning, stages)
    shown = _example(train_data, example)
    widths = [outputs_of(joint.before) for joint in joints_of(model, shown)]
    wanted = [number_of("keep", keep, width) for width in widths]

    def narrower(current: Any, share: float) -> Any:
        return _narrowed(current, joints_of(current, shown), on_the_way(widths, wanted, share))

    pruned = tuned_in_stages(model, narrower, train_data, stages, stage_epochs, tuning)
    _check_runs(pruned, shown)
    set_training_mode(pruned, False)
    return pruned


def _example(train_data: TensorDataset | None, example: Any) -> Array | None:
    """One sample of the model's inputs, where there is any."""
    if example is not None:
        return np.asarray(Tensor(example).data)
    return None if train_data is None else np.asarray(as_dataset(train_data).inputs[:1])


def _narrowed(model: Any, joints: list[Joint], sizes: list[int]) -> Any:
    """A copy of the model with so many neurons at each joint."""
    kept = [_most_important(joint, size) for joint, size in zip(joints, sizes, strict=True)]
    smaller: dict[int, Layer] = {}
    first, last = joints[0].before, joints[-1].after
    ends = [np.arange(inputs_of(first)), *kept, np.arange(outputs_of(last))]
    before = [inputs_of(first), *(outputs_of(joint.before) for joint in joints)]
    layers = [*(joint.before for joint in joints), last]
    for number, layer in enumerate(layers):
        smaller[id(layer)] = _sliced(layer, before[number], ends[number], ends[number + 1])
    for joint, chosen in zip(joints, kept, strict=True):
        smaller.update({id(norm): _sliced_norm(norm, chosen) for norm in joint.norms})
    return replace_layers(model, lambda layer: id(layer) in smaller, lambda layer: smaller[id(layer)])


def _check_runs(pruned: Any, example: Array | None) -> None:
    """UsageError for a `forward` that counts on the sizes before."""
    if example is None:
        return
    try:
        with inference(pruned), no_grad():
            as_call(pruned)(Tensor(example))
    except ShapeError as error:
        name = type(pruned).__qualname__
        reason = f"{name} cannot be pruned: with fewer neurons its forward fails: {error.message}"
        raise UsageError(reason, mend="write no sizes into its forward: x.reshape(len(x), -1)") from error


def _most_important(joint: Joint, count: int) -> Array:
    """Sorted indices of the neurons of a joint that stay."""
    incoming = np.square(_kernels(joint.before, 1)).sum(axis=(1, 2))
    if joint.before.bias is not None:
        incoming = incoming + np.square(joint.before.bias.data)
    for norm in joint.norms:
        incoming = incoming * np.square(_gain(norm))
    outgoing = np.square(_kernels(joint.after, len(incoming))).sum(axis=(0, 2))
    return np.sort(np.argsort(-incoming * outgoing, kind="stable")[:count])


def _gain(norm: Norm) -> Array:
    """What a normalization multiplies every neuron by, as far as that is its own."""
    gain: Array = norm.gamma.data
    return gain / np.sqrt(norm.running_var + norm.eps) if isinstance(norm, BatchNorm2d) else gain


def _kernels(layer: Weighted, inputs: int) -> Array:
    """Weights as (outputs, inputs, weights of one input): a Linear sees a channel as one input for each pixel."""
    weight = layer.weight.data.T if isinstance(layer, Linear) else layer.weight.data
    return weight.reshape(len(weight), inputs, -1)


def _sliced(layer: Weighted, width: int, inputs: Array, outputs: Array) -> Weighted:
    """A copy of `layer`, which sees `width` neurons before it, with these inputs and outputs only."""
    kernels = _kernels(layer, width)[np.ix_(outputs, inputs)]
    bias = None if layer.bias is None else layer.bias.data[outputs]
    if isinstance(layer, Linear):
        return Linear.from_arrays(np.ascontiguousarray(kernels.reshape(len(outputs), -1).T), bias)
    weight = kernels.reshape(len(outputs), len(inputs), *layer.kernel_size)
    return Conv2d.from_arrays(weight, bias, layer.stride, layer.padding, layer.dilation)


def _sliced_norm(norm: Norm, kept: Array) -> Norm:
    """A copy of a normalization for these neurons only, with their gains, shifts and running statistics."""
    made: Norm = type(norm)(len(kept), norm.eps)
    made.gamma, made.beta = (Tensor(each.data[kept], requires_grad=True) for each in (norm.gamma, norm.beta))
    if isinstance(made, BatchNorm2d) and isinstance(norm, BatchNorm2d):
        made.momentum = norm.momentum
        made.running_mean, made.running_var = norm.running_mean[kept], norm.running_var[kept]
    return made
