"""A pytest plugin, loaded in the process that runs the tests: it tells every result as a line of JSON.

It also puts a student's file in the place of the module that the environment names.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import time
from collections.abc import Generator
from pathlib import Path

import pytest

import tinytorch
from tinytorch.files import LARGEST_ARTIFACT_BYTES
from tito.course.testing import FILE_VARIABLE, HOME_VARIABLE, STACK_SIGNAL
from tito.course.testing.explaining import explain
from tito.course.testing.stand_in import StandIn, hold_python

LARGEST_WRITTEN_BYTES = LARGEST_ARTIFACT_BYTES  # of one file, such as that of what is printed: a flood fills no disk
MOST_PRINTED = 3  # lines of what a failed test printed, the last ones
OURS = str(Path(tinytorch.__file__).parent)

_OWN = os.getpid()
_prepared_s: dict[str, float] = {}
_told: set[str] = set()
_stand_in: list[StandIn] = []
_out = os.fdopen(os.dup(1), "w", encoding="utf-8")
faulthandler.register(STACK_SIGNAL, os.dup(2), all_threads=False)  # the parent asks where a test hangs
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is printed by those who are tested is no word of ours


def pytest_sessionstart() -> None:
    """Before any test is imported: the file that is to be tested, which may already fail."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_WRITTEN_BYTES, LARGEST_WRITTEN_BYTES))
    home, file = os.environ.get(HOME_VARIABLE), os.environ.get(FILE_VARIABLE)
    if home and file:
        hold_python()
        _stand_in.append(StandIn(home, Path(file)))
        _load(_stand_in[0])


def _load(stand_in: StandIn) -> None:
    test, began_s = f"import of {stand_in.file.name}", time.perf_counter()
    _tell(begun=f"the {test}")
    try:
        stand_in.load()
    except BaseException as error:  # noqa: BLE001 - sys.exit and pytest.skip, too, are told and not obeyed
        why = explain(error, stand_in.file, stand_in.names, stand_in.home)
        _tell(test=test, outcome="failed", seconds=time.perf_counter() - began_s, why=why)
        _tell(ended=True)
        pytest.exit(test)


def pytest_collection_finish() -> None:
    """The tests have imported what they test: is it the student's?"""
    if _stand_in and _stand_in[0].is_in_place:
        _tell(tested=str(_stand_in[0].file))


def pytest_exception_interact(
    node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object], report: object
) -> None:
    """A file of tests that could not be imported."""
    if isinstance(report, pytest.CollectReport) and call.excinfo:
        error = call.excinfo.value.__cause__ or call.excinfo.value
        _tell(test=f"import of {node.path.name}", outcome="failed", seconds=0.0, why=_why(error, node.path))


def pytest_runtest_logstart(nodeid: str) -> None:
    """So that the parent knows which test hangs."""
    _tell(begun=_name(nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The call of a test with the time of what was prepared for it, or what went wrong before or after it."""
    report = yield
    if report.when == "setup":
        _prepared_s[report.nodeid] = report.duration
    if report.when == "call" or not report.passed:
        why = _why(call.excinfo.value, item.path) if call.excinfo and not report.passed else []
        why += [f"printed: {line}" for line in report.capstdout.splitlines()[-MOST_PRINTED:]] if why else []
        seconds = report.duration + (_prepared_s.get(report.nodeid, 0.0) if report.when == "call" else 0.0)
        _told.add(report.nodeid)
        _tell(test=_name(report.nodeid), outcome=report.outcome, seconds=seconds, why=why)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Every test had its turn: a session that ends without this word was broken off."""
    if len(_told) == session.testscollected:
        _tell(ended=True)


def _name(nodeid: str) -> str:
    return nodeid.partition("::")[2] or nodeid


def _why(error: BaseException, test_file: Path) -> list[str]:
    return explain(error, test_file, _stand_in[0].names if _stand_in else [OURS])


def _tell(**facts: object) -> None:
    if os.getpid() != _OWN:
        return  # a copy of this process, made by whom it tests, has nothing to tell
    _out.write(json.dumps(facts) + "\n")
    _out.flush()
