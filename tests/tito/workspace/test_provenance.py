"""The commit that an entry is submitted from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tinytorch.benchmarking.schedule import TIERS
from tito.workspace.provenance import provenance

SOURCES = ["entry.py", "helper.py"]
GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run([*GIT, "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, with an entry in it."""
    folder = tmp_path / "a repository"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "entry.py").write_text("def optimize(model, train_data):\n    return model\n")
    git(folder, "add", "entry.py")
    git(folder, "commit", "-qm", "my entry")
    return folder


def test_a_commit_is_named(repository: Path) -> None:
    found = provenance(SOURCES, repository)

    assert (found.commit, found.is_dirty) == (git(repository, "rev-parse", "HEAD"), False)


def test_what_is_not_committed_is_said(repository: Path) -> None:
    (repository / "entry.py").write_text("changed")

    assert provenance(SOURCES, repository).is_dirty


@pytest.mark.parametrize(
    ("file", "is_dirty"), [(".tito/runs/run.json", False), ("submission.json", False), ("new/helper.py", True)]
)
def test_what_git_does_not_know_counts_where_it_is_a_source(repository: Path, file: str, is_dirty: bool) -> None:
    (repository / file).parent.mkdir(parents=True, exist_ok=True)
    (repository / file).write_text("new")

    assert provenance(SOURCES, repository).is_dirty == is_dirty


def test_without_a_repository_or_a_commit_there_is_nothing(tmp_path: Path) -> None:
    assert provenance(SOURCES, tmp_path) is None
    git(tmp_path, "init", "-q")
    assert provenance(SOURCES, tmp_path) is None


def test_without_git_there_is_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert provenance(SOURCES, repository) is None


def test_an_entry_is_submitted_with_its_commit(
    repository: Path, tito, tiny_tier, cache_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TIERS, "fast", tiny_tier)
    monkeypatch.chdir(repository)
    monkeypatch.setenv("TITO_CACHE", str(cache_directory))
    assert tito("benchmark", "--entry", "entry.py", "--tier", "fast").code == 0
    tito("submit", "--event", "all_around")
    document = json.loads((repository / "submission.json").read_text())

    assert document["declaration"]["provenance"] == {"commit": git(repository, "rev-parse", "HEAD"), "is_dirty": False}
    (check,) = [row for row in tito("validate", "--json").json["results"][0]["checks"] if row["id"] == "TO-D07"]
    assert check["passed"]
