"""The examples for platforms, each in a folder as its platform lays it out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tito.class_folder import handed_in
from tinytorch.competition.grading.assignment import read_assignment
from tinytorch.competition.rules.events import load_rules

EXAMPLES = Path(__file__).parents[1] / "examples"
CLASS = 'task = "digits_mlp"\nevents = ["latency_sprint"]\npoints = { "1x" = 0, "2x" = 40 }\n'
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


FAKE_PYTHON = """#!/bin/bash
mkdir -p "$3/bin"
printf '#!/bin/bash\\necho "$@" >%s/installed' "$3" >"$3/bin/pip"
chmod +x "$3/bin/pip"
"""


def run(command: list[str], folder: Path, cache: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**ENVIRONMENT, "TITO_CACHE": str(cache), **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def gradescope(tmp_path: Path) -> Path:
    """The folder /autograder, with what an instructor uploads in source/."""
    shutil.copytree(EXAMPLES / "gradescope", tmp_path / "source")
    (tmp_path / "source" / "class.toml").write_text(CLASS)
    (tmp_path / "submission").mkdir()
    return tmp_path


def test_gradescope_gives_the_points_of_the_class(gradescope: Path) -> None:
    handed_in(gradescope / "submission", "Ada", file="submission.json")
    done = run(["source/run_autograder"], gradescope, gradescope / "cache", AUTOGRADER_ROOT=str(gradescope))
    results = json.loads((gradescope / "results" / "results.json").read_text())

    assert done.returncode == 0, done.stdout + done.stderr
    assert (results["score"], "40 of 40 points" in results["output"]) == (40, True)
    assert {"name", "status", "visibility"} <= results["tests"][0].keys()


TRICK = "import json, pathlib; pathlib.Path('{0}').write_text(json.dumps({{'score': 100}})); raise SystemExit(0)"


def put_in(folder: Path, written: Path) -> None:
    """Modules of a student by the names of ours, which would write any result."""
    for name in ("tito/__init__.py", "tito/__main__.py", "numpy.py", "json.py"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(TRICK.format(written))


def test_what_a_student_puts_beside_is_never_imported(gradescope: Path, tmp_path: Path) -> None:
    put_in(gradescope / "submission", gradescope / "results" / "results.json")
    run(["source/run_autograder"], gradescope, gradescope / "cache", AUTOGRADER_ROOT=str(gradescope))

    assert json.loads((gradescope / "results" / "results.json").read_text())["score"] == 0


def test_nor_is_it_by_classroom_50(tmp_path: Path) -> None:
    bundle, checkout = tmp_path / "bundle", tmp_path / "checkout"
    shutil.copytree(EXAMPLES / "classroom50", bundle)
    checkout.mkdir()
    put_in(checkout, checkout / "result.json")
    done = run([sys.executable, str(bundle / "autograder.py")], checkout, tmp_path / "cache", **FACTS)

    assert (done.returncode, json.loads((checkout / "result.json").read_text())["score"]) == (0, 0)


def test_gradescope_tells_a_student_what_is_missing(gradescope: Path) -> None:
    done = run(["source/run_autograder"], gradescope, gradescope / "cache", AUTOGRADER_ROOT=str(gradescope))
    results = json.loads((gradescope / "results" / "results.json").read_text())

    assert (done.returncode, results["score"]) == (0, 0)


def test_gradescope_fails_loudly_where_the_instructor_s_file_is_wrong(gradescope: Path) -> None:
    (gradescope / "source" / "class.toml").write_text("tittle = 'x'")
    done = run(["source/run_autograder"], gradescope, gradescope / "cache", AUTOGRADER_ROOT=str(gradescope))

    assert (done.returncode, "tittle" in done.stdout) == (4, True)


def test_gradescope_s_set_up_installs_the_wheel_that_lies_beside_it(gradescope: Path) -> None:
    """By programs in place of Python and pip that say how they are called."""
    programs = gradescope / "programs"
    programs.mkdir()
    fake = programs / "python3"
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    (gradescope / "source" / "package-1-py3-none-any.whl").touch()
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = run(["source/setup.sh"], gradescope, gradescope, AUTOGRADER_ROOT=str(gradescope), PATH=path)
    installed = gradescope / "environment" / "installed"

    assert done.returncode == 0, done.stderr
    assert installed.read_text().strip() == f"install --quiet {gradescope}/source/package-1-py3-none-any.whl"


FACTS = {"CLASSROOM": "ml-systems", "ASSIGNMENT": "olympics", "SUBMISSION_TAG": "submit/2026-12-01T12-00-00Z-a1b2c3d",
         "COMMIT_URL": "https://example.org/commit", "RELEASE_URL": "https://example.org/release",
         "REVIEW_URL": "https://example.org/compare"}  # fmt: skip


@pytest.mark.parametrize(("is_there", "score"), [(True, 40), (False, 0)])
def test_classroom_50_gets_its_result(tmp_path: Path, is_there: bool, score: int) -> None:
    """The runner calls it in the student's checkout; the instructor's files lie elsewhere."""
    bundle, checkout = tmp_path / "bundle", tmp_path / "checkout"
    shutil.copytree(EXAMPLES / "classroom50", bundle)
    (bundle / "class.toml").write_text(CLASS)
    checkout.mkdir()
    if is_there:
        handed_in(checkout, "Ada", file="submission.json")
    done = run([sys.executable, str(bundle / "autograder.py")], checkout, tmp_path / "cache", **FACTS)
    result = json.loads((checkout / "result.json").read_text())

    assert done.returncode == 0, done.stderr
    assert (result["schema"], result["classroom"]) == ("classroom50/result/v1", "ml-systems")
    assert (result["score"], result["max-score"]) == (score, 40)
    assert sum(test["score"] for test in result["tests"]) == result["score"]
    assert sum(test["max-score"] for test in result["tests"]) == result["max-score"]


@pytest.mark.parametrize("is_there", [True, False])
def test_github_actions_annotate_and_summarize(tmp_path: Path, is_there: bool) -> None:
    workflows, summary = tmp_path / ".github" / "workflows", tmp_path / "summary.md"
    shutil.copytree(EXAMPLES / "github-actions", workflows)
    if is_there:
        handed_in(tmp_path, "Ada", file="submission.json")
    done = run(["bash", ".github/workflows/check.sh"], tmp_path, tmp_path / "cache",
               GITHUB_WORKSPACE=str(tmp_path), GITHUB_STEP_SUMMARY=str(summary))  # fmt: skip

    assert done.returncode == (0 if is_there else 1), done.stderr
    assert f"{int(is_there)} of 1 submissions are valid" in done.stdout
    assert ("::error" in done.stdout, "NOT valid" in summary.read_text()) == (not is_there, not is_there)
    assert "bash .github/workflows/check.sh" in (workflows / "check.yml").read_text()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/class.toml")), ids=lambda path: path.parent.name)
def test_every_example_has_points(path: Path) -> None:
    read_assignment(path).check_points(load_rules())
