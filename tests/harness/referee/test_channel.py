"""A conversation with a runner: what it is asked, what it answers, and every way in which it may not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count as numbers
from typing import Any

import numpy as np
import pytest

from tests.harness.referee.conftest import samples, weights
from tinytorch.harness.referee import channel as module
from tinytorch.harness.referee.chain import by_class, inputs_asked
from tinytorch.harness.referee.channel import Channel
from tinytorch.processes.failure import WorkerFailedError

Make = Callable[..., Channel]
RUNNER = "tinytorch.harness.referee.runner"
GENERATOR = np.random.default_rng(1)


def rows(count: int) -> Any:
    return samples(count, GENERATOR).inputs


def test_a_runner_loads_none_of_what_records_need() -> None:
    program = f"import sys; import {RUNNER}; print({{'pydantic', 'psutil', 'scipy'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_inputs_are_answered_one_by_one(channel: Make) -> None:
    inputs = rows(55)  # more than fit at once

    assert np.allclose(channel("honest").answers_to(inputs), inputs @ weights(), atol=1e-5)


def test_each_answer_leads_to_the_next_input(channel: Make) -> None:
    one, inputs = channel("honest"), rows(32)
    one.chained(inputs, 20, 5, 77)
    asked = inputs_asked(one.answers, 5, 77, 32, by_class)

    assert np.allclose(one.answers, inputs[asked] @ weights(), atol=1e-5)


def test_inputs_are_not_there_before_they_are_asked_for(channel: Make) -> None:
    one, first, second = channel("honest"), rows(32), rows(32)
    one.chained(first, 1, 0, 0)

    assert not np.isin(second, one.pool).any()


def test_the_clock_is_the_referees(channel: Make) -> None:
    ticks = numbers(step=1_000)
    one = channel("honest", clock=lambda: next(ticks))

    assert one.nothing() == 1_000


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("fails", "raised", "ValueError: no answer"),
        ("exits", "died", "exit status 3"),
        ("early", "broke the protocol", "it "),
        ("twice", "broke the protocol", "it "),
    ],
)
def test_a_runner_that_does_not_do_as_it_is_asked_is_told_of(
    name: str, outcome: str, words: str, channel: Make
) -> None:
    one = channel(name)
    with pytest.raises(WorkerFailedError) as caught:
        asked_often(one)

    assert caught.value.outcome == outcome
    assert words in caught.value.detail


def asked_often(one: Channel) -> None:
    for count in (1, 5, 5, 5):
        one.chained(rows(40), count, 0, 0)


def test_a_reply_that_nobody_asked_for_is_seen(channel: Make) -> None:
    one, (waiting, told) = channel("honest"), os.pipe()
    os.write(told, b"D")
    one._poller.register(waiting)
    with pytest.raises(WorkerFailedError, match="before it was asked"):
        one.nothing()
    for end in (waiting, told):
        os.close(end)


def test_answers_that_are_no_numbers_are_answers(channel: Make) -> None:
    one = channel("numbers_are_missing")
    one.chained(rows(40), 5, 0, 0)

    assert np.isnan(one.answers[:5]).all()


def test_whoever_never_answers_is_ended(channel: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_LIMIT_S", 0.2)
    with pytest.raises(WorkerFailedError) as caught:
        channel("hangs").chained(rows(40), 1, 0, 0)

    assert caught.value.outcome == "timed out"


def test_whoever_prints_much_does_not_stand_still(channel: Make) -> None:
    one = channel("prints")
    for _ in range(5):
        one.chained(rows(40), 20, 0, 0)

    assert "xxx" in (one.close(), one.worker.output)[1]


def test_a_model_that_cannot_be_loaded_is_told_of(channel: Make) -> None:
    with pytest.raises(WorkerFailedError, match="KeyError"):
        channel("nobody")
