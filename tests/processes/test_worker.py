"""Workers: answers, and every way of failing with a name, within its limit and with nothing left. Real processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tinytorch.processes import worker as module
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.output import KEPT_BYTES
from tinytorch.processes.worker import CLOSE_LIMIT_S, DEADLINE_GRACE_S, Worker
from tinytorch.progress import silent

LIMIT_S = 10.0
SHORT_S = 0.4
TIMES = 6

FAILURES = {
    "fail": ("raised", "KeyError: 'lost'"),
    "leave": ("died", "exit status 7"),
    "killed": ("died", "killed by signal 9"),
    "fork_and_die": ("died", "killed by signal 9"),
    "setsid_and_die": ("died", "killed by signal 9"),
    "nonsense": ("broke the protocol", "not JSON"),
    "forged_progress": ("broke the protocol", "its progress has not the form of one"),
    "out_of_turn": ("broke the protocol", "does not belong to the request"),
    "flood": ("broke the protocol", "longer than 16,777,216 bytes"),
}
TIME_OUTS = ["loop", "ignore_signals", "half_a_reply", "go_silent", "stop_the_guard", "endless_progress"]

LeftBehind = Callable[[], list[psutil.Process]]


@pytest.fixture
def without_a_place_apart(tmp_path: Path, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that gives ordinary users none."""
    (tmp_path / "plain_child.py").write_text(
        "from tinytorch.processes import apart, child\napart.is_possible = lambda: False\nchild.main()\n"
    )
    monkeypatch.setattr(module, "CHILD", "plain_child")


def failure_of(service: str, method: str, limit_s: float) -> WorkerFailedError:
    with Worker(service) as worker, pytest.raises(WorkerFailedError) as caught:
        worker.ask(method, limit_s, silent if "progress" in method else None)
    return caught.value


def test_an_answer_comes_back_in_spite_of_printing(service: str) -> None:
    with Worker(service) as worker:
        assert [worker.ask("double", LIMIT_S, value=value) for value in (21, 4)] == [42, 8]


def test_what_was_printed_is_known_once_the_worker_is_closed(service: str) -> None:
    with Worker(service) as worker:
        worker.ask("double", LIMIT_S, value=1)

    assert worker.output == "noise\n"


@pytest.mark.parametrize("method", ["fail_aloud", "leave_aloud", "loop_aloud"])
def test_a_failure_carries_what_was_printed_and_no_stack(service: str, method: str) -> None:
    assert failure_of(service, method, 1.0).output == "noise\n"


def test_of_a_flood_of_prints_the_end_is_kept_and_nothing_waits(service: str) -> None:
    with Worker(service) as worker:
        worker.ask("print_much", LIMIT_S)

    assert (len(worker.output), worker.output[-9:]) == (KEPT_BYTES, "\nthe end\n")


def test_more_memory_than_allowed_is_named(service: str) -> None:
    with Worker(service, memory_limit_bytes=5 * 10**8) as worker, pytest.raises(WorkerFailedError) as caught:
        worker.ask("eat", LIMIT_S)

    assert (caught.value.outcome, caught.value.detail) == ("ran out of memory", "MemoryError; 500 MB are allowed")
    assert "eat" in [frame.function for frame in caught.value.frames]


def test_a_request_may_be_longer_than_a_pipe_takes_at_once(service: str) -> None:
    with Worker(service) as worker:
        assert worker.ask("length", LIMIT_S, text="x" * 10**6) == 10**6


def test_a_worker_that_takes_no_request_times_out(service: str) -> None:
    with Worker(service) as worker:
        worker.post("go_silent", SHORT_S)
        with pytest.raises(WorkerFailedError) as caught:
            worker.ask("length", SHORT_S, text="x" * 10**6)

    assert (caught.value.outcome, "took no request" in caught.value.detail) == ("timed out", True)


def test_the_processor_time_of_a_worker_is_known_once_it_is_closed(service: str) -> None:
    """Otherwise it would pass for that of other programs."""
    before = os.times()
    with Worker(service) as worker:
        worker.ask("compute", LIMIT_S)
    after = os.times()

    assert after.children_user + after.children_system - before.children_user - before.children_system > 0.4


def test_progress_reaches_the_observer(service: str) -> None:
    told: list[tuple[str, float]] = []
    with Worker(service) as worker:
        worker.ask("double", LIMIT_S, lambda *each: told.append(each), value=1)

    assert told == [("double", 0.5)]


def test_the_environment_is_set_before_the_worker_starts(service: str) -> None:
    with Worker(service, {"OPENBLAS_NUM_THREADS": "1"}) as worker:
        assert worker.ask("environment", LIMIT_S, name="OPENBLAS_NUM_THREADS") == "1"


@pytest.mark.parametrize("method", FAILURES)
def test_each_failure_is_named_and_leaves_nothing_every_time(
    method: str, service: str, left_behind: LeftBehind
) -> None:
    for _ in range(TIMES):
        failure = failure_of(service, method, LIMIT_S)

        assert (failure.outcome, FAILURES[method][1] in failure.detail) == (FAILURES[method][0], True), failure.detail
    assert left_behind() == []


@pytest.mark.usefixtures("without_a_place_apart")
@pytest.mark.parametrize("method", ["kill_the_guard", "fork_and_die", "setsid_and_die"])
def test_nor_where_the_system_gives_no_place_apart(service: str, method: str, left_behind: LeftBehind) -> None:
    for _ in range(TIMES // 2):
        failure = failure_of(service, method, LIMIT_S)

        assert (failure.outcome, failure.detail) == ("died", "killed by signal 9")
    assert left_behind() == []


@pytest.mark.parametrize("method", TIME_OUTS)
def test_whoever_does_not_answer_times_out_within_the_limit_and_leaves_nothing_every_time(
    method: str, service: str, left_behind: LeftBehind
) -> None:
    start_s = time.monotonic()
    with ThreadPoolExecutor(TIMES) as pool:
        failures = list(pool.map(lambda _: failure_of(service, method, SHORT_S), range(TIMES)))

    assert {(failure.outcome, failure.detail) for failure in failures} == {("timed out", "no answer within 0.4 s")}
    assert time.monotonic() - start_s < SHORT_S + DEADLINE_GRACE_S + 2 * CLOSE_LIMIT_S + 10  # 10: a shared machine
    assert left_behind() == []


@pytest.mark.parametrize("method", ["fail", "leave", "loop"])
def test_the_line_at_fault_is_on_the_stack(method: str, service: str) -> None:
    frames = failure_of(service, method, 1.0).frames

    assert method in [frame.function for frame in frames[-2:]]


def test_the_log_of_a_worker_that_was_killed_is_not_taken_for_a_time_out(service: str) -> None:
    assert failure_of(service, "killed", SHORT_S * 20).outcome == "died"


def test_only_the_original_answers_when_a_forked_copy_returns_too(service: str, left_behind: LeftBehind) -> None:
    with Worker(service) as worker:
        assert worker.ask("forked_copy_returns", LIMIT_S) == "original"
        assert worker.ask("double", LIMIT_S, value=1) == 2

    assert left_behind() == []


def test_a_worker_that_raised_goes_on(service: str) -> None:
    with Worker(service) as worker:
        with pytest.raises(WorkerFailedError):
            worker.ask("fail", LIMIT_S)
        assert worker.ask("double", LIMIT_S, value=1) == 2


def test_an_error_of_our_own_comes_with_its_own_words_and_mend(service: str) -> None:
    failure = failure_of(service, "refuse", LIMIT_S)

    assert (failure.detail, failure.mend, failure.has_own_mend) == ("not so", "but so", True)


def test_a_worker_that_ended_says_so(service: str) -> None:
    with Worker(service) as worker:
        with pytest.raises(WorkerFailedError):
            worker.ask("leave", LIMIT_S)
        with pytest.raises(WorkerFailedError, match="it has ended already"):
            worker.ask("double", LIMIT_S, value=1)


def test_a_service_that_cannot_be_imported_is_an_error_of_the_request(service: str) -> None:
    with Worker("service_for_tests:Missing") as worker, pytest.raises(WorkerFailedError, match="AttributeError"):
        worker.ask("double", LIMIT_S, value=1)


def test_the_guard_ends_what_was_started_by_itself(service: str) -> None:
    """Nobody has to kill it, which would lose the processor time of all below it."""
    with Worker(service) as worker:
        worker.ask("child", LIMIT_S)

    assert worker._guard.returncode == 0


def test_closing_twice_is_closing_once_and_ends_what_was_started(service: str, left_behind: LeftBehind) -> None:
    with Worker(service) as worker:
        worker.ask("child", LIMIT_S)
        assert len(left_behind()) > 2
        worker.close()

    assert left_behind() == []


@pytest.mark.usefixtures("without_a_place_apart")
def test_closing_does_not_wait_for_an_orphan_that_holds_the_pipe(
    service: str, monkeypatch: pytest.MonkeyPatch, left_behind: LeftBehind, tmp_path: Path
) -> None:
    """With the guard's and our own ways of finding it taken away, so that it really lives on."""
    monkeypatch.setattr(module, "kill_marked", lambda mark, limit_s: None)
    monkeypatch.setattr(module, "kill_adopted", lambda since, limit_s: None)
    failure = failure_of(service, "leave_an_orphan_without_guard", LIMIT_S)
    found = {process.pid: process for process in left_behind()}  # beside it the worker, while it is dying
    orphan = found.get(int((tmp_path / "orphan").read_text()))
    for process in found.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()

    assert (failure.outcome, orphan is not None) == ("died", True)


@pytest.mark.parametrize("reply", [{"error": 3}, {"error": {"type": "E"}}, {"error": {"frames": 1}}])
def test_an_error_of_the_wrong_form_breaks_the_protocol(reply: dict[str, object]) -> None:
    assert Worker._raised(None, reply["error"]).outcome == "broke the protocol"


@pytest.mark.parametrize("method", ["loop", "child", "setsid_and_die", "ignore_signals"])
def test_a_parent_that_is_killed_leaves_nothing(method: str, service: str, left_behind: LeftBehind) -> None:
    program = f"""
import sys
from tinytorch.progress import silent
from tinytorch.processes.worker import Worker
worker = Worker({service!r})
worker.ask("double", 10, value=1)
print("started", flush=True)
try:
    worker.ask({method!r}, 600)
finally:
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        parent.kill()
    _, alive = psutil.wait_procs(left_behind(), timeout=20)

    assert alive == []


def survivor(name: str) -> list[psutil.Process]:
    """The living processes with that name on their command line."""
    return [each for each in psutil.process_iter(["cmdline"]) if name in " ".join(each.info["cmdline"] or [])]


def test_a_daemon_with_no_environment_does_not_outlive_its_worker(service: str, tmp_path: Path) -> None:
    """In a place apart it cannot even kill the guard."""
    with Worker(service) as worker, pytest.raises(WorkerFailedError):
        worker.ask("daemon_without_a_mark", SHORT_S, name=str(tmp_path))

    assert survivor(str(tmp_path)) == []


@pytest.mark.usefixtures("without_a_place_apart")
def test_nor_does_it_where_it_could_kill_the_guard(service: str, tmp_path: Path) -> None:
    with Worker(service) as worker, pytest.raises(WorkerFailedError, match="killed by signal 9"):
        worker.ask("daemon_without_a_mark", LIMIT_S, name=str(tmp_path))

    assert survivor(str(tmp_path)) == []


def test_whoever_kills_all_that_it_can_kills_nobody_outside(service: str) -> None:
    with Worker(service) as bystander, Worker(service) as worker:
        with pytest.raises(WorkerFailedError):
            worker.ask("kill_all", LIMIT_S)
        assert bystander.ask("double", LIMIT_S, value=1) == 2


def test_killing_only_the_worker_itself_would_be_noticed(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_behind: LeftBehind
) -> None:
    """Sabotage: a guard that ends nothing below it."""
    (tmp_path / "careless_child.py").write_text(
        "from tinytorch.processes import apart, child, guard\napart.is_possible = lambda: False\n"
        "guard._end_everything_below = lambda worker: None\nchild.main()\n"
    )
    monkeypatch.setattr(module, "CHILD", "careless_child")
    with Worker(service) as worker:
        worker.ask("child", LIMIT_S)
    survivors = left_behind()
    for survivor in survivors:
        survivor.kill()

    assert survivors
