"""`tito test`: what is run, on what, and how it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tinytorch.errors import RunError, SetupMissingError, UsageError
from tito.app import run
from tito.course.course import MODULES, find_module
from tito.course.testing import runner
from tito.course.testing.runner import Subject, run_tests

GOOD = """
import numpy as np
from tinytorch.core.tensor import Tensor

def _layer(function):
    class Activation:
        def forward(self, x, dim=-1):
            return Tensor(function(x.data, dim))
        def parameters(self):
            return []
        __call__ = forward
    return Activation

def _softmax(x, dim):
    e = np.exp(x - x.max(axis=dim, keepdims=True))
    return e / e.sum(axis=dim, keepdims=True)

ReLU = _layer(lambda x, dim: np.maximum(x, 0))
Sigmoid = _layer(lambda x, dim: 1 / (1 + np.exp(-np.clip(x, -80, 80))))
Tanh = _layer(lambda x, dim: np.tanh(x))
GELU = _layer(lambda x, dim: x / (1 + np.exp(-1.702 * x)))
Softmax = _layer(_softmax)
"""
WRONG = GOOD.replace("np.maximum(x, 0)", "np.minimum(x, 0)")


def tito(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["test", *arguments])
    shown = capfd.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my modules" / "02_activations.py"
    path.parent.mkdir()
    path.write_text(GOOD)
    return path


def test_ours_pass_and_every_test_is_shown_by_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = tito(capfd, "activations")

    assert code == 0
    assert "test_softmax_adds_up_to_one" in out
    assert out.splitlines()[-1].startswith("02 activations: ")
    assert ", 0 failed in " in out
    assert "testing tinytorch.core.activations" in err


def test_one_s_own_file_is_tested_in_the_place_of_ours(capfd: pytest.CaptureFixture[str], mine: Path) -> None:
    code, _, err = tito(capfd, "--mine", str(mine))

    assert (code, f"testing {mine}" in err) == (0, True)
    assert [path.name for path in mine.parent.iterdir()] == [mine.name]


@pytest.mark.parametrize("how", [["--module", "2", "--mine", "FOLDER"], ["--mine", "FOLDER"]])
def test_a_wrong_one_fails_with_the_line_of_the_assertion(
    capfd: pytest.CaptureFixture[str], mine: Path, how: list[str]
) -> None:
    mine.write_text(WRONG)
    code, out, _ = tito(capfd, *(str(mine.parent) if word == "FOLDER" else word for word in how))

    assert code == 1
    assert "failed     0" in out
    assert "test_02_activations.py:" in out
    assert "np.testing.assert_allclose(" in out


def test_json_has_every_test(capfd: pytest.CaptureFixture[str], mine: Path) -> None:
    mine.write_text(WRONG)
    code, out, _ = tito(capfd, "--mine", str(mine), "--json")
    (found,) = json.loads(out)["modules"]

    assert (code, found["is_good"], found["tested"]) == (1, False, str(mine))
    assert (found["failed"], len(found["tests"])) == (1, found["passed"] + 1)


@pytest.mark.parametrize("source", ["", "import nothing_like_it", "def broken(:"])
def test_what_cannot_be_imported_has_failed(capfd: pytest.CaptureFixture[str], mine: Path, source: str) -> None:
    mine.write_text(source)
    code, out, _ = tito(capfd, "--mine", str(mine))

    assert code == 1
    assert "import of test_02_activations.py" in out


def test_hostile_output_of_a_test_is_made_safe(capfd: pytest.CaptureFixture[str], mine: Path) -> None:
    mine.write_text("raise ValueError('\\x1b[2J gone')")

    assert "\x1b" not in tito(capfd, "--mine", str(mine))[1]


def test_a_loop_that_does_not_end_is_ended(mine: Path) -> None:
    mine.write_text(GOOD + "\nclass ReLU(ReLU):\n    def __call__(self, x):\n        while True: pass\n")
    with pytest.raises(RunError, match=r"test_it_has_its_formula_s_values\[ReLU\] has taken more than 2 seconds"):
        run_tests(Subject(find_module("activations"), mine), lambda result: None, limit_s=2)


TOLD = {"test": "t", "outcome": "passed", "seconds": 0.5, "why": []}


@pytest.mark.parametrize(
    "line",
    [
        "printed", "", "[" * 60_000, "[1]", "{}", '{"begun": 1}', '{"ended": "no"}',
        *(json.dumps({**TOLD, **wrong}) for wrong in ({"seconds": float("inf")}, {"why": [1]}, {"test": None})),
    ],
)  # fmt: skip
def test_what_a_student_s_file_prints_is_no_result(line: str) -> None:
    assert runner._facts(line.encode()) == {}


@pytest.mark.parametrize("facts", [TOLD, {"begun": "t"}, {"ended": True}])
def test_what_the_reporter_says_is_heard(facts: dict[str, object]) -> None:
    assert runner._facts(json.dumps(facts).encode()) == facts


def test_a_flood_of_prints_is_no_word_of_a_test() -> None:
    flood = [sys.executable, "-c", "while True: print('x' * 10_000)"]
    with subprocess.Popen(flood, stdout=subprocess.PIPE) as process:
        with pytest.raises(TimeoutError):
            list(runner._heard(process, limit_s=0.2))
        process.kill()


@pytest.mark.parametrize(("line", "where"), [("", "before all had run: "), ("    ", r"in test_it_has_its_form")])
def test_a_process_that_ends_early_has_not_passed(mine: Path, line: str, where: str) -> None:
    inside = "class Tanh:\n    def __init__(self):\n" if line else ""
    mine.write_text(f"{GOOD}\nimport os\n{inside}{line * 2}os._exit(0)\n")
    with pytest.raises(RunError, match=where):
        run_tests(Subject(find_module("activations"), mine), lambda result: None)


@pytest.mark.parametrize("end", ["raise KeyboardInterrupt", "__import__('pytest').exit('done', 0)"])
def test_a_session_that_is_broken_off_has_not_passed(mine: Path, end: str) -> None:
    mine.write_text(f"{GOOD}\nclass Tanh:\n    def __init__(self):\n        {end}\n")
    with pytest.raises(RunError, match="ended before all had run"):
        run_tests(Subject(find_module("activations"), mine), lambda result: None)


def test_no_test_at_all_is_no_pass(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_02_activations.py").write_text("")
    monkeypatch.setattr("tito.course.course.MODULE_TESTS", tmp_path)
    monkeypatch.setattr(runner, "IS_CHECKOUT", False)
    code, out, _ = tito(capfd, "activations")

    assert (code, "no test was run, which is not a pass" in out) == (1, True)


def test_without_pytest_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "find_spec", lambda name: None)
    with pytest.raises(SetupMissingError) as caught:
        run_tests(Subject(find_module("activations")), lambda result: None)

    assert "pip install pytest" in caught.value.mend


def test_settings_of_the_user_change_nothing(
    capfd: pytest.CaptureFixture[str], mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine.parent / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    monkeypatch.chdir(mine.parent)

    assert tito(capfd, "--mine", str(mine))[0] == 0


def test_a_file_that_nobody_could_read_to_its_end_is_refused(mine: Path) -> None:
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        mine.unlink()
        make(mine)
        with pytest.raises(UsageError, match=r"cannot read .*it is a"):
            run_tests(Subject(find_module("activations"), mine), lambda result: None)


def test_a_flood_of_prints_ends_as_a_failed_test_and_fills_no_disk(mine: Path) -> None:
    mine.write_text(GOOD + "\nimport os\nwhile True: os.write(2, b'x' * 10**7)\n")
    found = run_tests(Subject(find_module("activations"), mine), lambda result: None, limit_s=60)

    assert "File too large" in "".join(line for result in found.results for line in result.why)


def test_a_daemon_of_a_student_s_file_does_not_outlive_its_tests(mine: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)", str(tmp_path)]
    daemon = "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    daemon += f"        os.execve({sys.executable!r}, {command}, {{}})\n    os._exit(0)\nos.wait()\n"
    mine.write_text(daemon + GOOD)
    run_tests(Subject(find_module("activations"), mine), lambda result: None)
    alive = [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in (each.info["cmdline"] or [])]

    assert alive == []


WRONG_CALLS = {
    "no name": ([], "tito module list"),
    "no such module": (["activation"], "activations"),
    "no such number": (["21"], "from 1 to 20"),
    "no such file": (["--mine", "none.py"], "tito module start NAME"),
    "no such folder entry": (["tensor", "--mine", "."], "tito module start tensor --folder ."),
    "an empty folder": (["--mine", "."], "tito module start NAME"),
}


@pytest.mark.parametrize(("arguments", "mend"), WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_a_wrong_call_says_what_to_do(
    arguments: list[str], mend: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = tito(capfd, *arguments)

    assert (code, mend in err) == (2, True)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_module_has_a_contract_and_tests_of_ours(module) -> None:
    assert module.contract.is_file()
    assert all((module.contract.parents[1] / name).exists() for name in module.ours)


@pytest.mark.parametrize("text", ["17", "017", "memoization", "Memoization", "17_memoization", "18_memoization"])
def test_a_module_is_found_by_name_and_number_and_a_name_weighs_more(text: str) -> None:
    assert find_module(text).name == "memoization"


def test_numbers_are_in_order_and_needs_come_first() -> None:
    names = [module.name for module in MODULES]

    assert [module.number for module in MODULES] == list(range(1, 21))
    assert all({*module.needs} <= {*names[: names.index(module.name)]} for module in MODULES)


def test_nothing_is_left_running(mine: Path) -> None:
    before = psutil.Process().children()
    run_tests(Subject(find_module("activations"), mine), lambda result: None)

    assert psutil.Process().children() == before
