"""Worker processes: answers, failures, and nothing left behind. Real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from tinytorch.benchmarking.workers import Worker, WorkerFailedError


@pytest.fixture
def service(tmp_path, monkeypatch) -> str:
    """A service that can go wrong in every way."""
    (tmp_path / "service_for_tests.py").write_text(
        textwrap.dedent(
            """
            import os, subprocess, sys
            class Service:
                def __init__(self, observer): self.observer = observer
                def double(self, value): print("noise"); self.observer(0.5); return 2 * value
                def fail(self): raise KeyError("lost")
                def leave(self): os._exit(7)
                def loop(self):
                    while True: pass
                def child(self): return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE).pid
                def threads(self): return os.environ["OPENBLAS_NUM_THREADS"]
            """
        )
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return "service_for_tests:Service"


def test_an_answer_comes_back_in_spite_of_printing(service: str) -> None:
    with Worker(service, 1) as worker:
        assert worker.ask("double", value=21) == 42


def test_progress_reaches_the_observer(service: str) -> None:
    shares: list[float] = []
    with Worker(service, 1) as worker:
        worker.ask("double", observer=shares.append, value=1)

    assert shares == [0.5]


@pytest.mark.parametrize(
    ("method", "outcome", "detail"),
    [("fail", "raised", "KeyError: 'lost'"), ("leave", "died", "exit status 7"), ("loop", "timed out", "within 1 s")],
)
def test_each_failure_has_its_own_outcome_and_the_line_at_fault(service, method, outcome, detail) -> None:
    with Worker(service, 1) as worker, pytest.raises(WorkerFailedError) as caught:
        worker.ask(method, limit_s=1)

    assert (caught.value.outcome, detail in caught.value.detail) == (outcome, True)
    assert method in [frame.function for frame in caught.value.frames[-2:]]


def test_blas_threads_are_set_before_the_worker_starts(service: str) -> None:
    with Worker(service, 1) as worker:
        assert worker.ask("threads") == "1"


def test_closing_ends_the_worker_and_what_it_started(service: str) -> None:
    with Worker(service, 1) as worker:
        child = psutil.Process(worker.ask("child"))

    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_worker_ends_when_its_parent_is_killed(service: str) -> None:
    program = f"""
from tinytorch.benchmarking.workers import Worker
worker = Worker({service!r}, 1)
worker.ask("double", value=1)
print(worker._process.pid, flush=True)
worker.ask("loop")
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)

    worker.wait(timeout=20)
    assert not worker.is_running()
