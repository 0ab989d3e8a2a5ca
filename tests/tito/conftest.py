"""One real run through the command line, shared by the tests of the commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tito.app import run


@dataclass(frozen=True)
class Done:
    """What a command line left: exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Tito = Callable[..., Done]


@pytest.fixture(autouse=True)
def _no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the tests may have a terminal of some width; a pipe has none."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, cache_directory: Path) -> tuple[Path, Done]:
    """A folder in which `tito olympics benchmark --tier fast` has been run as a process of its own."""
    folder = tmp_path_factory.mktemp("athlete")
    environment = {**os.environ, "TITO_CACHE": str(cache_directory)}
    program = "from tito.app import main; main()"
    command = [sys.executable, "-c", program, "olympics", "benchmark", "--tier", "fast", "--json", "-o", "run.json"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return folder, Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def tito(capfd: pytest.CaptureFixture[str]) -> Tito:
    """Run a command line in this process."""

    def call(*arguments: str) -> Done:
        code = run(["olympics", *arguments])
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return call


@pytest.fixture
def athlete(
    measured: tuple[Path, Done], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache_directory: Path
) -> Path:
    """The current folder is a copy of the measured one."""
    import shutil

    folder = tmp_path / "athlete"
    shutil.copytree(measured[0], folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TITO_CACHE", str(cache_directory))
    return folder


@pytest.fixture
def beginner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache_directory: Path) -> Path:
    """The current folder is empty."""
    folder = tmp_path / "beginner"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TITO_CACHE", str(cache_directory))
    return folder
