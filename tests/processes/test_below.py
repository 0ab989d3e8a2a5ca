"""What is left running below a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tinytorch.processes.below import names_of_others, processes_below

WAITING = "import time; time.sleep(60)"


@pytest.fixture
def start() -> Iterator[object]:
    """Starts a program below this process, which is gone afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def started_one(*command: str) -> None:
        started.append(subprocess.Popen(command))

    yield started_one
    for process in started:
        process.kill()
        process.wait()


def test_a_process_that_goes_on_is_named(start) -> None:
    known = processes_below(os.getpid())
    start("sleep", "60")

    assert names_of_others(os.getpid(), known) == ["sleep"]


def test_what_was_there_before_is_not(start) -> None:
    start("sleep", "60")

    assert names_of_others(os.getpid(), processes_below(os.getpid())) == []


def test_one_that_ends_soon_is_waited_for(start) -> None:
    known = processes_below(os.getpid())
    start("sleep", "0.05")

    assert names_of_others(os.getpid(), known) == []


def test_what_python_keeps_for_its_pools_is_not_the_models(start) -> None:
    known = processes_below(os.getpid())
    start(sys.executable, "-c", WAITING, "multiprocessing.resource_tracker")

    assert names_of_others(os.getpid(), known) == []


def test_below_a_process_that_is_gone_is_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()

    assert processes_below(process.pid) == set()
