"""The page about packages is true: its package is installed, and its task ends in a ranked submission."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "extend.md").read_text()
PACKAGE, SITE = "campus", "site"


def written(folder: Path) -> None:
    """The files of the page: those of the package in a folder of its own, the class's rules beside it."""
    package = folder / PACKAGE
    for name, content in re.findall(r"<!-- file: (.*?) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL):
        path = folder / name if name == "campus.toml" else package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (package / "campus_olympics" / "__init__.py").touch()


def commands() -> list[str]:
    found = re.search(r"<!-- commands -->\n```bash\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1].splitlines()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What every command of the page printed, by its first words."""
    folder = tmp_path_factory.mktemp("extend")
    written(folder)
    paths = {"PYTHONPATH": str(folder / SITE), "TITO_CACHE": str(folder / "cache")}
    offline = ("-q", "--no-index", "--no-deps", "--no-build-isolation", "--target", SITE)
    printed = {}
    for line in commands():
        program, *arguments = shlex.split(line)
        if program == "pip":
            command = [sys.executable, "-m", "pip", *arguments, *offline]
        else:
            command = [sys.executable, "-c", "from tito.app import main; main()", *arguments]
        ended = subprocess.run(
            command, cwd=folder, env={**os.environ, **paths}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        printed[" ".join(arguments[:2])] = ended.stdout
    return printed


def test_its_task_ends_in_a_ranked_submission(done: dict[str, str]) -> None:
    assert re.search(r"All-Around by all around: majority.*\n1 +Ada", done["olympics leaderboard"], re.DOTALL)


def test_its_format_is_written(done: dict[str, str]) -> None:
    assert re.fullmatch(r"submission\.json\tvalid\t.*\n", done["olympics validate"])


def test_its_task_is_measured_as_ours_are(done: dict[str, str]) -> None:
    assert "majority: the strategy all_around beside the baseline" in done["olympics benchmark"]
