"""Redrawn baselines: from seeds that nobody knows, trained once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.small_task import TASK
from tinytorch.errors import SetupMissingError
from tinytorch.files import atomic_write
from tinytorch.harness.referee import redraw as module
from tinytorch.harness.referee.redraw import Redraws
from tinytorch.workloads.task import train_baseline


class Quick:
    """In the place of a worker: it notes what it is asked, and writes the seed."""

    asked: ClassVar[list[int]] = []

    def __init__(self, service: str, environment: Any) -> None: ...
    def post(self, method: str, limit_s: float, observed: bool, task: str, seed: int, path: str) -> None:
        self.asked.append(seed)
        atomic_write(Path(path), str(seed).encode())

    def result(self, progress: Any) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(module, "Worker", Quick)
    monkeypatch.setattr(Quick, "asked", [])
    return Quick.asked


def test_they_are_trained_once(tmp_path: Path, asked: list[int]) -> None:
    first, second = (Redraws(b"secret", tmp_path).of(TASK) for _ in range(2))

    assert first == second == {seed: str(seed).encode() for seed in asked}
    assert len(asked) == 2


def test_another_secret_has_other_seeds() -> None:
    one, other = (set(Redraws(secret).seeds(TASK)) for secret in (b"one", b"other"))

    assert len(one | other) == 4


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, asked: list[int]) -> None:
    (tmp_path / "redrawn").write_text("")
    with pytest.raises(SetupMissingError, match="cannot be kept"):
        Redraws(b"secret", tmp_path).of(TASK)


def test_another_seed_gives_another_baseline() -> None:
    first, second = (next(iter(train_baseline(TASK, seed=seed).parameters())).data for seed in (1, 2))

    assert (first != second).any()
