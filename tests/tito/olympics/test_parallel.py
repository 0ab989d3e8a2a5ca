"""Work for many files keeps their order, in one process or in several."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from tito.olympics import parallel
from tito.olympics.parallel import FEWEST_PER_PROCESS, in_order


@pytest.mark.parametrize("count", [0, 3, 2 * FEWEST_PER_PROCESS])
def test_results_come_in_order(count: int) -> None:
    assert list(in_order(str, range(count))) == [str(number) for number in range(count)]


def test_many_items_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    assert list(in_order(abs, range(-2 * FEWEST_PER_PROCESS, 0))) == list(range(2 * FEWEST_PER_PROCESS, 0, -1))


def test_a_failure_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_order(int, ["x"] * (2 * FEWEST_PER_PROCESS)))


def test_a_process_settles_once_after_its_first_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has built until then is not looked through again."""
    settled: list[str] = []
    monkeypatch.setattr(parallel.gc, "freeze", lambda: settled.append("once"))
    parallel._settle.cache_clear()

    assert list(map(parallel._Settled(str), [1, 2])) == ["1", "2"]
    assert settled == ["once"]


def test_processes_do_not_hear_what_the_terminal_sends_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """And this one does, as before."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    asked = partial(signal.pthread_sigmask, signal.SIG_BLOCK)

    assert {*map(frozenset, in_order(asked, [()] * (2 * FEWEST_PER_PROCESS)))} == {frozenset({signal.SIGINT})}
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
