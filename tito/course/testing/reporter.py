"""A pytest plugin, loaded in the process that runs the tests: it tells every result as a line of JSON.

It also puts a student's file in the place of the module that the environment names.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from linecache import getline
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tito.course.testing import FILE_VARIABLE, HOME_VARIABLE

MOST_CHARACTERS, MOST_LINES = 400, 3  # of a message
LARGEST_WRITTEN_BYTES = 100_000_000  # of one file, such as that of what is printed: a flood fills no disk
_prepared_s: dict[str, float] = {}
_told: set[str] = set()
_BASE = Path.cwd()  # pytest's places are relative to it, and a test may go elsewhere
_out = os.fdopen(os.dup(1), "w", encoding="utf-8")  # before pytest takes standard output for itself


class StandIn(MetaPathFinder):
    """Finds `file` where the module `home` is imported."""

    def __init__(self, home: str, file: str) -> None:
        self._home, self._file = home, file

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The student's file for its module, nothing for any other."""
        return spec_from_file_location(name, self._file) if name == self._home else None


def pytest_configure() -> None:
    """Before any test is imported."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_WRITTEN_BYTES, LARGEST_WRITTEN_BYTES))
    home, file = os.environ.get(HOME_VARIABLE), os.environ.get(FILE_VARIABLE)
    if home and file:
        sys.meta_path.insert(0, StandIn(home, file))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that could not be imported."""
    if report.failed:
        _tell(test=f"import of {Path(report.nodeid).name}", outcome="failed", seconds=0.0, why=_why(report))


def pytest_runtest_logstart(nodeid: str) -> None:
    """So that the parent knows which test hangs."""
    _tell(begun=_name(nodeid))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """The call of a test with the time of what was prepared for it, or what went wrong before or after it."""
    if report.when == "setup":
        _prepared_s[report.nodeid] = report.duration
    if report.when == "call" or not report.passed:
        why, seconds = [] if report.passed else _why(report), report.duration
        seconds += _prepared_s.get(report.nodeid, 0.0) if report.when == "call" else 0.0
        _told.add(report.nodeid)
        _tell(test=_name(report.nodeid), outcome=report.outcome, seconds=seconds, why=why)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Every test had its turn: a session that ends without this word was broken off."""
    if len(_told) == session.testscollected:
        _tell(ended=True)


def _name(nodeid: str) -> str:
    return nodeid.rpartition("/")[2].partition("::")[2] or nodeid


def _why(report: pytest.CollectReport | pytest.TestReport) -> list[str]:
    """The line of the test that failed, the line where it was raised if that is another, and the message."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:  # a syntax error, or a skip
        return str(report.longrepr)[-MOST_CHARACTERS:].splitlines()
    entries = getattr(getattr(report.longrepr, "reprtraceback", None), "reprentries", [])
    places = [(entry.reprfileloc.path, entry.reprfileloc.lineno) for entry in entries if _is_place(entry)]
    lines = [_line(path, number) for path, number in [*places[:1], (crash.path, crash.lineno)]]
    return [*dict.fromkeys(lines), *crash.message[:MOST_CHARACTERS].splitlines()[:MOST_LINES]]


def _is_place(entry: Any) -> bool:
    return getattr(entry, "reprfileloc", None) is not None


def _line(path: str, number: int) -> str:
    return f"{Path(path).name}:{number}: {getline(str(_BASE / path), number).strip()}"


def _tell(**facts: object) -> None:
    _out.write(json.dumps(facts) + "\n")
    _out.flush()
