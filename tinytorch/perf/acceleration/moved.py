"""What a plan does: bytes that it moves, weights as they are kept, and operations; without what meets zeros alone."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.compact import CompactWeight, Rows
from tinytorch.core.model import Backend
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.perf.acceleration.backends import calls_of
from tinytorch.perf.acceleration.plan import Instruction, Plan
from tinytorch.perf.acceleration.trace import LAYER

MATRIX = 2  # axes
PRODUCTS, CONVOLUTION = ("linear", "matmul"), "conv2d"


class PlanWork(NamedTuple):
    """Operations of products, bytes of weights that are read, and all bytes that are read and written, at least."""

    flops: int = 0
    weight_bytes: int = 0
    moved_bytes: int = 0

    def times(self, count: int) -> PlanWork:
        """That of so many runs."""
        return PlanWork(*(count * each for each in self))

    def plus(self, other: PlanWork) -> PlanWork:
        """That of both."""
        return PlanWork(*map(sum, zip(self, other, strict=True)))


def work_of(plan: Plan, backend: Backend) -> PlanWork:
    """What is done at least while a plan runs, whose inputs are filled; it is run, step by step."""
    total = PlanWork()
    for instruction in plan.instructions:
        share = _share_read(instruction, backend)
        weights = _weights_read(instruction, share)
        total = total.plus(PlanWork(round(_products(instruction) * share), weights, weights + _results(instruction)))
        for call in calls_of([instruction], backend):
            call()
    return total


def _products(instruction: Instruction) -> int:
    """Operations of a product or a convolution: two for each number of a row, or of a window, and each output."""
    if instruction.name in PRODUCTS:
        return int(2 * instruction.output.size * instruction.inputs[0].shape[-1])
    if instruction.name == CONVOLUTION:
        return int(2 * instruction.output.size * prod(instruction.inputs[1].shape[1:]))
    weight = getattr(instruction.layer, "weight", None) if instruction.name == LAYER else None
    if not isinstance(weight, CompactWeight):
        return 0
    if isinstance(rows := weight.readable(), Rows):
        return int(2 * rows.values.size * instruction.output.size // instruction.output.shape[-1])
    inputs = weight.shape[0] if weight.ndim == MATRIX else prod(weight.shape[1:])
    return int(2 * instruction.output.size * inputs)


def _results(instruction: Instruction) -> int:
    """Bytes of the output, and of the input that depends on the plan's."""
    arrays = [array for array in instruction.inputs if isinstance(array, np.ndarray)]
    return int(instruction.output.nbytes) + (arrays[0].nbytes if arrays else 0)


def _weights_read(instruction: Instruction, share_read: float) -> int:
    """Of a table the rows that are taken, of a cache nothing."""
    if "table" in instruction.options:
        table = instruction.options["table"]
        taken = instruction.output.size // instruction.output.shape[-1]
        return int(table.nbytes * taken // len(table))
    return 0 if instruction.name.startswith("attend") else round(_weight_bytes(instruction) * share_read)


def _weight_bytes(instruction: Instruction) -> int:
    if instruction.name == LAYER:
        kept = [item for item in vars(instruction.layer).values() if isinstance(item, (Tensor, CompactWeight))]
        return sum(item.data.nbytes if isinstance(item, Tensor) else item.nbytes for item in kept)
    return sum(array.nbytes for array in instruction.inputs[1:])


def _share_read(instruction: Instruction, backend: Backend) -> float:
    """The share of a weight's rows that is read: a kernel leaves out those that meet a zero in every row of inputs."""
    is_product = instruction.name in PRODUCTS or (instruction.name == LAYER and instruction.layer.kind == "Linear")
    inputs: Any = instruction.inputs[0]
    if backend != "numba" or not is_product or inputs.dtype != np.float32:
        return 1.0
    rows: Array = inputs.reshape(-1, inputs.shape[-1])
    return float((rows != 0).any(axis=0).mean())
