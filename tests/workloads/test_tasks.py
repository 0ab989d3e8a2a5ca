"""Every task of the table: complete, with inputs nobody has seen, and strategies that qualify."""

from __future__ import annotations

import pickle
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
import pytest

from tinytorch.benchmarking.footprint import footprint
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.rules.tasks import facts_of
from tinytorch.core.layers import layer_kinds, parameter_count
from tinytorch.core.metrics import accuracy
from tinytorch.core.tensor import Tensor, no_grad
from tinytorch.datasets import fashion
from tinytorch.datasets.shipped import shipped_arrays
from tinytorch.datasets.words import text_of
from tinytorch.errors import UsageError
from tinytorch.units import megabytes
from tinytorch.workloads.cache import cached_baseline
from tinytorch.workloads.models import load_model
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.strategies import apply

MARGIN = 0.02  # of accuracy in points, of memory a share; times are for the benchmark
CLOSE_MARGIN = 0.005  # of accuracy where it is near the limit on purpose: 4,000 pictures or 16,384 tokens tell it


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_listed_under_its_name_and_has_a_strategy_for_every_event(name: str) -> None:
    task = find_task(name)

    assert task.name == name
    assert {strategy.name for strategy in task.strategies} >= set(OlympicEvent)


@pytest.mark.parametrize("name", TASKS)
def test_what_every_judge_knows_of_a_task_is_so(name: str) -> None:
    """Its data, and its baseline with what that keeps after an inference; training changes none of it."""
    task, facts = find_task(name), facts_of(name)
    _, test = task.load_data()
    baseline: Any = pickle.loads(pickle.dumps(task.build_model(0).eval()))
    with no_grad():
        baseline(Tensor(test.inputs[:1]))

    assert (facts.dataset_sha256, facts.test_samples) == (task.dataset_sha256, test.labels.size)
    assert facts.classes == (task.vocabulary or test.labels.max() + 1)
    assert (facts.parameters, facts.layer_kinds) == (parameter_count(baseline), layer_kinds(baseline))
    assert facts.kept_bytes == footprint(baseline).kept_bytes


def test_of_another_task_nothing_is_known() -> None:
    assert facts_of("mine") is None


@pytest.mark.parametrize("name", TASKS)
def test_the_splits_share_no_sample(name: str) -> None:
    train, test = find_task(name).load_data()
    known = {row.tobytes() for row in train.inputs[..., : test.inputs.shape[-1]]}

    assert [row for row in test.inputs if row.tobytes() in known] == []


@pytest.mark.parametrize("name", TASKS)
def test_what_is_timed_nobody_has_seen(name: str) -> None:
    task = find_task(name)
    _, test = task.load_data()
    freshen, generator = resolve_name(task.freshen), np.random.default_rng(0)
    first, second = freshen(test.inputs, generator), freshen(test.inputs, generator)

    assert (first.shape, first.dtype) == (test.inputs.shape, test.inputs.dtype)
    for one, other in ((first, second), (first, test.inputs)):
        assert {row.tobytes() for row in one} & {row.tobytes() for row in other} == set()


@pytest.mark.parametrize("name", TASKS)
def test_new_inputs_for_timing_need_no_file_of_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A box hides them."""
    task = find_task(name)
    _, test = task.load_data()
    freshen = resolve_name(task.freshen)
    for kept in (shipped_arrays, text_of):
        kept.cache_clear()
    monkeypatch.setattr(Path, "read_bytes", lambda path: (_ for _ in ()).throw(PermissionError(path)))

    assert freshen(test.inputs[:1], np.random.default_rng(0)).shape == test.inputs[:1].shape


QUICK = {"digits_cnn"}  # the others fine-tune for long; tests/test_capstone.py has those of digits_mlp
EVERY = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in TASKS]


@pytest.mark.parametrize("name", EVERY)
def test_every_event_s_strategy_qualifies_with_margin_in_the_closed_division(name: str, cache_directory) -> None:
    task = find_task(name)
    train, test = task.load_data()
    path = str(cached_baseline(task, directory=cache_directory).path)
    baseline = load_model(path)

    assert abs(accuracy(baseline, test) - load_rules().reference_accuracy[name]) < 0.01
    made = {"()": pickle.dumps(baseline)}  # what strategies have in common is made once
    margin = MARGIN if task.weights_sha256 is None else CLOSE_MARGIN
    for event in OlympicEvent:
        steps = task.strategy(event).steps
        for number, step in enumerate(steps):
            if repr(steps[: number + 1]) not in made:
                before = pickle.loads(made[repr(steps[:number])])
                made[repr(steps[: number + 1])] = pickle.dumps(apply([step], before, train))
        model = pickle.loads(made[repr(steps)])
        with no_grad():
            model(test.inputs[:1])
        assert layer_kinds(model) == layer_kinds(baseline), event
        for constraint in load_rules().events[event].constraints:
            if constraint.metric == "accuracy":
                assert accuracy(model, test) >= constraint.limit + margin, event
            if constraint.metric == "memory":
                assert megabytes(footprint(model).kept_bytes) < constraint.limit * (1 - MARGIN), event


def test_a_strategy_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="digits_cnn has no reference strategy 'int9'") as caught:
        find_task("digits_cnn").strategy("int9")

    assert "int8" in caught.value.mend


def test_new_samples_are_changed_in_many_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of the function changes all its pictures alike, so that it gets a few at a time."""
    groups: list[int] = []

    def counted(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        groups.append(len(images))
        return images

    monkeypatch.setattr(fashion, "other_pictures", counted)
    fresh = find_task("fashion_mlp").fresh_samples(np.random.default_rng(0))

    assert sum(groups) == len(fresh) == 1000
    assert max(groups) <= 20
