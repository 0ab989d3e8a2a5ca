"""Saying whether what a script expects is shown, with an exit code for it."""

from __future__ import annotations

from tinytorch.competition.names import Expectation
from tinytorch.competition.scoring.expectation import Answer
from tito.exit_codes import ExitCode
from tito.terminal import screen

CODES = {Answer.SHOWN: ExitCode.GOOD, Answer.OPPOSITE: ExitCode.FINDINGS, Answer.OPEN: ExitCode.INCONCLUSIVE}


def told(expected: Expectation, answer: Answer, why: str) -> ExitCode:
    """Say it, and the exit code."""
    screen.say(f"expected {expected.value}: {answer.value} ({why})")
    return CODES[answer]
