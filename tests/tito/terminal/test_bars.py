"""Progress on a terminal: what is shown so far, times that cannot be misread, and talk that runs through no bar."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from tinytorch.benchmarking.provisional import SoFar
from tinytorch.benchmarking.records.session import Doubt
from tinytorch.benchmarking.statistics import Interval
from tito.terminal import bars, screen

SO_FAR = SoFar(3, 10, 16.2, Interval(14.1, 18.0), (Doubt(code="battery", evidence="on battery", advice="plug it in"),))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 60 columns is sent."""
    sent = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    streams = SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True), stdin=None, platform=sys.platform)
    monkeypatch.setattr(bars, "sys", streams)
    monkeypatch.setattr(bars, "Console", lambda stderr: Console(file=sent, force_terminal=True, width=60))
    return sent


def test_what_is_shown_so_far_is_said_to_be_provisional() -> None:
    assert bars.so_far_words(SO_FAR) == "so far 16.2x speed [14.1x, 18.0x], round 3 of 10"
    assert bars.so_far_words(SoFar(1, 10, 0.5, None)) == "so far 0.500x speed, round 1 of 10"


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "0 s"), (0.4, "0 s"), (3.2, "3 s"), (59.9, "1 min 00 s"), (125, "2 min 05 s")]
)
def test_times_have_their_units(seconds: float | None, words: str) -> None:
    assert bars.seconds_words(seconds) == words


def test_the_speedup_so_far_stands_below_the_bars(terminal: io.StringIO) -> None:
    with bars.progress() as told:
        told("measure", 0.3)
        told.watch(SO_FAR)
        told("measure", 0.4)

    assert all(words in terminal.getvalue() for words in ("so far 16.2x speed", "(provisional: ", "on battery"))


def test_talk_goes_through_the_console_of_the_bars_while_they_are_drawn(
    capsys: pytest.CaptureFixture[str], terminal: io.StringIO
) -> None:
    with bars.progress() as told:
        told("measure", 0.3)
        screen.say("these models are slow")
    screen.say("over")

    assert "these models are slow" in terminal.getvalue()
    assert capsys.readouterr().err == "over\n"


def test_a_doubt_is_told_once_when_it_is_first_seen(capsys: pytest.CaptureFixture[str]) -> None:
    with bars.progress() as told:
        told.watch(SO_FAR)
        told.watch(SO_FAR)

    assert capsys.readouterr().err == "doubt so far: on battery -> plug it in\n"
