"""Ctrl-C, `kill` and a closed terminal, each as one KeyboardInterrupt, and held back while something is done whole."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is unknown to Windows


class _Gate:
    """Lets the first signal through, when nothing holds it; a second would break off the clearing up."""

    def __init__(self) -> None:
        self.is_held = self.is_waiting = self.is_over = False

    def signalled(self, *_: object) -> None:
        self.is_waiting = not self.is_over
        self.open()

    def open(self) -> None:
        if self.is_waiting and not self.is_held:
            self.is_waiting, self.is_over = False, True
            raise KeyboardInterrupt


_gate = _Gate()


def install() -> None:
    """Hear the signals that whoever started us has not chosen to ignore, as `nohup` and a shell's `&` do."""
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _gate.signalled)


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
