"""Running the tests of one module in a process of its own, which is told about test by test and always ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

from tinytorch.errors import RunError, SetupMissingError
from tinytorch.processes.killing import kill_tree
from tito.course.course import Module
from tito.course.testing import FILE_VARIABLE, HOME_VARIABLE
from tito.place import CHECKOUT, IS_CHECKOUT

LIMIT_S = 120.0  # without a word from any test


@dataclass(frozen=True)
class Result:
    """How one test went; `why` are the lines that failed and the message."""

    test: str
    outcome: str
    seconds: float
    why: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether it ran and passed."""
        return self.outcome == "passed"


@dataclass(frozen=True)
class Subject:
    """A module to be tested: a student's `file`, or the one that TinyTorch has."""

    module: Module
    file: Path | None = None

    @property
    def tested(self) -> str:
        """What the tests run on: a path, or an import path."""
        return str(self.file) if self.file else self.module.home

    @property
    def test_files(self) -> list[str]:
        """The module's contract; for our own implementation in a checkout also the tests that look inside it."""
        inside = [CHECKOUT / "tests" / name for name in self.module.ours] if IS_CHECKOUT and not self.file else []
        return [str(path) for path in (self.module.contract, *inside)]


@dataclass(frozen=True)
class ModuleResult:
    """All results of one subject."""

    subject: Subject
    results: tuple[Result, ...]

    @property
    def failed(self) -> int:
        """How many tests did anything but pass."""
        return sum(not result.is_good for result in self.results)

    @property
    def is_good(self) -> bool:
        """Whether there were tests, and all passed."""
        return bool(self.results) and not self.failed

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "module": self.subject.module.name, "number": self.subject.module.number, "tested": self.subject.tested,
            "passed": len(self.results) - self.failed, "failed": self.failed, "is_good": self.is_good,
            "seconds": sum(result.seconds for result in self.results), "tests": [vars(each) for each in self.results],
        }  # fmt: skip


def run_tests(subject: Subject, told: Callable[[Result], None], limit_s: float = LIMIT_S) -> ModuleResult:
    """Run a subject's tests, telling each result as it comes.

    Raises SetupMissingError without pytest, RunError when a test takes longer than the limit, or none could be run.
    """
    if find_spec("pytest") is None:
        raise SetupMissingError("pytest is not installed", mend=f"{sys.executable} -m pip install pytest")
    results, last = [], ""
    with tempfile.TemporaryFile() as complaints:
        for facts in _told(subject, complaints, limit_s):
            if "outcome" in facts:
                result = Result(**facts)
                results.append(result)
                told(result)
            last = str(facts.get("begun", last))
            if "ended" in facts:
                return ModuleResult(subject, tuple(results))
        where = f"in {last}" if last else _words(complaints)
    mend = f"look for what ends Python, or ask pytest: python -m pytest {subject.test_files[0]}"
    raise RunError(f"the tests of {subject.module.label} ended before all had run: {where}", mend=mend)


def _told(subject: Subject, complaints: IO[bytes], limit_s: float) -> Iterator[dict[str, Any]]:
    """What the process tells of its tests; it is killed, with all that it started, however this ends."""
    with subprocess.Popen(
        _command(subject), env=_environment(subject), cwd=_folder(subject), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, text=True, encoding="utf-8",
        errors="replace",
    ) as process:  # fmt: skip
        begun = "the import of the module"
        try:
            for line in _lines(process, limit_s):
                facts = json.loads(line)
                begun = facts.get("begun", begun)
                yield facts
        except Empty:
            mend = "look for a loop that does not end"
            raise RunError(f"{begun} has taken more than {limit_s:g} seconds", mend=mend) from None
        finally:
            kill_tree(process.pid)


def _command(subject: Subject) -> list[str]:
    """pytest by our own settings in a checkout; on a student's file, or outside of one, by no settings at all."""
    folder = _folder(subject)
    alone = ["-c", os.devnull, "--confcutdir", folder]
    settings = ["-o", "addopts="] if IS_CHECKOUT and not subject.file else alone
    options = ["--import-mode=importlib", "--continue-on-collection-errors", *settings, "--rootdir", folder]
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "tito.course.testing.reporter"]
    return [sys.executable, "-m", "pytest", *quiet, *options, *subject.test_files]


def _folder(subject: Subject) -> str:
    return str(CHECKOUT if IS_CHECKOUT and not subject.file else subject.module.contract.parent)


def _environment(subject: Subject) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    if subject.file:  # nothing but what they wrote lies in a student's folder
        inherited |= {HOME_VARIABLE: subject.module.home, FILE_VARIABLE: str(subject.file.resolve())}
        inherited |= {"PYTHONDONTWRITEBYTECODE": "1"}
    return {**inherited, "PYTHONUTF8": "1"}


def _lines(process: subprocess.Popen[str], limit_s: float) -> Iterator[str]:
    """Lines of the process's output; Empty when the next takes longer than the limit."""
    lines: Queue[str] = Queue()
    Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    while line := lines.get(timeout=limit_s):
        yield line


def _pass_on(output: IO[str], lines: Queue[str]) -> None:
    for line in output:
        lines.put(line)
    lines.put("")


def _words(complaints: IO[bytes]) -> str:
    """The last that pytest complained of."""
    complaints.seek(0)
    return complaints.read().decode("utf-8", "replace").strip()[-600:]
