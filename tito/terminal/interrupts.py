"""Ctrl-C, `kill` and a closed terminal, each as one KeyboardInterrupt, and held back while something is done whole."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from math import inf
from typing import NoReturn

from tito.exit_codes import ExitCode

GRACE_S = 5  # for clearing up
MOST_SIGNALS = 3
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is unknown to Windows


def _end_now(*_: object) -> NoReturn:
    """Without any clearing up: workers end with us, and the next run sweeps what is left (`tinytorch.owners`)."""
    os.write(2, b"\nerror: interrupted again: ended at once\n")
    os._exit(ExitCode.INTERRUPTED)


class _Gate:
    """Lets the first signal through, when nothing holds it; a second soon after it would break off the clearing up.

    One that comes later is let through again, because whatever ran may have swallowed the first; the third ends us.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, end_now: Callable[[], object] = _end_now) -> None:
        self.is_held = self.is_waiting = False
        self._clock, self._end_now = clock, end_now
        self._heard, self._over_s = 0, -inf

    def signalled(self, number: int = 0, *_: object) -> None:
        self._heard += 1
        if self._heard >= MOST_SIGNALS:
            self._end_now()
        if number == signal.SIGTERM and hasattr(signal, "alarm"):
            signal.alarm(GRACE_S)  # nobody hears it, so that it ends us whatever holds the interpreter
        self.is_waiting = self._clock() - self._over_s > GRACE_S
        self.open()

    def open(self) -> None:
        if self.is_waiting and not self.is_held:
            self.is_waiting, self._over_s = False, self._clock()
            raise KeyboardInterrupt


_gate = _Gate()


def install() -> None:
    """Hear the signals that whoever started us has not chosen to ignore, as `nohup` and a shell's `&` do."""
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _gate.signalled)


def over() -> None:
    """Nothing is left to be interrupted: a signal that comes while Python ends would only spoil the exit code."""
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What is done here is done before an interrupt is heard."""
    was_held, _gate.is_held = _gate.is_held, True
    try:
        yield
    finally:
        _gate.is_held = was_held
    _gate.open()


@contextlib.contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes that are started here never hear Ctrl-C, which a terminal sends to all: to end them is ours."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where nobody inherits what is blocked
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
