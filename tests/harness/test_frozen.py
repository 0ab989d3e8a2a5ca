"""Frozen files: what is written is what is measured."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tinytorch.errors import ModelError, RunError
from tinytorch.files import sha256
from tinytorch.harness.frozen import Frozen
from tinytorch.workloads.models import load_model

CONTENTS = {"model": b"weights", "tools/__init__.py": b"code"}


@pytest.fixture
def frozen(tmp_path: Path) -> Frozen:
    return Frozen.of(tmp_path / "run", CONTENTS)


def test_the_files_are_there_with_their_digests(frozen: Frozen) -> None:
    assert {name: frozen.path(name).read_bytes() for name in CONTENTS} == CONTENTS
    assert frozen.digests["model"] == sha256(b"weights")


def test_nothing_may_be_written(frozen: Frozen) -> None:
    paths = [frozen.folder, frozen.path("tools"), *map(frozen.path, CONTENTS)]

    assert [path for path in paths if path.stat().st_mode & 0o222] == []


def test_unchanged_files_are_fine(frozen: Frozen) -> None:
    frozen.refuse_changes()


@pytest.mark.parametrize("content", [b"others", None])
def test_a_file_that_was_changed_or_removed_is_named(frozen: Frozen, content: bytes | None) -> None:
    path = frozen.path("model")
    path.chmod(0o644)
    path.parent.chmod(0o755)
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelError, match="copy of model was changed"):
        frozen.refuse_changes()


def test_an_artifact_with_another_digest_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(pickle.dumps([1]))

    assert load_model(str(tmp_path / "model"), sha256((tmp_path / "model").read_bytes())) == [1]
    with pytest.raises(RunError, match="not the file that was written"):
        load_model(str(tmp_path / "model"), "0" * 64)
