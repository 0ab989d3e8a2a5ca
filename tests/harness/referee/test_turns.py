"""Work in turns: one at a time on a machine, each kept when it is done, and nothing done twice."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tinytorch.errors import SetupMissingError
from tinytorch.files import sha256
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee import turns
from tinytorch.harness.referee.turns import Piece, in_turn, keep, machine_alone, one_turn, runtime_folder
from tinytorch.lock import Lock


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of the test's own."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(turns, "RUNTIME_FOLDERS", (folder,))
    return folder


def double(item: Mapping[str, Any], told: Observer) -> str:
    return str(2 * item["number"])


def test_what_is_made_of_each_lies_in_the_folder(tmp_path: Path) -> None:
    found = list(in_turn(double, {"a": {"number": 1}, "b": {"number": 2}}, tmp_path))

    assert [(id_, done.text) for id_, done in found] == [("a", "2"), ("b", "4")]
    assert [(tmp_path / f"{id_}.json").read_text() for id_, _ in found] == ["2", "4"]


def test_each_is_kept_before_the_next_is_begun(tmp_path: Path) -> None:
    next(in_turn(double, {"a": {"number": 1}, "b": {"number": 2}}, tmp_path))

    assert [path.name for path in tmp_path.glob("*.json")] == ["a.json"]


def test_the_machine_is_ours_while_a_job_runs(tmp_path: Path, runtime: Path) -> None:
    def look(item: Mapping[str, Any], told: Observer) -> str:
        return str(Lock(runtime / turns.LOCK_NAME, 0)._is_taken())

    assert dict(in_turn(look, {"a": {}}, tmp_path))["a"].text == "False"


def test_what_another_call_did_meanwhile_is_not_done_again(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("theirs")

    assert one_turn(double, Piece("a", {"number": 1}, before=None), tmp_path).text == "theirs"


def test_what_was_there_before_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("void")

    assert one_turn(double, Piece("a", {"number": 1}, before=sha256(b"void")), tmp_path).text == "2"


def test_what_cannot_be_written_is_told_to_the_caller(tmp_path: Path) -> None:
    done = one_turn(double, Piece("a", {"number": 1}, None), tmp_path / "nowhere")

    assert (done.text, done.is_kept) == ("2", False)


class Clock:
    """Goes on only while somebody sleeps."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.now_s, self._then = 0.0, then

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self._then()


def test_a_folder_that_is_away_for_a_while_loses_nothing(tmp_path: Path) -> None:
    folder, said = tmp_path / "results", []
    clock = Clock(then=lambda: folder.mkdir(exist_ok=True))
    keep(folder, "a", "2", Observer(say=said.append), clock, clock.sleep)

    assert ((folder / "a.json").read_text(), clock.now_s, len(said)) == ("2", turns.KEEP_AGAIN_S, 1)


def test_one_that_stays_away_is_an_error_in_the_end(tmp_path: Path) -> None:
    clock = Clock()
    with pytest.raises(OSError, match="No such file") as caught:
        keep(tmp_path / "nowhere", "a", "2", clock=clock, sleep=clock.sleep)

    assert (caught.value.errno, clock.now_s) == (errno.ENOENT, turns.KEEP_LIMIT_S)


def _measure(folder: Path, runtime: Path, spans: Path) -> None:
    """In a process of its own: twenty measurings, and when each began and ended."""
    turns.RUNTIME_FOLDERS, turns.LOOK_AGAIN_S = (runtime,), 0.001
    with spans.open("a") as file:
        for _ in range(20):
            with machine_alone():
                began = time.monotonic_ns()
                sum(range(10_000))
                file.write(f"{began} {time.monotonic_ns()}\n")


def test_two_processes_never_measure_at_once(tmp_path: Path, runtime: Path) -> None:
    context, files = multiprocessing.get_context("spawn"), [tmp_path / "one", tmp_path / "two"]
    processes = [context.Process(target=_measure, args=(tmp_path, runtime, file)) for file in files]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    spans = sorted(tuple(map(int, line.split())) for file in files for line in file.read_text().splitlines())

    assert len(spans) == 40
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


def test_whoever_waits_is_told_why(tmp_path: Path, runtime: Path) -> None:
    other, said = Lock(runtime / turns.LOCK_NAME, 0), []
    other.acquire()

    def say(message: str) -> None:
        said.append(message)
        other.release()

    with machine_alone(Observer(say=say)):
        assert "another call measures on this machine" in said[0]


def test_one_lock_for_all_lies_where_all_may_write(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr(turns, "RUNTIME_FOLDERS", (tmp_path / "missing", own, runtime))

    assert runtime_folder() == runtime


def test_whoever_comes_first_hides_the_lock_from_nobody(runtime: Path) -> None:
    before = os.umask(0o077)
    try:
        with machine_alone():
            mode = (runtime / turns.LOCK_NAME).stat().st_mode & 0o777
    finally:
        os.umask(before)

    assert mode == 0o666


@pytest.mark.parametrize("what", ["link", "folder"])
def test_what_is_no_lock_is_named(runtime: Path, what: str) -> None:
    path = runtime / turns.LOCK_NAME
    if what == "folder":
        path.mkdir()
    else:
        path.symlink_to("elsewhere")
    with pytest.raises(SetupMissingError, match="the lock of this machine cannot be had"), machine_alone():
        pass


def test_after_each_turn_whoever_waits_is_let_by(monkeypatch: pytest.MonkeyPatch, runtime: Path) -> None:
    slept: list[tuple[float, bool]] = []

    def sleep(seconds: float) -> None:
        slept.append((seconds, Lock(runtime / turns.LOCK_NAME, 0)._is_taken()))

    monkeypatch.setattr(turns.time, "sleep", sleep)
    with machine_alone():
        pass

    assert slept == [(turns.LET_BY_S, True)]  # nobody holds it then
