"""What runs the instructions of a plan: calls of numpy, or kernels that numba compiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from tinytorch.perf.acceleration.array_calls import bound
from tinytorch.perf.acceleration.plan import Instruction

Backend = Literal["numpy", "numba"]


def runner(instructions: Sequence[Instruction], backend: Backend) -> Callable[[], object]:
    """A function that runs all instructions, in order."""
    if backend == "numba":
        from tinytorch.perf.acceleration.machine import compiled_calls  # loads numba

        calls = compiled_calls(instructions)
    else:
        calls = bound(instructions)
    if len(calls) == 1:
        return calls[0]

    def run() -> None:
        for call in calls:
            call()

    return run
