"""A plan: the steps of a trace, each with the arrays that it reads and writes, all of them there before it runs.

Results that are needed no longer give their memory to later ones, and an operation that works element by element
writes over its own input when nobody needs that any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.core.ops import OPERATIONS, Array
from tinytorch.perf.acceleration.layout import linear_matrix
from tinytorch.perf.acceleration.memory import Life, aligned_zeros, places
from tinytorch.perf.acceleration.trace import Trace, TracedCall, Value

FLOAT_BYTES = 4
VIEWS = ("reshape", "transpose", "swapaxes", "getitem")
ROWS_FIRST = [2, 0, 3, 1]  # how the framework lays out images (N, C, H, W): one row of all, then the next
CHANNELS_LAST = [0, 2, 3, 1]  # and how plans do: each image by itself, so that a whole convolution is one product
IN_PLACE = (
    "add", "sub", "mul", "div", "neg", "abs", "exp", "log", "sqrt", "tanh", "sigmoid", "relu", "gelu", "softmax",
    "normalize",
)  # fmt: skip
"""Operations that may write over the first of their inputs that has the output's shape."""


@dataclass(frozen=True)
class Instruction:
    """A step with its arrays: `inputs` are read, `output` is written; what is constant is an array of the model."""

    name: str
    inputs: tuple[Array, ...]
    output: Array
    options: dict[str, Any]
    layer: Any = None


@dataclass(frozen=True)
class Plan:
    """All instructions in order, over one block of memory: fill `inputs`, run them, read `output`."""

    inputs: Array
    instructions: tuple[Instruction, ...]
    output: Array
    memory: Array


def make_plan(trace: Trace, with_one: bool = False) -> Plan:
    """Give every value of a trace its place; a step that only looks at its input in another way is no instruction.

    `with_one`: behind a single row that a Linear reads lies a 1, which meets the bias in the last row of its matrix.
    """
    owner = _owners(trace)
    single = {step: row for step in trace.steps if with_one and (row := _single_row(step, owner))}
    found, size_bytes = places(_lives(trace, owner, set(single.values())))
    memory = aligned_zeros((size_bytes // FLOAT_BYTES,)).view(np.uint8)
    arrays = {value: _laid_out(memory, place, value.example) for value, place in found.items()}
    instructions = []
    for step in trace.steps:
        if _is_view(step):
            arrays[step.output] = OPERATIONS[step.name].forward(_array(arrays, step.inputs[0]), **step.options)
            continue
        if step.output not in arrays:  # it writes over its input
            arrays[step.output] = arrays[owner[step.output]]
        inputs: tuple[Any, ...] = tuple(_array(arrays, each) for each in step.inputs)
        name = step.name
        if step in single:
            matrix = linear_matrix(*inputs[1:])
            name, inputs = "linear_with_one", (_row_with_one(memory, found[single[step]], len(inputs[1])), matrix)
        instructions.append(Instruction(name, inputs, arrays[step.output], step.options, step.layer))
    return Plan(arrays[trace.inputs], tuple(instructions), arrays[trace.output], memory)


def _single_row(step: TracedCall, owner: dict[Value, Value]) -> Value | None:
    """Whose memory a Linear reads one row from: if it is that row's alone, and weight and bias lie as one matrix."""
    if step.name != "linear" or not isinstance(step.inputs[0], Value) or isinstance(step.inputs[1], Value):
        return None
    row, whole = step.inputs[0].example, owner[step.inputs[0]]
    is_row = row.dtype == np.float32 and row.size == row.shape[-1] == whole.example.size and row.flags.c_contiguous
    return whole if is_row and linear_matrix(*step.inputs[1:]) is not None else None  # type: ignore[arg-type]


def _row_with_one(memory: Array, place: int, size: int) -> Array:
    """The row at a place, and a 1 behind it."""
    row = memory[place : place + FLOAT_BYTES * (size + 1)].view(np.float32)
    row[size] = 1
    return row


def _owners(trace: Trace) -> dict[Value, Value]:
    """For each value the one in whose memory it lies: its own, that of what it is a view of, or of its input."""
    owner = {trace.inputs: trace.inputs}
    last = _last_uses(trace, {})
    for number, step in enumerate(trace.steps):
        owner[step.output] = step.output
        if _is_view(step):
            owner[step.output] = owner[step.inputs[0]]  # type: ignore[index]
        elif step.name in IN_PLACE:
            last = _last_uses(trace, owner)
            for each in step.inputs:
                if isinstance(each, Value) and _may_be_overwritten(each, step, owner) and last[owner[each]] == number:
                    owner[step.output] = owner[each]
                    break
    return owner


def _may_be_overwritten(value: Value, step: TracedCall, owner: dict[Value, Value]) -> bool:
    """Whether a value is whole, laid out as the output is, and goes into the step only once."""
    same = (value.example.shape, value.example.dtype, value.example.strides)
    output = step.output.example
    shared = [each for each in step.inputs if isinstance(each, Value) and owner[each] is owner[value]]
    return owner[value] is value and len(shared) == 1 and same == (output.shape, output.dtype, output.strides)


def _last_uses(trace: Trace, owner: dict[Value, Value]) -> dict[Value, int]:
    """The last step that reads each owner's memory; the output is read after all."""
    last: dict[Value, int] = {}
    for number, step in enumerate(trace.steps):
        for each in (*step.inputs, step.output):
            if isinstance(each, Value):
                last[owner.get(each, each)] = number
    last[owner.get(trace.output, trace.output)] = len(trace.steps)
    return last


def _lives(trace: Trace, owner: dict[Value, Value], with_one: Collection[Value]) -> dict[Value, Life]:
    """When each owner's memory is needed: always, where a 1 stays behind it."""
    first = {trace.inputs: -1}
    for number, step in enumerate(trace.steps):
        first.setdefault(owner[step.output], number)
    last = _last_uses(trace, owner)
    always = (-1, len(trace.steps))
    return {
        value: Life(value.example.nbytes + FLOAT_BYTES, *always)
        if value in with_one
        else Life(value.example.nbytes, start, last.get(value, start))
        for value, start in first.items()
    }


def _is_view(step: TracedCall) -> bool:
    """Whether a step only looks at its input in another way."""
    if step.name not in VIEWS or not isinstance(step.inputs[0], Value):
        return False
    return np.may_share_memory(step.inputs[0].example, step.output.example)


def _array(arrays: dict[Value, Array], each: Value | Array) -> Array:
    return arrays[each] if isinstance(each, Value) else each


def _laid_out(memory: Array, place: int, example: Array) -> Array:
    """A part of the memory as an array like `example`, its axes in the same order."""
    order = sorted(range(example.ndim), key=lambda axis: -example.strides[axis])
    if order == ROWS_FIRST:
        order = CHANNELS_LAST
    part = memory[place : place + example.nbytes].view(example.dtype)
    return part.reshape([example.shape[axis] for axis in order]).transpose(np.argsort(order))
