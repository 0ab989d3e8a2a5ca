"""What the processes of a run are given, and what they are not: the labels of the test split."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from tinytorch.benchmarking.session import Settings
from tinytorch.harness.contender import Challenge, Contender
from tinytorch.harness.frozen import BASELINE, INPUTS, TRAINING
from tinytorch.harness.prepare import Prepared, prepared
from tinytorch.workloads.strategies import BASELINE as UNCHANGED
from tinytorch.workloads.task import Task

LISTING = """
from pathlib import Path
import numpy as np
def optimize(model, train_data):
    model.seen = sorted(path.name for path in Path(__file__).parents[1].rglob("*") if path.is_file())
    model.shapes = train_data.inputs.shape, train_data.labels.shape
    with np.load(Path(__file__).parents[1] / "given" / "training.npz") as arrays:
        model.training = {name: arrays[name] for name in arrays}
    return model
"""


@pytest.fixture
def ready(small_task: Task, tmp_path: Path, tiny_tier, cache_directory: Path):
    path = tmp_path / "entry.py"
    path.write_text(LISTING)
    with prepared(Challenge(small_task, Contender.entry(path), Settings(tiny_tier), 60, cache_directory)) as made:
        yield made


def test_measuring_processes_get_inputs_without_labels(ready: Prepared, small_task: Task) -> None:
    _, test = small_task.load_data()
    contents = [ready.frozen.path(name).read_bytes() for name in ready.frozen.digests]

    np.testing.assert_array_equal(np.load(ready.frozen.path(INPUTS))[: len(test)], test.inputs)
    assert not any(np.ascontiguousarray(test.labels).tobytes() in content for content in contents)
    assert TRAINING not in ready.frozen.digests


def test_behind_the_test_set_come_inputs_that_nobody_has_seen(ready: Prepared, small_task: Task) -> None:
    """With right answers of their own, which the same task gives at no other time."""
    _, test = small_task.load_data()
    fresh = np.load(ready.frozen.path(INPUTS))[len(test) :]

    assert len(fresh) == len(ready.truth.fresh) == len(test) // 4
    assert not np.array_equal(fresh, test.inputs[: len(fresh)])


def test_an_entry_is_built_from_the_training_split_and_no_other(ready: Prepared, small_task: Task) -> None:
    train, _ = small_task.load_data()
    built = pickle.loads(ready.built.content)

    assert {BASELINE, TRAINING} <= set(built.seen)
    assert INPUTS not in built.seen
    assert built.shapes == (train.inputs.shape, train.labels.shape)
    assert {*built.training} == {"inputs", "labels"}
    np.testing.assert_array_equal(built.training["labels"], train.labels)


def test_what_measures_lies_in_a_folder_that_optimize_never_saw(ready: Prepared) -> None:
    assert [path.name for path in ready.folder.iterdir()] == ["run"]


def test_all_of_it_is_gone_afterwards(small_task: Task, tiny_tier, cache_directory: Path) -> None:
    contender = Contender.reference(UNCHANGED)
    with prepared(Challenge(small_task, contender, Settings(tiny_tier), 60, cache_directory)) as made:
        folder = made.folder
        assert folder.is_dir()

    assert not folder.exists()


def test_a_strategy_of_no_steps_is_the_baseline_itself(small_task: Task, tiny_tier, cache_directory: Path) -> None:
    contender = Contender.reference(UNCHANGED)
    with prepared(Challenge(small_task, contender, Settings(tiny_tier), 60, cache_directory)) as made:
        assert made.built.content == made.baseline
        assert made.built.declared.techniques == []
