"""Baselines that are shipped: those of the record, as accurate as the rules say, and made again by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.workloads.trivial import DEFAULT_TASKS
from tinytorch.competition.rules.events import load_rules
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.metrics import accuracy
from tinytorch.core.model import parameter_count
from tinytorch.core.state import state_dict
from tinytorch.errors import SetupMissingError
from tinytorch.files import sha256
from tinytorch.workloads import task as tasks
from tinytorch.workloads import train
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import BASELINES, Recipe, baseline_of

RECORD = [json.loads(line) for line in (BASELINES / "record.jsonl").read_text().splitlines()]
ASKED = 500  # pictures; of prompts a sixteenth


@pytest.mark.parametrize("line", RECORD, ids=lambda line: line["task"])
def test_the_record_is_of_the_file_that_is_shipped(line: dict[str, object]) -> None:
    task, content = find_task(line["task"]), (BASELINES / f"{line['task']}.npz").read_bytes()

    assert line["sha256"] == task.weights_sha256 == sha256(content)
    assert line["accuracy_as_float16"] == pytest.approx(load_rules().reference_accuracy[line["task"]], abs=6e-4)
    assert line["parameters"] == parameter_count(baseline_of(task))


def test_there_is_a_record_of_every_shipped_baseline() -> None:
    assert [line["task"] for line in RECORD] == DEFAULT_TASKS


@pytest.mark.parametrize("name", DEFAULT_TASKS)
def test_a_shipped_baseline_is_as_accurate_as_its_record_says(name: str) -> None:
    _, test = find_task(name).load_data()
    some = ASKED if name != "words" else ASKED // 16
    share = accuracy(baseline_of(find_task(name)), TensorDataset(test.inputs[:some], test.labels[:some]))

    assert share == pytest.approx(load_rules().reference_accuracy[name], abs=0.03)


def test_a_shipped_baseline_is_the_same_to_the_bit_each_time() -> None:
    first, second = (state_dict(baseline_of(find_task("fashion_mlp"))) for _ in range(2))

    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert all((array == array.astype(np.float16)).all() for array in first.values())


def test_weights_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fashion_mlp.npz").write_bytes(b"other")
    monkeypatch.setattr(tasks, "BASELINES", tmp_path)

    with pytest.raises(SetupMissingError, match="is damaged"):
        baseline_of(find_task("fashion_mlp"))


def test_training_writes_the_archive_that_its_line_speaks_of(
    tmp_path: Path, small_task: tasks.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = replace(small_task, recipe=Recipe(2, 32, 5e-3, seed=0, weight_decay=0.1))
    monkeypatch.setattr(train, "find_task", lambda name: quick)
    line = train.made("small_task", tmp_path / "weights.npz")
    shipped = replace(quick, weights_sha256=line["sha256"])
    (tmp_path / "weights.npz").rename(tmp_path / f"{quick.name}.npz")
    monkeypatch.setattr(tasks, "BASELINES", tmp_path)

    assert accuracy(baseline_of(shipped), quick.load_data()[1]) == line["accuracy_as_float16"]


@pytest.mark.slow
@pytest.mark.parametrize("name", DEFAULT_TASKS)
def test_a_baseline_can_be_made_again(name: str, tmp_path: Path) -> None:
    """By hand: `python -m pytest -m slow`. Minutes for each; other processors round differently."""
    line = train.made(name, tmp_path / "weights.npz")

    assert line["accuracy_as_float16"] == pytest.approx(load_rules().reference_accuracy[name], abs=0.01)
