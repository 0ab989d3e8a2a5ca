"""What a plan reads and writes: weights as they are kept, and of those only the rows that meet no zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.model import Backend
from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.perf.acceleration.backends import calls_of
from tinytorch.perf.acceleration.plan import Instruction, Plan
from tinytorch.perf.acceleration.trace import LAYER

PRODUCTS = ("linear", "matmul")


def moved_bytes(plan: Plan, backend: Backend) -> int:
    """Bytes that are moved at least while a plan runs, whose inputs are filled; it is run, step by step."""
    total = 0
    for instruction in plan.instructions:
        total += _moved(instruction, backend)
        for call in calls_of([instruction], backend):
            call()
    return total


def _moved(instruction: Instruction, backend: Backend) -> int:
    """Output, inputs, and weights: of a table the rows that are taken, of a cache nothing."""
    arrays = [array for array in instruction.inputs if isinstance(array, np.ndarray)]
    results = instruction.output.nbytes + (arrays[0].nbytes if arrays else 0)
    if "table" in instruction.options:
        table = instruction.options["table"]
        taken = instruction.output.size // instruction.output.shape[-1]
        return results + int(table.nbytes * taken // len(table))
    if instruction.name.startswith("attend"):
        return results
    return results + round(_weight_bytes(instruction) * _share_read(instruction, backend))


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
