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
from tinytorch.files import LARGEST_ARTIFACT_BYTES
from tito.app import run
from tito.course.course import MODULES, find_module
from tito.course.testing import runner
from tito.course.testing.runner import Subject, run_tests
from tito.course.testing.stand_in import NotInFileError, absent

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


def test_a_notebook_is_tested_cell_by_cell(capfd: pytest.CaptureFixture[str], mine: Path) -> None:
    first, second = WRONG.split("ReLU =")
    cells = [{"cell_type": "code", "source": text} for text in (f"%time\n{first}", f"\nReLU ={second}", "1 / 0")]
    file = mine.with_suffix(".IPYNB")
    file.write_text(json.dumps({"cells": cells}))
    (result,) = run_tests(Subject(find_module("activations"), file), lambda result: None).results

    assert result.why == ["02_activations.IPYNB (code cell 3):1: 1 / 0", "ZeroDivisionError: division by zero"]
    file.write_text(json.dumps({"cells": cells[:2]}))
    assert tito(capfd, "--mine", str(file))[0] == 1
    file.write_text(json.dumps({"cells": [{"cell_type": "code", "source": GOOD}]}))
    assert tito(capfd, "--mine", str(file))[0] == 0


def test_what_one_cell_imports_from_the_future_holds_below(mine: Path) -> None:
    cells = ["from __future__ import annotations", f"{GOOD}\ndef later(x: Nothing) -> None: ..."]
    file = mine.with_suffix(".ipynb")
    file.write_text(json.dumps({"cells": [{"cell_type": "code", "source": text} for text in cells]}))

    assert run_tests(Subject(find_module("activations"), file), lambda result: None).is_good


def test_json_has_every_test(capfd: pytest.CaptureFixture[str], mine: Path) -> None:
    mine.write_text(WRONG)
    code, out, _ = tito(capfd, "--mine", str(mine), "--json")
    (found,) = json.loads(out)["modules"]

    assert (code, found["is_good"], found["tested"]) == (1, False, str(mine))
    assert (found["failed"], len(found["tests"])) == (1, found["passed"] + 1)


AT_IMPORT = {
    "no such module": ("import nothing_like_it", "ModuleNotFoundError: No module named 'nothing_like_it'"),
    "no Python": ("def broken(:", "SyntaxError: invalid syntax"),
    "a magic": ("%matplotlib inline", "this is a magic of notebooks, not Python: leave it out"),
    "an end": ("import sys; sys.exit(0)", "this ends Python, and no test could follow: leave it out"),
    "a hard end": ("import os; os._exit(0)", "this ends Python, and no test could follow: leave it out"),
    "a question": ("x = input('ready?')", "input() asks, and nobody is there to answer: leave it out"),
    "a skip": ("import pytest; pytest.skip('later')", "this skips the tests, and a test that did not run has not"),
    "a broken session": ("import pytest; pytest.exit('done')", "Exit: done"),
    "an error further in": ("import numpy; numpy.zeros(-1)", "ValueError: negative dimensions are not allowed"),
}


@pytest.mark.parametrize(("line", "words"), AT_IMPORT.values(), ids=AT_IMPORT)
def test_what_fails_at_import_is_told_with_its_line_and_in_one_sentence(mine: Path, line: str, words: str) -> None:
    mine.write_text(f"\n{line}\n")
    (result,) = run_tests(Subject(find_module("activations"), mine), lambda result: None).results

    assert (result.test, result.outcome) == ("import of 02_activations.py", "failed")
    assert result.why[0] == f"02_activations.py:2: {line}"
    assert len(result.why) == 2
    assert result.why[1].startswith(words)


def test_a_name_that_is_missing_fails_the_tests_that_use_it_and_no_others(mine: Path) -> None:
    mine.write_text(GOOD.replace("GELU =", "Gelu ="))
    outcome = run_tests(Subject(find_module("activations"), mine), lambda result: None)
    failed = [result for result in outcome.results if not result.is_good]

    assert failed
    assert all("GELU" in result.test and "your file has no GELU" in result.why for result in failed)


def why_of(file: Path, name: str) -> list[str]:
    results = run_tests(Subject(find_module("activations"), file), lambda result: None).results
    return next(result.why for result in results if name in result.test and not result.is_good)


def test_a_name_that_is_nearly_there_is_offered(mine: Path) -> None:
    mine.write_text(GOOD.replace("Softmax =", "SoftMax ="))

    assert "your file has no Softmax; did you mean SoftMax?" in why_of(mine, "Softmax")


def test_a_name_in_a_cell_that_is_not_exported_is_found(mine: Path) -> None:
    first, second = GOOD.split("Softmax =")
    cells = [f"#| export\n{first}", f"Softmax ={second}"]
    file = mine.with_suffix(".ipynb")
    file.write_text(json.dumps({"cells": [{"cell_type": "code", "source": text} for text in cells]}))

    assert "your file has no Softmax: it is in code cell 2, which has no mark #| export" in why_of(file, "Softmax")


@pytest.mark.parametrize("line", ["from tinytorch.core.activations import ReLU", "from tinytorch import ReLU"])
def test_ours_cannot_be_taken_for_the_student_s(mine: Path, line: str) -> None:
    mine.write_text(f"{line}\n{GOOD}")
    (why,) = [why for why in why_of(mine, "import of") if not why.startswith("02_activations")]

    assert why.startswith("this file stands for tinytorch.core.activations now: write the name here")


def test_an_old_path_leads_past_the_file_that_is_tested(mine: Path) -> None:
    source = (Path(__file__).parents[1] / "solutions" / "attention.py").read_text()
    mine.write_text(f"import tinytorch.nn as nn\nfrom tinytorch.nn import Linear\n{source}")

    assert run_tests(Subject(find_module("attention"), mine), lambda result: None).is_good


def test_an_error_that_cannot_say_what_it_is_is_one(mine: Path) -> None:
    mine.write_text("class Mute(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Mute")

    assert why_of(mine, "import of")[-1] == "Mute: (what it says cannot be read: ZeroDivisionError)"


def test_what_a_failed_test_printed_last_is_shown(mine: Path) -> None:
    mine.write_text(WRONG.replace("np.minimum(x, 0)", "print('I am here') or np.minimum(x, 0)"))

    assert "printed: I am here" in why_of(mine, "values[ReLU]")


def test_a_file_runs_where_it_lies_and_finds_what_is_beside_it(mine: Path) -> None:
    (mine.parent / "beside.py").write_text("FOUND = True")
    (mine.parent / "random.py").write_text("1 / 0  # which hides nothing")
    (mine.parent / "data.txt").write_text("1")
    mine.write_text(f"import random\nfrom beside import FOUND\nopen('data.txt').close()\n{GOOD}")

    assert run_tests(Subject(find_module("activations"), mine), lambda result: None).is_good


def test_a_copy_of_the_process_tells_nothing(mine: Path) -> None:
    alone = run_tests(Subject(find_module("activations"), mine), lambda result: None)
    mine.write_text(f"{GOOD}\nimport os\nos.fork()\n")
    together = run_tests(Subject(find_module("activations"), mine), lambda result: None)

    assert len(together.results) == len(alone.results)


def test_whoever_measures_in_the_course_may_send_a_model() -> None:
    assert reporter_limit() >= LARGEST_ARTIFACT_BYTES


def reporter_limit() -> int:
    source = Path(runner.__file__).with_name("reporter.py").read_text()
    return LARGEST_ARTIFACT_BYTES if "LARGEST_WRITTEN_BYTES = LARGEST_ARTIFACT_BYTES" in source else 0


@pytest.mark.parametrize("use", ["Gelu()", "Gelu.x", "isinstance(1, Gelu)", "[*Gelu]", "type('G', (Gelu,), {})"])
def test_whatever_uses_a_missing_name_is_told_so(use: str) -> None:
    with pytest.raises(NotInFileError, match=r"^your file has no Gelu$"):
        eval(use, {"Gelu": absent("Gelu")})


def test_a_comparison_of_arrays_is_shown_with_its_figures(mine: Path) -> None:
    mine.write_text(WRONG)
    outcome = run_tests(Subject(find_module("activations"), mine), lambda result: None)
    (why,) = [result.why for result in outcome.results if not result.is_good]

    assert why[0].startswith("test_02_activations.py:")
    assert any(line.startswith("Mismatched elements: ") for line in why)
    assert sum("array(" in line for line in why) == 2


def test_a_student_s_line_is_shown_where_numpy_raised(mine: Path) -> None:
    mine.write_text(GOOD.replace("np.tanh(x)", "np.tanh(x) @ np.ones(77)"))
    outcome = run_tests(Subject(find_module("activations"), mine), lambda result: None)
    why = next(result.why for result in outcome.results if not result.is_good)

    assert why[1].endswith("np.tanh(x) @ np.ones(77))")
    assert why[2].startswith("ValueError: matmul")


def test_an_end_of_python_in_a_test_fails_that_test_only(mine: Path) -> None:
    mine.write_text(f"{GOOD}\nimport os\nclass Tanh:\n    def __init__(self):\n        os._exit(0)\n")
    outcome = run_tests(Subject(find_module("activations"), mine), lambda result: None)

    assert {"Tanh" in result.test for result in outcome.results if not result.is_good} == {True}
    assert not outcome.is_good


def test_a_pass_of_ours_is_none_of_the_student_s(mine: Path) -> None:
    taken_away = "import sys\nsys.meta_path.pop(0)\nsys.modules.pop(__name__)\nimport tinytorch.core.activations\n"
    mine.write_text(taken_away + "sys.modules[__name__] = tinytorch.core.activations")
    with pytest.raises(RunError, match=r"passed, but on another tinytorch.core.activations than"):
        run_tests(Subject(find_module("activations"), mine), lambda result: None)


def test_what_a_student_s_file_prints_at_import_is_no_result(mine: Path) -> None:
    told = json.dumps({"test": "made up", "outcome": "passed", "seconds": 0.0, "why": []})
    mine.write_text(f"{GOOD}\nprint({told!r}, flush=True)\nimport os\nos.write(1, b'{told}\\n')")
    outcome = run_tests(Subject(find_module("activations"), mine), lambda result: None)

    assert "made up" not in [result.test for result in outcome.results]


def test_hostile_output_of_a_test_is_made_safe(capfd: pytest.CaptureFixture[str], mine: Path) -> None:
    mine.write_text("raise ValueError('\\x1b[2J gone')")

    assert "\x1b" not in tito(capfd, "--mine", str(mine))[1]


def test_a_loop_that_does_not_end_is_ended(mine: Path) -> None:
    mine.write_text(GOOD + "\nclass ReLU(ReLU):\n    def __call__(self, x):\n        while True: pass\n")
    line = len(GOOD.splitlines()) + 4
    words = (
        rf"test_it_has_its_formula_s_values\[ReLU\] has taken more than 2 seconds, in 02_activations.py:{line}(?:\n|$)"
    )
    with pytest.raises(RunError, match=words):
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
    mine.write_text(f"{GOOD}\nimport os\n{inside}{line * 2}os.kill(os.getpid(), 9)\n")
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
    "another name": (["--mine", "hello.py"], "say which: tito test NAME --mine hello.py"),
    "another ending": (["--mine", "activations.txt"], "give a file that ends in .py or .ipynb"),
}


@pytest.mark.parametrize(("arguments", "mend"), WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_a_wrong_call_says_what_to_do(
    arguments: list[str], mend: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("activations.txt", "hello.py") if "." not in arguments else ():
        (tmp_path / name).touch()
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
