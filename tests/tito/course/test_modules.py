"""`tito module`: starter files without solutions, completion only by passed tests, nothing lost."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest

from tito.app import run
from tito.course.course import MODULES, find_module
from tito.course.coursework import Completed, Coursework, next_module
from tito.course.testing.runner import ModuleResult, Result, Subject, run_tests

LOSSES = """
import numpy as np
from tinytorch.core.tensor import Tensor

class MSELoss:
    def forward(self, x, y):
        return Tensor(((x.data - y.data) ** 2).mean())
    def __call__(self, x, y):
        return self.forward(x, y)

def log_softmax(x, dim=-1):
    shifted = x.data - x.data.max(axis=dim, keepdims=True)
    return Tensor(shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True)))

class CrossEntropyLoss(MSELoss):
    def forward(self, x, y):
        rows = np.arange(len(x.data))
        return Tensor(-log_softmax(x).data[rows, y.data.astype(int)].mean())

class BinaryCrossEntropyLoss(MSELoss):
    def forward(self, p, y):
        p = np.clip(p.data, 1e-7, 1 - 1e-7)
        return Tensor(-(y.data * np.log(p) + (1 - y.data) * np.log(1 - p)).mean())
"""


class Student:
    """Types commands in a folder of their own."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capfd = folder, capfd
        self.out = self.err = ""

    def types(self, *arguments: str) -> int:
        code = run(["module", *arguments])
        self.out, self.err = self._capfd.readouterr()
        return code

    def completes(self, name: str) -> None:
        Coursework().complete(find_module(name), f"modules/{name}.py", passed=9)

    @property
    def progress(self):
        return Coursework().progress()


@pytest.fixture
def student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Student:
    folder = tmp_path / "a student"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Student(folder, capfd)


def test_every_module_is_listed_with_both_numbers(student: Student) -> None:
    student.types("list", "--json")
    rows = json.loads(student.out)["modules"]
    swapped = {row["name"]: (row["number"], row["number_elsewhere"]) for row in rows}

    assert (swapped["memoization"], swapped["acceleration"]) == ((17, 18), (18, 17))
    assert student.types("list") == 0
    assert "18 in the newer edition" in student.out


def test_both_editions_number_every_module_once() -> None:
    assert sorted(module.number_elsewhere or module.number for module in MODULES) == list(range(1, 21))


def test_a_starter_is_written_and_the_next_command_named(student: Student) -> None:
    assert student.types("start", "4") == 0
    assert Path("modules/04_losses.py").is_file()
    assert "it builds on 01 tensor, 02 activations, not complete yet" in student.err
    assert student.err.splitlines()[-1] == "next: tito module test losses"
    assert student.progress.started["losses"].file == "modules/04_losses.py"


def test_a_file_that_is_there_is_not_overwritten(student: Student) -> None:
    student.types("start", "losses")
    Path("modules/04_losses.py").write_text("mine")

    assert student.types("start", "losses") == 2
    assert "tito module reset losses" in student.err
    assert Path("modules/04_losses.py").read_text() == "mine"


def test_a_starter_is_not_complete(student: Student) -> None:
    student.types("start", "losses")

    assert student.types("complete", "losses") == 1
    assert "is not recorded as complete" in student.err
    assert student.progress.completed == {}


def test_what_passes_is_complete_with_date_version_and_file(student: Student) -> None:
    student.types("start", "losses")
    Path("modules/04_losses.py").write_text(LOSSES)

    assert student.types("complete", "losses") == 0
    entry = student.progress.completed["losses"]
    assert (entry.tested, entry.version, entry.passed >= 8) == ("modules/04_losses.py", "0.2.0", True)
    assert "next: tito module start tensor" in student.err


@pytest.mark.parametrize("command", ["test", "complete"])
def test_without_a_file_nothing_is_tested_or_complete(student: Student, command: str) -> None:
    assert student.types(command, "activations") == 1
    assert "you have no file of 02 activations in modules: tito module start activations" in student.err
    assert student.progress.completed == {}

    assert student.types(command, "activations", "--json") == 1
    assert json.loads(student.out)["tested"] is None


def test_ours_is_tested_on_demand(student: Student) -> None:
    assert student.types("test", "activations", "--reference", "--json") == 0
    assert json.loads(student.out)["tested"] == "tinytorch.core.activations"


FILES = ["04_losses.py", "Losses.PY", "04-LOSSES.py", "05_losses/04_losses.py", "04-losses/losses.py", "7 losses.py"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_found_however_it_is_called(student: Student, name: str) -> None:
    file = Path("modules") / name
    file.parent.mkdir(parents=True)
    file.write_text(LOSSES)

    assert student.types("complete", "losses") == 0
    assert student.progress.completed["losses"].tested == str(file)
    assert f"testing {file}" in student.err


def test_a_file_is_found_from_a_module_s_own_folder(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path("modules/04_losses")
    own.mkdir(parents=True)
    (own / "04_losses.py").write_text(LOSSES)
    monkeypatch.chdir(own)

    assert student.types("complete", "losses") == 0
    assert student.progress.completed == {}  # none is kept where nobody would look for it
    assert student.types("start", "tensor") == 0
    monkeypatch.chdir(student.folder)
    assert student.progress.completed["losses"].tested == "modules/04_losses/04_losses.py"
    assert Path("modules/01_tensor.py").is_file()


def test_of_two_files_the_one_changed_last_is_tested_and_the_other_named(student: Student) -> None:
    student.types("start", "losses")
    file = Path("modules/04_losses.ipynb")
    file.write_text(json.dumps({"cells": [{"cell_type": "code", "source": LOSSES}]}))
    os.utime("modules/04_losses.py", (0, 0))

    assert student.types("complete", "losses") == 0
    assert student.progress.completed["losses"].tested == str(file)
    assert "modules/04_losses.py is not tested" in student.err


@pytest.mark.parametrize("name", ["my_losses.py", "04.py", "loss.ipynb.txt", "test_losses.py"])
def test_a_file_of_another_name_is_pointed_at(student: Student, name: str) -> None:
    Path("modules").mkdir()
    (Path("modules") / name).touch()

    assert student.types("test", "losses") == 1
    assert f"there is modules/{name}; it is tested if you call it 04_losses.py" in student.err


def test_the_name_of_older_files_is_known(student: Student) -> None:
    (Path("modules") / "04_losses").mkdir(parents=True)
    Path("modules/04_losses/losses_dev.py").write_text(LOSSES)

    assert student.types("test", "losses") == 0


def test_one_may_stand_in_an_empty_folder(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("modules").mkdir()
    monkeypatch.chdir("modules")
    student.types("start", "tensor")

    assert Path("01_tensor.py").is_file()
    assert student.err.splitlines()[0] == "it builds on nothing" or Path("../.tito/course/progress.json").is_file()


def test_a_folder_that_is_there_is_meant_before_one_above(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    student.types("start", "losses")
    Path("other/modules").mkdir(parents=True)
    monkeypatch.chdir("other")

    assert student.types("test", "losses") == 1


def test_a_link_is_as_old_as_what_it_leads_to(student: Student) -> None:
    Path("modules").mkdir()
    Path("real.py").write_text(LOSSES)
    Path("modules/losses.py").symlink_to("../real.py")
    Path("modules/04_losses.py").write_text("1 / 0")
    os.utime("modules/04_losses.py", (0, 0))

    assert student.types("complete", "losses") == 0


def test_work_has_one_record_however_its_folder_is_named(student: Student) -> None:
    Path("modules").mkdir()
    Path("modules/04_losses.py").write_text(LOSSES)

    for folder in (str(Path("modules").resolve()), "../a student/modules", "modules"):
        assert student.types("complete", "losses", "--folder", folder) == 0
        assert student.progress.completed["losses"].tested == "modules/04_losses.py"


def test_what_cannot_be_looked_into_is_said(student: Student) -> None:
    Path("modules").write_text("a file")

    assert student.types("test", "losses") == 2
    assert "cannot look into modules" in student.err


def test_of_a_number_that_the_newer_edition_gives_to_another_it_is_said(student: Student) -> None:
    student.types("start", "6")
    assert "06 optimizers; in the newer edition 06 is autograd" in student.err
    student.types("start", "optimizers", "--folder", "other")
    assert "newer edition" not in student.err


def test_what_was_recorded_stays_and_a_change_is_told(student: Student) -> None:
    student.types("start", "losses")
    student.completes("losses")
    os.utime("modules/04_losses.py", (2e9, 2e9))

    assert student.types("complete", "losses") == 1
    assert "is not recorded as complete; what was recorded on 20" in student.err
    student.types("status", "--json")
    assert "changed since" in json.loads(student.out)["modules"][3]["detail"]


def test_what_is_begun_anew_is_no_longer_complete(student: Student) -> None:
    student.types("start", "losses")
    student.completes("losses")
    student.types("reset", "losses")

    assert "losses" not in student.progress.completed
    assert student.types("complete", "losses") == 1


def test_a_reset_keeps_what_was_there(student: Student) -> None:
    student.types("start", "losses")
    Path("modules/04_losses.py").write_text("mine")

    assert student.types("reset", "losses", "--json") == 0
    assert Path(json.loads(student.out)["kept"]).read_text() == "mine"
    assert "raise NotImplementedError" in Path("modules/04_losses.py").read_text()


def test_a_reset_of_nothing_names_start(student: Student) -> None:
    assert student.types("reset", "losses") == 2
    assert "tito module start losses" in student.err


def test_a_tested_file_is_the_student_s(student: Student) -> None:
    student.types("start", "losses")

    assert student.types("test", "losses", "--json") == 1
    assert json.loads(student.out)["tested"] == "modules/04_losses.py"


@pytest.mark.parametrize(
    ("before", "state"),
    [([], "ready"), (["start"], "started"), (["start", "completes"], "complete")],
)
def test_status_shows_how_far_a_module_is(student: Student, before: list[str], state: str) -> None:
    if "start" in before:
        student.types("start", "tensor")
    if "completes" in before:
        student.completes("tensor")
    student.types("status", "--json")
    rows = json.loads(student.out)["modules"]

    assert rows[0]["state"] == state
    assert rows[19]["state"] == "waits"
    assert student.types("status") == 0
    assert state in student.out


def test_another_folder_is_named_in_every_hint(student: Student) -> None:
    student.types("start", "tensor", "--folder", "my work")
    assert student.err.splitlines()[-1] == "next: tito module test tensor --folder 'my work'"

    student.types("status", "--folder", "my work")
    assert "next: tito module complete tensor --folder 'my work'" in student.err


def test_a_damaged_progress_is_kept_aside_and_said(student: Student) -> None:
    student.completes("activations")
    Path(".tito/course/progress.json").write_text("{}}")

    assert student.types("status") == 0
    assert "was damaged; it is kept as progress.damaged-" in student.err
    assert len(list(Path(".tito/course").glob("progress.damaged-*.json"))) == 1


def test_a_progress_of_a_newer_version_is_read(student: Student) -> None:
    Path(".tito/course").mkdir(parents=True)
    Path(".tito/course/progress.json").write_text('{"format": 1, "certificates": [], "completed": {}}')

    assert student.progress.completed == {}


def test_a_read_only_home_is_a_clear_word(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tito.workspace.folder.atomic_write", refuse)

    Path("modules").mkdir()
    Path("modules/04_losses.py").write_text(LOSSES)

    assert student.types("complete", "losses") == 2
    assert "cannot write in .tito/course: Read-only file system" in student.err


def test_an_unwritable_folder_is_a_clear_word(student: Student) -> None:
    Path("modules").write_text("a file")

    assert student.types("start", "tensor") == 2
    assert "--folder DIR" in student.err


def test_the_next_module_is_one_that_can_be_begun() -> None:
    done = ["tensor", "activations"]

    assert next_module(done).name == "layers"
    assert next_module(module.name for module in MODULES) is None


def test_after_all_modules_comes_the_competition(student: Student) -> None:
    now = "2026-01-01T00:00:00Z"
    entry = Completed(tested="x", passed=1, completed_at=now, version="1")
    Path(".tito/course").mkdir(parents=True)
    every = {module.name: json.loads(entry.model_dump_json()) for module in MODULES}
    Path(".tito/course/progress.json").write_text(json.dumps({"completed": every}))
    student.types("status", "--json")

    assert json.loads(student.out)["next"] == "tito milestone run 6"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_starter_has_no_solution_and_says_how_it_is_tested(module) -> None:
    source = module.starter.read_text()
    outcome = run_tests(Subject(module, module.starter), lambda result: None)

    assert outcome.failed > len(outcome.results) / 2
    assert f"tito module test {module.name}" in source
    assert ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_starter_has_the_names_that_are_tested(module) -> None:
    """Nobody who begins with it meets an ImportError."""
    tree = ast.parse(module.contract.read_text())
    wanted = {
        alias.name for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module.home for alias in node.names
    }  # fmt: skip
    told = module.starter.read_text()

    assert wanted
    assert [name for name in wanted if f"class {name}" not in told and f"def {name}(" not in told] == []


def test_a_test_that_ends_python_completes_nothing(student: Student) -> None:
    student.types("start", "losses")
    Path("modules/04_losses.py").write_text(f"{LOSSES}\nimport os\nos._exit(0)")

    assert student.types("complete", "losses") == 1
    assert student.progress.completed == {}


def test_after_the_capstone_comes_the_competition(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    module = MODULES[-1]
    student.types("start", "20")
    passed = ModuleResult(Subject(module), (Result("test_it", "passed", 0.1),))
    monkeypatch.setattr("tito.course.modules.run_subject", lambda subject, is_quiet: passed)

    assert student.types("complete", "20") == 0
    assert student.err.splitlines()[-1] == "next: tito milestone run 6"
