"""On a system that has neither fork nor what is Unix's alone, only measuring and testing need another one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import contextlib, io, json, os, signal, sys
import multiprocessing, platformdirs, psutil, subprocess

class Hider:  # from our own code; whatever that uses has a part of its own for each system
    def find_spec(self, name, path=None, target=None):
        frame = sys._getframe(1)
        while "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        if name in HIDDEN and frame.f_globals["__name__"].partition(".")[0] in ("tito", "tinytorch"):
            raise ModuleNotFoundError(name)

HIDDEN = {"resource", "fcntl", "termios", "pwd", "grp"}
for name in HIDDEN:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hider())
del os.fork, os.killpg, signal.alarm, signal.SIGALRM, signal.pthread_sigmask

from tito.app import run
for line in sys.stdin.read().splitlines():
    heard = io.StringIO()
    with contextlib.redirect_stderr(heard), contextlib.redirect_stdout(heard):
        code = run(line.split())
    print(json.dumps([line, code, heard.getvalue()[-400:]]))
"""
GOOD = [
    "olympics report submission.json", "olympics tasks", "system info", "module list", "module start tensor",
    "olympics validate submission.json", "olympics leaderboard submission.json", "olympics score", "olympics status",
    "olympics rules", "olympics schema", "olympics init", "olympics techniques", "milestone list",
]  # fmt: skip
NEED_ANOTHER = ["olympics benchmark", "olympics profile", "test tensor", "module test tensor"]


@pytest.fixture
def codes(athlete: Path, tito) -> dict[str, tuple[int, str]]:
    """By command line: how it ended, and the end of what it said."""
    tito("submit", "--event", "all_around", "--athlete", "Ada")
    lines, command = "\n".join([*GOOD, *NEED_ANOTHER]), [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return {line: (code, said) for line, code, said in map(json.loads, done.stdout.splitlines())}


def test_what_needs_no_process_works_and_the_rest_says_where_it_does(codes: dict[str, tuple[int, str]]) -> None:
    assert {line: codes[line] for line in GOOD if codes[line][0]} == {}
    for line in NEED_ANOTHER:
        assert (codes[line][0], "needs Linux or macOS\nmend:  use WSL" in codes[line][1]) == (3, True), codes[line]
