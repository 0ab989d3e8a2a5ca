"""`tito olympics private`: one file, and what the baselines have right there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.test_private import some_text
from tinytorch.datasets.words import TEST_PROMPTS
from tinytorch.workloads import registry
from tinytorch.workloads.registry import find_task


@pytest.fixture
def text(beginner: Path) -> Path:
    path = beginner / "text.txt"
    path.write_text(some_text(3_000))
    return path


def test_a_private_text_is_made_and_the_baseline_is_asked(text: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinytorch.datasets.words.TEST_PROMPTS", 8)
    done = tito("private", "make", "words", "--from", str(text), "-o", "private.npz", "--json").json
    (row,) = done["tasks"]

    assert (row["task"], row["test_samples"]) == ("words", 8 * 64)
    assert 0.5 < row["accuracy"] < 1  # of words that it knows, in an order that makes no sense
    assert len(find_task("words").private_data(Path(done["file"]))[1]) == 8 < TEST_PROMPTS


def test_what_is_there_stays_unless_forced(text: Path, tito) -> None:
    Path("private.npz").write_text("mine")
    done = tito("private", "make", "words", "--from", str(text), "-o", "private.npz")

    assert (done.code, Path("private.npz").read_text()) == (2, "mine")
    assert "--force" in done.err


@pytest.mark.parametrize("data", ["fashion", "words"])
def test_a_source_that_is_not_there_is_named(beginner: Path, tito, data: str) -> None:
    done = tito("private", "make", data, "--from", "nowhere", "-o", "private.npz")

    assert (done.code, "nowhere" in done.err, Path("private.npz").exists()) == (2, True, False)


def test_a_task_without_private_data_says_so() -> None:
    tasks = {name: find_task(name).load_private for name in registry.TASKS}

    assert [name for name, load in tasks.items() if load] == [
        "fashion_mlp",
        "fashion_cnn",
        "words",
        "digits_mlp",
        "digits_cnn",
    ]


@pytest.mark.parametrize("output", ["text.txt", "folder"])
def test_the_source_and_what_is_no_file_are_never_replaced(text: Path, tito, output: str) -> None:
    Path("folder").mkdir()
    before = text.read_bytes()
    done = tito("private", "make", "words", "--from", str(text), "-o", output, "--force")

    assert (done.code, "is not to be replaced" in done.err) == (2, True)
    assert (text.read_bytes(), Path("folder").is_dir()) == (before, True)
