"""What runs the instructions of a plan: calls of numpy, or kernels that numba compiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from tinytorch.perf.acceleration.array_calls import bound
from tinytorch.perf.acceleration.plan import Instruction

Backend = Literal["numpy", "numba"]


def runner(instructions: Sequence[Instruction], backend: Backend) -> Callable[[], None]:
    """A function that runs all instructions, in order."""
    calls = bound(instructions)

    def run() -> None:
        for call in calls:
            call()

    return run
