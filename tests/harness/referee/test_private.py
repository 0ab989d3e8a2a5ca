"""What nobody who enters has seen: files by their tasks, and what is asked of each task."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tinytorch.core.archive import archive_of
from tinytorch.datasets.digits import public_digits
from tinytorch.errors import UsageError
from tinytorch.harness.referee.private import private_files, questions
from tinytorch.workloads.registry import find_task


def zipped(content: bytes) -> bytes:
    """An archive whose member is called an array."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("images.npy", content)
    return made.getvalue()


ZIPPED = zipped(b"hello")
NESTED = zipped(b"\x93NUMPY\x01\x00" + (9_000).to_bytes(2, "little") + b"(" * 8_999 + b"\n")


@pytest.fixture
def own_digits(tmp_path: Path) -> Path:
    """Digits that are not public, as far as a random generator can make some."""
    images = np.random.default_rng(3).integers(0, 17, (120, 8, 8), np.uint8)
    path = tmp_path / "digits.npz"
    path.write_bytes(archive_of({"images": images, "labels": np.arange(120, dtype=np.uint8) % 10}))
    return path


def test_a_file_is_for_the_tasks_of_its_form(own_digits: Path) -> None:
    found = private_files([own_digits])

    assert set(found) == {"digits_mlp", "digits_cnn"}
    assert len({each.sha256 for each in found.values()}) == 1


def test_digits_that_are_public_are_refused(own_digits: Path) -> None:
    images = np.concatenate([public_digits()[:3], np.zeros((2, 8, 8), np.uint8)])
    own_digits.write_bytes(archive_of({"images": images, "labels": np.zeros(5, np.uint8)}))
    with pytest.raises(UsageError, match="3 of its 5 digits are in the public data"):
        private_files([own_digits])


def test_two_files_for_one_task_are_refused(own_digits: Path, tmp_path: Path) -> None:
    (tmp_path / "more.npz").write_bytes(own_digits.read_bytes())
    with pytest.raises(UsageError, match="both private data for digits_"):
        private_files([own_digits, tmp_path / "more.npz"])


@pytest.mark.parametrize("content", [b"", b"no archive", archive_of({"other": np.zeros(3)}), ZIPPED, NESTED])
def test_what_is_private_data_for_nothing_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.npz"):
        private_files([tmp_path / "x.npz"])


def test_private_digits_are_asked_where_there_are_some(own_digits: Path) -> None:
    task = find_task("digits_cnn")

    assert set(questions(task, {})) == {"untimed", "distorted"}
    assert questions(task, private_files([own_digits]))["private"].inputs.shape == (120, 1, 8, 8)


def test_prompts_that_are_drawn_are_private_by_themselves() -> None:
    asked = questions(find_task("tinygpt"), {})

    assert set(asked) == {"untimed", "private"}
    assert len(asked["private"]) == 128


def test_a_few_private_samples_are_refused_because_they_prove_nothing(own_digits: Path) -> None:
    images = np.random.default_rng(5).integers(0, 17, (2, 8, 8), np.uint8).repeat(100, axis=0)
    own_digits.write_bytes(archive_of({"images": images, "labels": np.zeros(200, np.uint8)}))
    with pytest.raises(UsageError, match="2 different samples for digits_"):
        private_files([own_digits])


def test_data_are_read_once_for_a_whole_class(own_digits: Path) -> None:
    files = private_files([own_digits])
    own_digits.write_bytes(b"")

    assert len(questions(find_task("digits_cnn"), files)["private"]) == 120
