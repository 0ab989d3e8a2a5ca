"""What is known of a task here: its data, its strategies and, where its baseline is trained, how that one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from pkgutil import resolve_name

from threadpoolctl import threadpool_limits

from tinytorch.benchmarking import integrity
from tinytorch.benchmarking.placements import Placements, Subjects
from tinytorch.competition.rules.events import load_rules
from tinytorch.core.metrics import correctness
from tinytorch.workloads.cache import find_baseline
from tinytorch.workloads.models import load_model
from tinytorch.workloads.task import Task, baseline_of

AT_A_TIME = 500  # samples of one inference


@dataclass(frozen=True)
class BaselineCard:
    """A first look at a trained baseline, with one thread: `call_ns` is the quickest of a few inferences."""

    accuracy: float
    parameters: int | None
    kept_bytes: int
    call_ns: int


@dataclass(frozen=True)
class StrategyCard:
    """A reference strategy, and what it costs."""

    name: str
    techniques: list[str]
    costs: str


@dataclass(frozen=True)
class TaskCard:
    """A task. `baseline` is None where it is not trained yet."""

    name: str
    title: str
    train_samples: int
    test_samples: int
    reference_accuracy: float | None
    strategies: list[StrategyCard]
    baseline: BaselineCard | None


def task_card(task: Task, cache_directory: Path | None = None) -> TaskCard:
    """The card of a task; nothing is trained for it."""
    train, test = task.load_data()
    builder = _builder(task, cache_directory)
    return TaskCard(
        name=task.name,
        title=task.title,
        train_samples=len(train),
        test_samples=len(test),
        reference_accuracy=load_rules().reference_accuracy.get(task.name),
        strategies=[StrategyCard(each.name, each.techniques, each.costs) for each in task.strategies],
        baseline=_look_at(builder, task) if builder else None,
    )


def _builder(task: Task, cache_directory: Path | None) -> Callable[[], object] | None:
    """What gives the baseline: from the weights that are shipped, or as it was trained here; None before that."""
    if task.weights_sha256 is not None:
        return partial(baseline_of, task)
    found = find_baseline(task, cache_directory)
    return partial(load_model, str(found.path), found.sha256) if found else None


def _look_at(builder: Callable[[], object], task: Task) -> BaselineCard:
    """In this process: a baseline is our own, and this is no measurement that anything is ranked by.

    The accuracy of weights that are shipped is the task's reference accuracy, to which tests hold it.
    """
    _, test = task.load_data()
    subjects = Subjects((builder,), test.inputs, True, resolve_name(task.freshen))
    with threadpool_limits(1, user_api="blas"):
        placements = Placements(subjects, 1, 0, integrity.snapshot())
        description, call_ns = placements.describe(0), placements.probe().call_ns[0]
        known = load_rules().reference_accuracy.get(task.name) if task.weights_sha256 else None
        if known is None:
            known = float(correctness(placements.predict(0, AT_A_TIME), test.labels).mean())
    return BaselineCard(known, description.parameters, description.kept_bytes, call_ns)
