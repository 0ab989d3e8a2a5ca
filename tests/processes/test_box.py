"""A worker in a box: it serves and fails like any other, and sees, writes and starts nothing of ours.

Tier A needs bubblewrap and namespaces of users, tier B Landlock and pyseccomp; where a machine has them not, these
tests fail and say what is missing: nothing of `tito olympics verify` is shown to hold there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.processes.test_worker import FAILURES, LIMIT_S, SHORT_S, TIME_OUTS
from tinytorch.processes import worker as worker_module
from tinytorch.processes.box import BOXES, NOBODY, PACKAGE, Box, Limits, Tier, refusal, seccomp_program
from tinytorch.processes.failure import BoxFailedError, WorkerFailedError
from tinytorch.processes.worker import Worker
from tinytorch.progress import silent

pytestmark = pytest.mark.box

LOOKING = """
import os
from pathlib import Path

class Looking:
    def read(self, path): return Path(path).read_text()
    def write(self, path): Path(path).write_text("x")
    def names(self): return sorted(os.environ)
    def flood(self):
        for number in range(10**9): os.mkdir(f"/tmp/{number}")
    def flood_aloud(self):
        for number in range(10**9): os.mkdir(f"/tmp/{number}"); print("x" * 9999, flush=True)
    def user(self): return os.getuid()
"""


@pytest.fixture(params=BOXES)
def tier(request: pytest.FixtureRequest) -> Any:
    refused = refusal(request.param)
    assert refused is None, f"no box of tier {request.param} on this machine: {refused}"
    return request.param


@pytest.fixture
def looking(tmp_path: Path, tier: Any) -> Callable[..., Worker]:
    """Makes a worker in a box that sees its own folder."""
    shown = tmp_path / "shown"
    shown.mkdir(mode=0o755)
    (shown / "looking.py").write_text(LOOKING)
    for name in ("open.txt", "masked.txt"):
        (shown / name).write_text("labels")
    (tmp_path / "private.txt").write_text("labels")

    def make(**options: Any) -> Worker:
        box = Box(tier, (str(shown),), (str(shown / "masked.txt"),), **options)
        return Worker("looking:Looking", {"PYTHONPATH": f"{PACKAGE.parent}{os.pathsep}{shown}"}, box=box)

    return make


def asked(worker: Worker, method: str, **arguments: Any) -> Any:
    with worker:
        return worker.ask(method, LIMIT_S, **arguments)


def test_it_reads_what_it_is_shown(looking: Callable[..., Worker], tmp_path: Path) -> None:
    assert asked(looking(), "read", path=str(tmp_path / "shown" / "open.txt")) == "labels"


def test_also_where_it_lies_behind_doors_of_ours(looking: Callable[..., Worker], tmp_path: Path) -> None:
    """As an environment that root made, or a run's folder."""
    (tmp_path / "shown" / "inner").mkdir()
    (tmp_path / "shown" / "inner" / "deep.txt").write_text("labels")
    for folder in (tmp_path / "shown" / "inner", tmp_path / "shown", tmp_path):
        folder.chmod(0o700)

    assert asked(looking(), "read", path=str(tmp_path / "shown" / "open.txt")) == "labels"


@pytest.mark.parametrize("name", ["private.txt", "shown/masked.txt"])
def test_and_nothing_else(looking: Callable[..., Worker], tmp_path: Path, name: str) -> None:
    found = ""
    with suppress(WorkerFailedError):
        found = asked(looking(), "read", path=str(tmp_path / name))

    assert found == ""


@pytest.mark.parametrize("place", ["shown", "", "/etc", "/dev"])
def test_it_writes_nothing_outside(looking: Callable[..., Worker], tmp_path: Path, place: str) -> None:
    path = Path(tmp_path, place, "new")
    with suppress(WorkerFailedError):  # or into memory of its own
        asked(looking(), "write", path=str(path))

    assert not path.exists()


def test_it_knows_nothing_of_our_environment(looking: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "1")

    assert "SECRET_TOKEN" not in asked(looking(), "names")


def test_how_numbers_are_computed_is_the_same_in_there(
    looking: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")

    assert "OPENBLAS_CORETYPE" in asked(looking(), "names")


def test_the_kernel_ends_it_first_when_memory_runs_out(looking: Callable[..., Worker]) -> None:
    assert asked(looking(), "read", path="/proc/self/oom_score_adj").strip() == "1000"


def test_nobody_is_root_in_there(looking: Callable[..., Worker]) -> None:
    assert asked(looking(), "user") in (NOBODY, os.getuid() or NOBODY)


def test_what_it_leaves_behind_is_seen_from_outside(looking: Callable[..., Worker], tier: Any) -> None:
    with looking() as worker:
        worker.ask("names", LIMIT_S)
        worker.note_own()
        if tier == "B":  # where nothing can be written
            with pytest.raises(WorkerFailedError):
                worker.ask("write", LIMIT_S, path="/tmp/kept.npy")
            assert worker.left_behind() == []
        else:
            worker.ask("write", LIMIT_S, path="/tmp/kept.npy")
            assert worker.left_behind() == ["the file /tmp/kept.npy"]


@pytest.fixture
def boxed(service: str, tmp_path: Path, tier: Any) -> Callable[[], Worker]:
    """Makes a worker in a box that serves the service of every failure."""
    tmp_path.chmod(0o755)
    path = f"{PACKAGE.parent}{os.pathsep}{tmp_path}"
    return lambda: Worker(service, {"PYTHONPATH": path}, box=Box(tier, (str(tmp_path),)))


def test_an_answer_comes_back_with_its_progress(boxed: Callable[[], Worker]) -> None:
    seen = []
    with boxed() as worker:
        found = worker.ask("double", LIMIT_S, lambda stage, share: seen.append((stage, share)), value=21)

    assert (found, seen) == (42, [("double", 0.5)])


@pytest.mark.parametrize("method", FAILURES)
def test_it_fails_as_it_would_without_a_box(boxed: Callable[[], Worker], method: str) -> None:
    before = set(psutil.Process().children(recursive=True))
    with boxed() as worker, pytest.raises(WorkerFailedError) as caught:
        worker.ask(method, LIMIT_S, silent if "progress" in method else None)
    outcome, words = FAILURES[method]

    assert (caught.value.outcome, words in str(caught.value)) == (outcome, True)
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.mark.parametrize("method", TIME_OUTS)
def test_it_is_ended_at_its_limit(boxed: Callable[[], Worker], tier: Tier, method: str) -> None:
    with boxed() as worker, pytest.raises(WorkerFailedError) as caught:
        worker.ask(method, SHORT_S, silent if "progress" in method else None)

    is_held = method == "stop_the_guard" and tier == "B"  # no signal leaves it
    assert caught.value.outcome == ("raised" if is_held else "timed out")


@pytest.mark.parametrize("method", ["flood", "flood_aloud"])
def test_a_flood_of_names_ends_with_its_box(
    looking: Callable[..., Worker], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes memory of the kernel's, which no limit of bytes counts; in tier B none can be made."""
    monkeypatch.setattr(worker_module, "MOST_NAMES", 1_000)
    monkeypatch.setattr(worker_module, "LOOK_S", 0.1)
    with looking() as worker, pytest.raises(WorkerFailedError) as caught:
        worker.ask(method, LIMIT_S)
    in_b = caught.value.outcome == "raised" and "Permission" in caught.value.detail

    assert in_b or "it made more than 1,000 files or folders" in caught.value.detail


def test_a_box_that_does_not_start_is_nobody_s_fault_inside() -> None:
    with pytest.raises(BoxFailedError), Worker("builtins:dict", box=Box("A", ("/no/such/folder",))) as worker:
        worker.ask("copy", LIMIT_S)


def test_nor_is_a_failing_first_step_of_ours() -> None:
    box = Box("A", before="tinytorch.processes.nothing:here")
    with Worker("builtins:dict", box=box) as worker, pytest.raises(BoxFailedError, match="did not start"):
        worker.ask("copy", LIMIT_S)


def test_limits_hold_for_each_process(tier: Any) -> None:
    box = Box(tier, limits=Limits(memory_bytes=2**30))
    with Worker("tinytorch.processes.probes:Probes", box=box) as worker:
        told = dict.fromkeys(
            ("referee", "began", "port", "datagram_port", "abstract_name", "mark_reversed", "private_file", "home",
             "leads", "variables", "outside", "token", "descriptors", "temporary_bytes"), 0,
        )  # fmt: skip
        found = worker.ask("attempt", LIMIT_S, name="memory bomb", told=told)

    assert found["is_open"] is False


def test_the_filters_differ_by_tier() -> None:
    assert len(seccomp_program("B")) > len(seccomp_program("A")) > 0
