"""What is left running below a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinytorch.owners import remove
from tinytorch.processes.below import MOST_OTHERS, files_in, innermost, names_of_others, processes_below

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


def test_files_and_links_are_named_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "kept").write_text("x")
    (tmp_path / "link").symlink_to("nowhere")

    assert sorted(files_in({"/tmp/": tmp_path})) == ["/tmp/a/b/kept", "/tmp/link"]


def test_pools_leave_folders_and_pipes_to_their_end(tmp_path: Path) -> None:
    (tmp_path / "pool").mkdir()
    os.mkfifo(tmp_path / "pool" / "listener")

    assert files_in({"": tmp_path}) == []


def test_a_flood_of_folders_is_seen(tmp_path: Path) -> None:
    """Their names could hold what a model keeps."""
    for number in range(MOST_OTHERS):
        (tmp_path / str(number)).mkdir()

    assert files_in({"/tmp": tmp_path}) == [f"/tmp: one of at least {MOST_OTHERS} folders and other things"]


def test_nothing_lies_too_deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1_500):
        Path("a").mkdir()
        os.chdir("a")
    monkeypatch.chdir("/")

    assert len(files_in({"": tmp_path})) == 1
    remove(tmp_path / "a")  # pytest would not get so far down


def test_of_nobody_there_is_none_inside() -> None:
    assert innermost([]) == 0
