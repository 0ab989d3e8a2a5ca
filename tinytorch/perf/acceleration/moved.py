"""What a plan does: bytes that it moves, weights as they are kept, and operations; without what meets zeros alone."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.compact import CompactWeight, Factors, Rows
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
        met = _met(instruction, backend)
        flops, weights = _products(instruction, met), _weights_read(instruction, met)
        total = total.plus(PlanWork(flops, weights, weights + _results(instruction)))
        for call in calls_of([instruction], backend):
            call()
    return total


def _met(instruction: Instruction, backend: Backend) -> Array | None:
    """Which inputs (rows, columns) are not zero: kernels leave out what meets zeros; None where all are multiplied."""
    is_product = instruction.name in PRODUCTS or (instruction.name == LAYER and instruction.layer.kind == "Linear")
    inputs: Any = instruction.inputs[0]
    if backend != "numba" or not is_product or inputs.dtype != np.float32:
        return None
    found: Array = inputs.reshape(-1, inputs.shape[-1]) != 0
    return found


def _products(instruction: Instruction, met: Array | None) -> int:
    """Operations of a product or a convolution: two for each number of a row, or of a window, and each output."""
    output = instruction.output
    if instruction.name in PRODUCTS:
        return int(2 * output.size * instruction.inputs[0].shape[-1] * _share(met))
    if instruction.name == CONVOLUTION:
        return int(2 * output.size * prod(instruction.inputs[1].shape[1:]))
    weight = getattr(instruction.layer, "weight", None) if instruction.name == LAYER else None
    if not isinstance(weight, CompactWeight):
        return 0
    if weight.ndim != MATRIX:
        return int(2 * output.size * prod(weight.shape[1:]))
    return int(2 * _multiplied(weight, output.size // output.shape[-1], met))


def _multiplied(weight: Any, rows: int, met: Array | None) -> float:
    """Numbers of a matrix of any form that so many rows are multiplied with."""
    read = weight.readable() if isinstance(weight, CompactWeight) else None
    if isinstance(read, Factors):  # what comes between them is not known here
        return _multiplied(read.left, rows, met) + _multiplied(read.right, rows, None) * _share(met)
    if isinstance(read, Rows):
        kept = np.diff(read.starts)
        return float(rows * kept.sum() if met is None else (met @ kept).sum())
    return float(rows * weight.size * _share(met))


def _share(met: Array | None) -> float:
    return 1.0 if met is None or not met.size else float(met.mean())


def _results(instruction: Instruction) -> int:
    """Bytes of the output, and of the input that depends on the plan's."""
    arrays = [array for array in instruction.inputs if isinstance(array, np.ndarray)]
    return int(instruction.output.nbytes) + (arrays[0].nbytes if arrays else 0)


def _weights_read(instruction: Instruction, met: Array | None) -> int:
    """Bytes, each once: of a table the rows that are taken, of a cache nothing."""
    if "table" in instruction.options:
        table = instruction.options["table"]
        taken = instruction.output.size // instruction.output.shape[-1]
        return int(table.nbytes * taken // len(table))
    if instruction.name.startswith("attend"):
        return 0
    if instruction.name != LAYER:
        return round(sum(array.nbytes for array in instruction.inputs[1:]) * _read(met))
    kept = [item for item in vars(instruction.layer).values() if isinstance(item, (Tensor, CompactWeight))]
    return round(sum(_bytes_read(item, met) for item in kept))


def _bytes_read(weight: Tensor | CompactWeight, met: Array | None) -> float:
    if isinstance(weight, Tensor):
        return weight.data.nbytes * _read(met)
    read = weight.readable()
    if isinstance(read, Factors):
        return (_bytes_read(read.left, met) + _bytes_read(read.right, None)) * _read(met)
    if isinstance(read, Rows) and met is not None:
        kept = np.diff(read.starts)
        return float(weight.nbytes * kept[met.any(axis=0)].sum() / max(1, kept.sum()))
    return weight.nbytes * _read(met)


def _read(met: Array | None) -> float:
    """The share of a matrix's rows that any row of inputs meets."""
    return 1.0 if met is None or not met.size else float(met.any(axis=0).mean())
