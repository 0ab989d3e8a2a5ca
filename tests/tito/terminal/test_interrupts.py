"""Signals: the first is heard, whoever swallows it is asked again, and nobody can make us deaf."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

import pytest

from tito.terminal.interrupts import GRACE_S, _Gate

LOOPS = """
import signal
from tito.terminal import interrupts
interrupts.GRACE_S = 1
signal.signal(signal.SIGINT, signal.default_int_handler)
interrupts.install()
while True:
    try:
        print("ready", flush=True)
        while True: pass
    except KeyboardInterrupt:
        pass
"""


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ends() -> list[bool]:
    return []


@pytest.fixture
def gate(clock: Clock, ends: list[bool]) -> _Gate:
    return _Gate(clock, lambda: ends.append(True))


def test_an_interrupt_waits_until_what_is_held_is_done(gate: _Gate) -> None:
    gate.is_held = True
    gate.signalled()
    gate.is_held = False
    with pytest.raises(KeyboardInterrupt):
        gate.open()


def test_a_second_at_once_would_break_off_the_clearing_up(gate: _Gate, ends: list[bool]) -> None:
    with pytest.raises(KeyboardInterrupt):
        gate.signalled()
    gate.signalled()

    assert ends == []


def test_one_some_seconds_later_is_heard_again(gate: _Gate, clock: Clock) -> None:
    """Whatever ran may have swallowed the first, as a finalizer does."""
    with pytest.raises(KeyboardInterrupt):
        gate.signalled()
    clock.seconds += GRACE_S + 1
    with pytest.raises(KeyboardInterrupt):
        gate.signalled()


@pytest.mark.parametrize("is_held", [True, False])
def test_the_third_ends_us_whatever_is_held(gate: _Gate, ends: list[bool], is_held: bool) -> None:
    with pytest.raises(KeyboardInterrupt):
        gate.signalled()
    gate.is_held = is_held
    gate.signalled()
    gate.signalled()

    assert ends == [True]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGALRM)])
def test_who_swallows_every_interrupt_is_ended(number: signal.Signals, status: int) -> None:
    """By more of them, or by itself."""
    with subprocess.Popen([sys.executable, "-c", LOOPS], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(number)
        for _ in range(200):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                break
            if number == signal.SIGINT:
                process.send_signal(number)
        process.kill()

    assert process.returncode == status
