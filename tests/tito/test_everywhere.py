"""Every command of the course works in odd places: narrow, colourless, in ASCII, in a path with spaces, in a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "from tito.start import main; main()"
LIGHT = [
    ["module", "list"], ["module", "status"], ["module", "start", "tensor"],
    ["module", "test", "activations", "--reference"],
    ["milestone", "list"], ["milestone", "info", "5"], ["milestone", "run", "1"], ["milestone", "status"],
    ["system", "info"], ["system", "health"], ["olympics", "logo"], ["olympics", "init"], ["olympics", "status"],
    ["test", "losses"], ["olympics", "techniques"], ["olympics", "tasks"],
]  # fmt: skip
NARROW = {"COLUMNS": "60", "NO_COLOR": "1", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a folder with spaces"
    made.mkdir()
    return made


def tito(folder: Path, arguments: list[str], **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "TITO_CACHE": str(folder / "cache"), **variables}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_it_is_readable_in_sixty_columns_of_ascii(folder: Path, arguments: list[str]) -> None:
    done = tito(folder, arguments, **NARROW)
    shown = done.stdout.decode("ascii")

    assert done.returncode in ((0, 1) if arguments == ["system", "health"] else (0,)), done.stderr
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert [line for line in shown.splitlines() if len(line) > 60 and line.startswith(("|", "+"))] == []


@pytest.mark.parametrize(
    "arguments", [["module", "list"], ["test", "activations"], ["milestone", "list"]], ids=" ".join
)
def test_a_reader_that_goes_away_is_no_error(folder: Path, arguments: list[str]) -> None:
    environment = {**os.environ, "TITO_CACHE": str(folder)}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read()

    assert (process.wait(), b"Traceback" in said, b"error" in said) == (0, False, False)


WRITING = [["module", "complete", "activations"], ["milestone", "run", "1"]]


@pytest.mark.parametrize("arguments", WRITING, ids=" ".join)
def test_a_workspace_that_cannot_be_written_is_a_clear_word(folder: Path, arguments: list[str]) -> None:
    (folder / "file").write_text("")
    done = tito(folder, arguments, TITO_WORKSPACE=str(folder / "file"))

    assert done.returncode == 2
    assert b"cannot" in done.stderr
    assert b"TITO_WORKSPACE" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_home_that_is_not_there_is_a_clear_word(folder: Path) -> None:
    done = tito(folder, ["system", "health"], HOME="/nonexistent", TITO_CACHE="", XDG_CACHE_HOME="")

    assert done.returncode in (0, 1)
    assert b"Traceback" not in done.stderr
