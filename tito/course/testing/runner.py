"""Running the tests of one module in a process of its own, which is told about test by test and always ends."""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import IO, Any

from tinytorch.errors import RunError, SetupMissingError
from tinytorch.processes.killing import forget_guard, keep_guard, kill_adopted, kill_tree
from tinytorch.processes.worker import CLOSE_LIMIT_S, check_system
from tito.course.course import Module
from tito.course.source import read_cells
from tito.course.testing import FILE_VARIABLE, HOME_VARIABLE, STACK_SIGNAL
from tito.place import CHECKOUT, IS_CHECKOUT

LONGEST_LINE_BYTES = 65_536  # a line of the reporter's has some thousand
STACK_LIMIT_S = 1.0
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
    """A module to be tested: a student's `file`, or the one that TinyTorch has, in a checkout also from `inside`."""

    module: Module
    file: Path | None = None
    inside: bool = True

    @property
    def tested(self) -> str:
        """What the tests run on: a path, or an import path."""
        return str(self.file) if self.file else self.module.home

    @property
    def test_files(self) -> list[str]:
        """The module's contract; for our own implementation in a checkout also the tests that look inside it."""
        looks_inside = IS_CHECKOUT and self.inside and not self.file
        inside = [CHECKOUT / "tests" / name for name in self.module.ours] if looks_inside else []
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

    Raises UsageError for a student's file that cannot be read, SetupMissingError without pytest and on Windows,
    RunError when a test takes longer than the limit, none could be run, or a student's file was not what they ran on.
    """
    check_system("testing")
    if subject.file:
        read_cells(subject.file)  # refused here where it cannot be read
    if find_spec("pytest") is None:
        raise SetupMissingError("pytest is not installed", mend=f"{sys.executable} -m pip install pytest")
    results, last, in_place = [], "", not subject.file
    with tempfile.TemporaryFile() as complaints:
        for facts in _told(subject, complaints, limit_s):
            if "outcome" in facts:
                result = Result(**facts)
                results.append(result)
                told(result)
            last = str(facts.get("begun", last))
            in_place = in_place or "tested" in facts
            if "ended" in facts:
                return _whole(ModuleResult(subject, tuple(results)), in_place)
        where = f"in {last}" if last else _words(complaints) or "nothing was said"
    ask = f"ask pytest: python -m pytest {subject.test_files[0]}"
    mend = f"look in {subject.file} for what ends Python, or breaks a session off" if subject.file else ask
    raise RunError(f"the tests of {subject.module.label} ended before all had run: {where}", mend=mend)


def _whole(outcome: ModuleResult, in_place: bool) -> ModuleResult:
    """The outcome; RunError for a pass that was not the student's file's."""
    if outcome.is_good and not in_place:
        home = outcome.subject.module.home
        mend = f"look for what changes sys.modules or sys.meta_path, and leave {home} alone"
        raise RunError(f"the tests passed, but on another {home} than {outcome.subject.tested}", mend=mend)
    return outcome


def _told(subject: Subject, complaints: IO[bytes], limit_s: float) -> Iterator[dict[str, Any]]:
    """What the process tells of its tests; it is killed, with all that it started, however this ends."""
    with subprocess.Popen(
        _command(subject), env=_environment(subject), cwd=_here(subject), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
    ) as process:  # fmt: skip
        since = keep_guard(process.pid)
        begun = "the import of the module"
        try:
            for facts in _heard(process, limit_s):
                begun = facts.get("begun", begun)
                yield facts
        except TimeoutError:
            where = _stack_line(process, complaints, subject)
            mend = "look for a loop that does not end"
            raise RunError(f"{begun} has taken more than {limit_s:g} seconds{where}", mend=mend) from None
        finally:
            kill_tree(process.pid)
            kill_adopted(since, CLOSE_LIMIT_S)
            forget_guard(process.pid)


def _stack_line(process: subprocess.Popen[bytes], complaints: IO[bytes], subject: Subject) -> str:
    """Where in the student's file a process is now, empty where that cannot be told."""
    if not subject.file:
        return ""
    process.send_signal(STACK_SIGNAL)
    until_s = time.monotonic() + STACK_LIMIT_S
    while time.monotonic() < until_s:
        size = os.fstat(complaints.fileno()).st_size
        said = os.pread(complaints.fileno(), LONGEST_LINE_BYTES, max(0, size - LONGEST_LINE_BYTES))
        lines = re.findall(r'File "(.+)", line (\d+)', said.decode("utf-8", "replace"))
        ours = [(name, number) for name, number in lines if name.startswith(str(subject.file.resolve()))]
        if ours:
            name, number = ours[0]  # the innermost comes first
            return f", in {Path(name).name}:{number}"
        time.sleep(STACK_LIMIT_S / 20)
    return ""


def _command(subject: Subject) -> list[str]:
    """pytest by our own settings in a checkout; on a student's file, or outside of one, by no settings at all."""
    folder = _folder(subject)
    alone = ["-c", os.devnull, "--confcutdir", folder]
    settings = ["-o", "addopts="] if IS_CHECKOUT and not subject.file else alone
    options = ["--import-mode=importlib", "--continue-on-collection-errors", *settings, "--rootdir", folder]
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "tito.course.testing.reporter"]
    return [sys.executable, "-P", "-m", "pytest", *quiet, *options, *subject.test_files]  # -P: no folder hides a module


def _here(subject: Subject) -> Path:
    """Where the tests run: a student's file where it lies, as in a notebook, so that it finds what is beside it."""
    return subject.file.resolve().parent if subject.file else Path(_folder(subject))


def _folder(subject: Subject) -> str:
    return str(CHECKOUT if IS_CHECKOUT and not subject.file else subject.module.contract.parent)


def _environment(subject: Subject) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    if subject.file:  # nothing but what they wrote lies in a student's folder
        inherited |= {HOME_VARIABLE: subject.module.home, FILE_VARIABLE: str(subject.file.resolve())}
        inherited |= {"PYTHONDONTWRITEBYTECODE": "1"}
    return {**inherited, "PYTHONUTF8": "1"}


def _facts(line: bytes) -> dict[str, Any]:
    """What a line of the reporter's says; nothing where a student's file printed it, or wrote what makes no sense."""
    try:
        match json.loads(line):
            case {"begun": str(begun)}:
                return {"begun": begun}
            case {"tested": str(tested)}:
                return {"tested": tested}
            case {"ended": True}:
                return {"ended": True}
            case {"test": str(test), "outcome": str(outcome), "seconds": float(seconds), "why": list(why)}:
                if 0 <= seconds < inf and all(isinstance(words, str) for words in why):
                    return {"test": test, "outcome": outcome, "seconds": seconds, "why": why}
    except (ValueError, RecursionError):
        pass
    return {}


def _heard(process: subprocess.Popen[bytes], limit_s: float) -> Iterator[dict[str, Any]]:
    """What the reporter says; TimeoutError when its next word takes longer than the limit, whatever else is printed."""
    output: IO[bytes] = process.stdout  # type: ignore[assignment]  # a pipe was asked for
    unread, until_s = b"", time.monotonic() + limit_s
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while (left_s := until_s - time.monotonic()) > 0 and selector.select(left_s):
            if not (chunk := os.read(output.fileno(), LONGEST_LINE_BYTES)):
                return
            *lines, unread = (unread + chunk).split(b"\n")
            unread = unread[:LONGEST_LINE_BYTES]  # a longer one is none of the reporter's
            for facts in filter(None, map(_facts, lines)):
                until_s = time.monotonic() + limit_s
                yield facts
    raise TimeoutError


def _words(complaints: IO[bytes]) -> str:
    """The last that pytest complained of."""
    complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - LONGEST_LINE_BYTES))
    return complaints.read().decode("utf-8", "replace").strip()[-600:]
