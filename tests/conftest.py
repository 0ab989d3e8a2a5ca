"""Shared by all tests: nothing of the user's own machine is read or written."""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from tests.packages import Packages, forget
from tinytorch.benchmarking.schedule import Tier
from tinytorch.core.layers import Layer
from tinytorch.files import atomic_write
from tinytorch.lock import Lock
from tinytorch.progress import Progress, silent
from tinytorch.workloads import cache
from tinytorch.workloads import task as tasks
from tinytorch.workloads.registry import TASKS
from tinytorch.workloads.task import Task

KEPT = Path(__file__).parents[1] / ".pytest_cache"  # what takes long and depends on our code alone is made once
os.environ.setdefault("NUMBA_CACHE_DIR", str(KEPT / "kernels"))
threadpool_limits(1, user_api="blas")  # tests run in two processes, whose threads would wait for one another
settings.register_profile("here", deadline=None)  # a shared machine pauses when it likes
settings.register_profile("ci", deadline=None, derandomize=True)  # CI judges the change, not the day's draw
settings.load_profile("ci" if os.environ.get("CI") else "here")

TRAINED_LONG = {*TASKS}  # before a test adds one
LONG = [  # files that take long begin first: otherwise one process ends with them, and the other has nothing left
    "test_documentation.py", "notebooks/test_capstone.py", "workloads/test_tasks.py", "test_capstone.py",
    "processes/test_worker.py", "harness/test_faults.py", "harness/test_run.py", "benchmarking/test_benchmark.py",
    "tito/olympics/test_tasks.py", "tito/test_errors.py", "tito/test_commands.py", "tito/course/test_milestones.py",
    "test_invalid.py", "test_extend.py",
]  # fmt: skip
TINY = Tier("test", 40_000_000, processes=1, copies=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {str(Path(__file__).parent / name): number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(str(item.path), len(LONG)))


@pytest.fixture
def tiny_tier() -> Tier:
    """A tier for tests: real processes and clocks, hardly any time."""
    return TINY


@pytest.fixture
def four_processes() -> Tier:
    """The least tier that has intervals."""
    return replace(TINY, processes=4)


@pytest.fixture
def small_task(monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task that was added: a record in a module of its own, and its address."""
    description = importlib.util.spec_from_file_location("small_task", Path(__file__).with_name("small_task.py"))
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "small_task", module)
    monkeypatch.setitem(TASKS, "small_task", "small_task:TASK")
    return module.TASK


@pytest.fixture(scope="session")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests' one trained baseline lives."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """What installs packages that add tasks, checks and formats, for one test."""
    folder = tmp_path / "packages"
    folder.mkdir()
    yield Packages(folder, monkeypatch)
    monkeypatch.undo()
    forget()


@pytest.fixture(scope="session", autouse=True)
def _trained_once() -> Iterator[None]:
    """Whichever process of the tests needs a baseline first trains it for all of them, and for the next time."""
    train = tasks.train_baseline

    def trained(task: Task, progress: Progress = silent) -> Layer:
        if task.name not in TRAINED_LONG:
            return train(task, progress)
        path = KEPT / "baselines" / f"{cache.cache_key(task)}.pickle"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Lock(path.with_suffix(".lock"), 300):
            if not path.is_file():
                atomic_write(path, pickle.dumps(train(task, progress)))
        progress("train", 1.0)
        return pickle.loads(path.read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "train_baseline", trained)
        yield
