"""What runs the instructions of a plan: calls of numpy, or kernels that numba compiles."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import get_args

from tinytorch.core.model import Backend
from tinytorch.errors import UsageError
from tinytorch.perf.acceleration.array_calls import bound
from tinytorch.perf.acceleration.binding import Call
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.showing import nearest

INSTALL_NUMBA = "pip install numba"


def check_backend(backend: str) -> None:
    """UsageError for a back end that there is not, or that is not installed."""
    if backend not in get_args(Backend):
        raise UsageError(f"there is no back end {backend!r}", mend=nearest(backend, get_args(Backend)))
    if backend == "numba" and not has_numba():
        raise UsageError("the numba back end needs numba, which is not installed", mend=INSTALL_NUMBA)


def has_numba() -> bool:
    """Whether the compiled back end can be used here."""
    return find_spec("numba") is not None


def fastest_backend() -> Backend:
    """The compiled back end where it is installed."""
    return "numba" if has_numba() else "numpy"


def calls_of(instructions: Sequence[Instruction], backend: Backend) -> list[Call]:
    """Functions that run all instructions, one after the other."""
    if backend == "numpy":
        return bound(instructions)
    try:
        from tinytorch.perf.acceleration.machine import compiled_calls  # loads numba
    except (ImportError, RuntimeError) as error:  # RuntimeError: numba finds no folder to keep what it compiles
        mend = f"{INSTALL_NUMBA}, and let NUMBA_CACHE_DIR be a folder that you can write to"
        raise UsageError(f"the numba back end cannot be loaded: {error}", mend=mend) from error
    return compiled_calls(instructions)
