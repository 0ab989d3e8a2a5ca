"""`tito system`, the logo, a first entry, and the other ways to call tito."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.competition.conftest import known_run
from tinytorch.errors import SetupMissingError
from tito import system
from tito.app import run
from tito.commands import every_command
from tito.workspace.machine import MachineFile


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_this_machine_is_described(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["system", "info", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)

    assert found["python"] == sys.version.split()[0]
    assert found["memory_bytes"] > 0
    assert found["packages"]["numpy"]
    assert run(["system", "info"]) == 0
    assert "blas" in capfd.readouterr().out


def test_the_best_times_of_this_machine_are_shown(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TITO_CACHE", str(tmp_path))
    run(["system", "info"])
    assert "none yet: tito olympics doctor" in capfd.readouterr().out
    MachineFile(tmp_path).add(known_run(hours=None))
    run(["system", "info", "--json"])

    assert json.loads(capfd.readouterr().out)["best_times"]["digits_mlp"].endswith(" us (1 hour)")


def test_what_works_is_good(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(system.LOOKS, "load", lambda: system.Check("load", True, "quiet"))

    assert run(["system", "health"]) == 0
    assert "good" in capfd.readouterr().out


@pytest.mark.parametrize("look", system.LOOKS)
def test_each_doubt_comes_with_its_mend(
    look: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> system.Check:
        raise SetupMissingError("broken", mend="mend it")

    monkeypatch.setattr(system, "LOOKS", {look: fails})

    assert run(["system", "health", "--json"]) == 1
    (check,) = json.loads(capfd.readouterr().out)["checks"]
    assert (check["is_good"], check["seen"], check["mend"]) == (False, "broken", "mend it")


def test_a_folder_that_cannot_be_written_in_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tito.system.tempfile.TemporaryFile", refuse)

    assert not system.LOOKS["workspace"]().is_good


@pytest.mark.parametrize(
    ("look", "name", "value"),
    [("disk", "LEAST_FREE_BYTES", 10**18), ("memory", "LEAST_MEMORY_BYTES", 10**18)],
)
def test_too_little_is_a_doubt(look: str, name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, name, value)
    found = system.LOOKS[look]()

    assert (found.is_good, bool(found.mend)) == (False, True)


@pytest.mark.parametrize(("load", "is_good"), [(0.5, True), (64.0, False)])
def test_a_machine_that_others_use_is_a_doubt(load: float, is_good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.getloadavg", lambda: (load, load, load))
    monkeypatch.setattr("tito.system.os.cpu_count", lambda: 2)

    assert system.LOOKS["load"]().is_good is is_good


def test_a_numba_that_cannot_be_imported_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(system, "find_spec", lambda name: object())
    found = system.LOOKS["compiled kernels"]()

    assert (found.is_good, "numba" in found.mend) == (False, True)


def test_the_logo_says_whose_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["olympics", "logo"]) == 0
    shown = capfd.readouterr().out

    assert "TINYTORCH OLYMPICS" in shown
    assert shown.isascii()
    assert max(map(len, shown.splitlines())) <= 60


@pytest.mark.parametrize("module", ["tito", "tito.main"])
def test_tito_can_be_called_as_a_module(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "tito 0.2.0\n"


@pytest.mark.parametrize(
    ("shell", "words", "expected"),
    [
        ("bash", "tito ol", "olympics"),
        ("bash", "tito olympics bench", "benchmark"),
        ("bash", "tito module sta", "start"),
        ("zsh", "tito milestone in", "info"),
        ("fish", "tito olympics benchmark --stra", "--strategy"),
        ("bash", "tito system he", "health"),
    ],
)
def test_the_shell_completes_commands_and_options(shell: str, words: str, expected: str) -> None:
    asked = {"_TITO_COMPLETE": f"complete_{shell}", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1),
             "_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}  # fmt: skip
    command = [sys.executable, "-c", "from tito.start import main; main()"]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)

    assert expected in done.stdout


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_takes_json(words: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    run([*words, "--help"])

    assert "--json" in capfd.readouterr().out
