"""An entry alone, asked what is not timed: answers to data of the referee's, and what its process does besides."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tinytorch.competition.record.refereed import Right
from tinytorch.core.dataloader import TensorDataset
from tinytorch.harness.referee.chain import scored
from tinytorch.harness.referee.channel import ENTRY, Channel, Form, Hire
from tinytorch.harness.referee.outside import Match

ROOM = 1_024  # inputs at once
IDLE_S = 0.5
READY_LIMIT_S = 60.0


@dataclass(frozen=True)
class Seen:
    """How the questions were answered, by their names, and what the process took, left and grew by."""

    answers: Mapping[str, Right]
    idle_share: float
    left_behind: list[str]
    grown_bytes: int


def witness(
    match: Match, hire: Hire, questions: Mapping[str, TensorDataset], wait: Callable[[float], None] = time.sleep
) -> Seen:
    """Ask the entry of a match, input by input. WorkerFailedError where it fails."""
    inputs, answers = Form(ROOM, *match.inputs), Form(ROOM, *match.answers[ENTRY])
    with Channel(hire, ENTRY, inputs, answers, match.tokens) as channel:
        worker = channel.worker
        worker.ask("ready", READY_LIMIT_S)
        worker.note_own()
        before_bytes = worker.private_bytes()
        channel.load(match.sources[ENTRY])
        channel.serve()
        found = {name: _right(channel, asked, match.tokens) for name, asked in questions.items()}
        grown_bytes = worker.private_bytes() - before_bytes
        spent_s = worker.spent_s()
        wait(IDLE_S)
        idle_share = (worker.spent_s() - spent_s) / IDLE_S
        return Seen(found, max(0.0, idle_share), worker.left_behind(), max(0, grown_bytes))


def _right(channel: Channel, asked: TensorDataset, tokens: bool) -> Right:
    right = np.equal(scored(channel.answers_to(asked.inputs), tokens), asked.labels)
    return Right(correct=int(right.sum()), total=right.size, tokens=right[0].size if tokens else 1)
