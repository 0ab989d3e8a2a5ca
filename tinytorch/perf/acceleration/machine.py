"""Instructions as rows of a program for the compiled kernels; what has no kernel is left to numpy, in its place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.perf.acceleration.array_calls import bound
from tinytorch.perf.acceleration.binding import Call
from tinytorch.perf.acceleration.kernels import codes, rows, run
from tinytorch.perf.acceleration.kernels.encoding import encoded, scratch_of
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.writer import Table, Writer


def compiled_calls(instructions: Sequence[Instruction]) -> list[Call]:
    """Calls that run all instructions: as many as follow one another in one call of the kernels."""
    run(np.empty(0, np.int64))  # compiled, or loaded from disk, now and not in the first inference
    writer = Writer()
    written = [(writer.rows(instruction), instruction) for instruction in instructions]
    calls: list[Call] = []
    scratch = scratch_of(row for table, _ in written for row in table)
    for has_kernel, group in itertools.groupby(written, key=lambda pair: bool(pair[0])):
        members = list(group)
        if has_kernel:
            kept = [*scratch.values(), *writer.kept]
            calls.append(_program(encoded(joined([row for table, _ in members for row in table]), scratch, kept), kept))
        else:
            calls += bound([instruction for _, instruction in members])
    return calls


def joined(table: Table) -> Table:
    """The same rows, an activation in the row of the product that it takes its numbers from, and writes them over."""
    shorter: Table = []
    for row in table:
        before = shorter[-1] if shorter else None
        if isinstance(row, rows.Unary) and getattr(before, "activation", None) == codes.NONE and _is_over(before, row):
            shorter[-1] = before._replace(activation=row.activation)  # type: ignore[union-attr]
        else:
            shorter.append(row)
    return shorter


def _is_over(product: Any, row: rows.Unary) -> bool:
    """Whether an activation reads and writes just what a product gave."""
    first, second, third = (array.__array_interface__["data"][0] for array in (product.y, row.x, row.y))
    return first == second == third and bool(product.y.size == row.size)


def _program(program: Array, arrays: list[Array]) -> Call:
    """A call that runs a program, and keeps the arrays whose addresses are in it.

    It goes past numba's look at the types of arguments, which takes half as long as a small network does.
    """
    (compiled,) = run.overloads.values()
    call: Any = partial(compiled.entry_point, program)
    call.arrays = arrays
    found: Call = call
    return found
