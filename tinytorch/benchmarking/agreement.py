"""Whether a model answers in the timed calls what it answers alone: the same inputs, in another process, later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.benchmarking.placements import Alone, Raw
from tinytorch.benchmarking.schedule import Schedule
from tinytorch.errors import ModelError

SINGLE_TOLERANCE = 1e-4  # of the largest output, between a sample alone and the same one in the batch
ROUNDINGS = 2  # of the type, which for float16 allow more
TIMED_TOLERANCE = 1e-3  # between a timed call and the same one in a process of its own: kernels may sum otherwise


@dataclass(frozen=True)
class TimedBlock:
    """A block that was drawn once it had run: its visit's seed, its number there, the model and its answers."""

    seed: int
    number: int
    model: int
    answers: Raw


def compare_answers(alone: Alone, plan: Schedule, blocks: Sequence[TimedBlock]) -> int:
    """How many timed answers were compared with those that each model gives alone. ModelError where they differ."""
    compared = 0
    for block in blocks:
        expected = alone[block.model].outputs_of_block(0, plan, block.model, block.seed, block.number)
        if differing := _differing(block.answers, expected):
            raise _other_answers(block.model, differing, len(expected))
        compared += len(expected)
    return compared


def alike(output: NDArray[Any], expected: NDArray[Any], tolerance: float) -> bool:
    """Equal to that part of the largest value there, or exactly where they are no floating numbers."""
    if output.shape != expected.shape or not np.issubdtype(expected.dtype, np.inexact):
        return bool(np.array_equal(output, expected))
    largest = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0))
    allowed = max(tolerance, ROUNDINGS * float(np.finfo(expected.dtype).eps)) * largest
    return bool(np.allclose(output, expected, rtol=0.0, atol=allowed, equal_nan=True))


def _differing(timed: Raw, expected: NDArray[Any]) -> int:
    """How many answers are other ones; all where the bytes are no such answers at all."""
    if timed.size != expected.nbytes:
        return len(expected)
    answers = timed.view(expected.dtype).reshape(expected.shape)
    return sum(not alike(*each, TIMED_TOLERANCE) for each in zip(answers, expected, strict=True))


def _other_answers(model: int, differing: int, count: int) -> ModelError:
    shown = f"{differing} of {count} answers, drawn from the timed calls, are not what it answers alone"
    if model == 0:
        mend = "leave the model alone that yours is compared with"
        return ModelError(f"the first model was changed while it was timed: {shown}", mend=mend)
    mend = "let the model compute each answer when it is called, and from its input alone"
    return ModelError(f"the model does something else while it is timed: {shown}", mend=mend)
