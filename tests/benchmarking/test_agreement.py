"""Whether two answers are the same, and what timed ones are held against."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking.agreement import SINGLE_TOLERANCE, TimedBlock, alike, compare_answers
from tinytorch.benchmarking.schedule import BlockShape, Schedule
from tinytorch.errors import ModelError

PLAN = Schedule(1, 1, 1, 1, BlockShape(1, 0, 2), (1,))
ANSWERS = np.array([[0.1, 0.9], [0.8, 0.2]], np.float32)


def compared(timed: np.ndarray, expected: np.ndarray = ANSWERS) -> int:
    """Of one model, whose answers alone are the expected ones."""
    alone: Any = SimpleNamespace(outputs_of_block=lambda *_: expected)
    return compare_answers([alone], PLAN, [TimedBlock(1, 0, 0, np.frombuffer(timed.tobytes(), np.uint8))])


def test_equal_answers_are_counted() -> None:
    assert compared(ANSWERS) == 2


@pytest.mark.parametrize(
    "timed", [ANSWERS[:, ::-1], ANSWERS[:1], ANSWERS.astype(np.float64), np.zeros(0), ANSWERS + np.float32(0.01)]
)
def test_other_answers_or_none_are_refused(timed: np.ndarray) -> None:
    with pytest.raises(ModelError, match="of 2 answers, drawn from the timed calls"):
        compared(timed)


def test_tokens_are_equal_or_other_ones() -> None:
    tokens = np.array([[5, 10_000]])

    assert compared(tokens, tokens) == 1
    with pytest.raises(ModelError):
        compared(tokens + 1, tokens)


@pytest.mark.parametrize(("kind", "is_alike"), [(np.float16, True), (np.float32, False)])
def test_a_type_allows_two_of_its_roundings(kind: type, is_alike: bool) -> None:
    """That of float16 is a thousandth, ten times what is allowed otherwise."""
    expected = np.array([1.0, 0.5], kind)
    output = (expected.astype(np.float64) * 1.001).astype(kind)

    assert alike(output, expected, SINGLE_TOLERANCE) == is_alike
