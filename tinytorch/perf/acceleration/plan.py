"""A plan: the steps of a trace, each with the arrays that it reads and writes, all of them there before it runs.

Results that are needed no longer give their memory to later ones, and an operation that works element by element
writes over its own input when nobody needs that any more. A plan comes of a trace in five steps: which values are views
or take their input's memory (owners), how long each owner's memory is needed (lives), where it lies (places), then the
arrays of all values, and the instructions that use them.
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
    "normalize", "root_mean_square", "positions",
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


@dataclass(frozen=True)
class Owners:
    """For each value the one in whose memory it lies, and for each of those the steps that make and last read it."""

    of: dict[Value, Value]
    first: dict[Value, int]
    last: dict[Value, int]


def make_plan(trace: Trace, with_one: bool = False, within: Array | None = None) -> Plan:
    """Give every value of a trace its place; a step that only looks at its input in another way is no instruction.

    `with_one`: behind a single row that a Linear reads lies a 1, which meets the bias in the last row of its matrix.
    Values lie `within` the memory of another plan, where that is large enough: only one of both may run at a time.
    """
    owners = _owners(trace)
    single = {step: row for step in trace.steps if with_one and (row := _single_row(step, owners.of))}
    found, size_bytes = places(_lives(owners, len(trace.steps), set(single.values())))
    memory = within
    if memory is None or memory.nbytes < size_bytes:
        memory = aligned_zeros((size_bytes // FLOAT_BYTES,)).view(np.uint8)
    arrays = _arrays(
        trace, owners.of, {value: _laid_out(memory, place, value.example) for value, place in found.items()}
    )
    instructions = []
    for step in (step for step in trace.steps if _viewed(step) is None):
        inputs: tuple[Any, ...] = tuple(_array(arrays, each) for each in step.inputs)
        name = step.name
        if step in single:
            vector = _row_with_one(memory, found[single[step]], len(inputs[1]))
            name, inputs = "linear_with_one", (vector, linear_matrix(*inputs[1:]))
        instructions.append(Instruction(name, inputs, arrays[step.output], step.options, step.layer))
    return Plan(arrays[trace.inputs], tuple(instructions), arrays[trace.output], memory)


def _owners(trace: Trace) -> Owners:
    """A value owns its memory, unless it is a view of another, or made by a step that writes over its input."""
    owner, first, last = {trace.inputs: trace.inputs}, {trace.inputs: -1}, _last_uses(trace)
    for number, step in enumerate(trace.steps):
        viewed = _viewed(step)
        whose = _written_over(step, number, owner, last) if viewed is None else owner[viewed]
        if whose is None:
            owner[step.output], first[step.output] = step.output, number
        else:
            owner[step.output] = whose
            last[whose] = max(last[whose], last[step.output])
    return Owners(owner, first, last)


def _last_uses(trace: Trace) -> dict[Value, int]:
    """The last step that reads or makes each value; the output is read after all."""
    last = {trace.inputs: -1}
    for number, step in enumerate(trace.steps):
        last.update({each: number for each in (*step.inputs, step.output) if isinstance(each, Value)})
    last[trace.output] = len(trace.steps)
    return last


def _written_over(step: TracedCall, number: int, owner: dict[Value, Value], last: dict[Value, int]) -> Value | None:
    """Whose memory a step may write over: that of an input which nobody reads later."""
    for each in step.inputs if step.name in IN_PLACE else ():
        if isinstance(each, Value) and _may_be_overwritten(each, step, owner) and last[owner[each]] == number:
            return owner[each]
    return None


def _may_be_overwritten(value: Value, step: TracedCall, owner: dict[Value, Value]) -> bool:
    """Whether a value is whole, laid out as the output is, and goes into the step only once."""
    same = (value.example.shape, value.example.dtype, value.example.strides)
    output = step.output.example
    shared = [each for each in step.inputs if isinstance(each, Value) and owner[each] is owner[value]]
    return owner[value] is value and len(shared) == 1 and same == (output.shape, output.dtype, output.strides)


def _lives(owners: Owners, steps: int, with_one: Collection[Value]) -> dict[Value, Life]:
    """When each owner's memory is needed: always, where a 1 stays behind it."""
    return {
        value: Life(value.example.nbytes + FLOAT_BYTES, -1, steps)
        if value in with_one
        else Life(value.example.nbytes, first, owners.last[value])
        for value, first in owners.first.items()
    }


def _arrays(trace: Trace, owner: dict[Value, Value], arrays: dict[Value, Array]) -> dict[Value, Array]:
    """The arrays of all values, from those of owners."""
    for step in trace.steps:
        if (viewed := _viewed(step)) is not None:
            arrays[step.output] = OPERATIONS[step.name].forward(arrays[viewed], **step.options)
        else:
            arrays.setdefault(step.output, arrays[owner[step.output]])
    return arrays


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


def _viewed(step: TracedCall) -> Value | None:
    """The input that a step only looks at in another way; None for a step that computes."""
    first = step.inputs[0]
    if step.name not in VIEWS or not isinstance(first, Value):
        return None
    return first if np.may_share_memory(first.example, step.output.example) else None


def _array(arrays: dict[Value, Array], each: Value | Array) -> Array:
    return arrays[each] if isinstance(each, Value) else each


def _laid_out(memory: Array, place: int, example: Array) -> Array:
    """A part of the memory as an array like `example`; images (N, C, H, W) with their axes in the same order."""
    order = list(range(example.ndim))
    if example.ndim == 4:
        order.sort(key=lambda axis: -example.strides[axis])
    if order == ROWS_FIRST:
        order = CHANNELS_LAST
    part = memory[place : place + example.nbytes].view(example.dtype)
    return part.reshape([example.shape[axis] for axis in order]).transpose(np.argsort(order))
