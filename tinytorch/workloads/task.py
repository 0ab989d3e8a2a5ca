"""A task: what is to be solved, with its data, its untrained model and its recipe. Adding one is one record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tinytorch.core.dataloader import DataLoader, TensorDataset, Transform
from tinytorch.core.layers import Layer
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.ops import Array
from tinytorch.core.optimizers import Adam, AdamW
from tinytorch.core.schedules import CosineSchedule, falling_rate
from tinytorch.core.state import load_state_dict
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.datasets.shipped import shipped_arrays
from tinytorch.errors import UsageError
from tinytorch.progress import Progress, silent
from tinytorch.showing import nearest
from tinytorch.workloads.strategies import Strategy

Split = tuple[TensorDataset, TensorDataset]  # train, test
BASELINES = Path(__file__).with_name("baselines")
FRESH_PART = 4  # of the test set: one new sample for so many
FRESHENED_ALIKE = 20  # new inputs that may be changed in the same way


@dataclass(frozen=True)
class Recipe:
    """How the baseline is trained: Adam on cross entropy, seeded, on batches that `transforms` change.

    With a `weight_decay` it is AdamW, whose learning rate rises for an epoch and then falls along a cosine.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    weight_decay: float | None = None
    transforms: tuple[Transform, ...] = ()


def fit(model: Layer, train: TensorDataset, recipe: Recipe, progress: Progress = silent) -> Layer:
    """Train `model` in place by `recipe` and hand it back, switched to inference."""
    loader = DataLoader(train, recipe.batch_size, shuffle=True, seed=recipe.seed, transforms=recipe.transforms)
    optimizer, schedule = steps_of(recipe, model.parameters())
    Trainer(model, optimizer, CrossEntropyLoss(), schedule, progress=progress).fit(loader, recipe.epochs)
    return model.eval()


def steps_of(recipe: Recipe, parameters: Iterable[Tensor]) -> tuple[Adam, CosineSchedule | None]:
    """The optimizer of a recipe, and what sets its learning rate."""
    rate = recipe.learning_rate
    if recipe.weight_decay is None:
        return Adam(parameters, lr=rate), None
    schedule = falling_rate(rate, recipe.epochs, warmup_epochs=1)
    return AdamW(parameters, lr=rate, weight_decay=recipe.weight_decay), schedule


@dataclass(frozen=True)
class Task:
    """One task. `version` goes up whenever a change of data, model or recipe gives another baseline.

    `freshen` is the address of a function that makes inputs like the given ones, which no model has seen, for timing.
    `fresh` makes so many new samples with their answers, where those of the test set do not stay right.
    Weights with the digest `weights_sha256` are shipped as `baselines/NAME.npz` (float16); without one it is trained.
    `load_private` reads a referee's own data: a file of the same form, none of whose samples is public.
    A task that `is_drawn` needs none: its samples are random, and new ones are as private as any.
    `distort` changes inputs a little, so that their answers stay: who learnt them by heart is wrong more often.
    `data_files` have answers to test with in them: no box shows them. Those of the tasks here are known anyway.
    With a `vocabulary` the answers are so many tokens, from 0 on, else scores of classes.
    """

    name: str
    title: str
    version: int
    load_data: Callable[[], Split]
    dataset_sha256: str
    build_model: Callable[[int], Layer]
    recipe: Recipe
    freshen: str
    vocabulary: int | None = None
    fresh: Callable[[int, np.random.Generator], TensorDataset] | None = None
    weights_sha256: str | None = None
    load_private: Callable[[Path], Split] | None = None
    is_drawn: bool = False
    distort: Callable[[Array, np.random.Generator], Array] | None = None
    data_files: tuple[Path, ...] = ()
    fit: Callable[[Any, TensorDataset, Recipe, Progress], Layer] = fit
    strategies: tuple[Strategy, ...] = ()

    def private_data(self, path: Path) -> Split:
        """Both splits of a referee's own file; UsageError where it is none, or the task takes no such files."""
        if self.load_private is None:
            mend = "choose another task: tito olympics private --help names those with private data"
            raise UsageError(f"the task {self.name} has no private data", mend=mend)
        return self.load_private(path)

    def fresh_samples(self, generator: np.random.Generator) -> TensorDataset:
        """New inputs with their answers, a quarter as many as there are in the test set."""
        _, test = self.load_data()
        return self.new_samples(max(1, len(test) // FRESH_PART), generator)

    def new_samples(self, count: int, generator: np.random.Generator) -> TensorDataset:
        """So many new inputs with their answers, like those of the test set."""
        if self.fresh is not None:
            return self.fresh(count, generator)
        _, test = self.load_data()
        again = [generator.permutation(len(test)) for _ in range(-(-count // len(test)))]
        freshen, chosen = resolve_name(self.freshen), np.concatenate(again)[:count]
        groups = np.array_split(chosen, len(chosen) // FRESHENED_ALIKE + 1)
        inputs = np.concatenate([freshen(test.inputs[group], generator) for group in groups])
        return TensorDataset(inputs, test.labels[chosen])

    def strategy(self, name: str) -> Strategy:
        """The reference strategy called `name`; UsageError with the nearest name when there is none."""
        known = {strategy.name: strategy for strategy in self.strategies}
        if name not in known:
            mend = nearest(name, known) if known else "give an entry of your own with --entry FILE"
            raise UsageError(f"the task {self.name} has no reference strategy {name!r}", mend=mend)
        return known[name]


def baseline_of(task: Task, progress: Progress = silent) -> Layer:
    """The task's baseline: with the weights that are shipped, where there are some, else trained."""
    if task.weights_sha256 is None:
        return train_baseline(task, progress)
    model = task.build_model(task.recipe.seed)
    load_state_dict(model, shipped_arrays(BASELINES / f"{task.name}.npz", task.weights_sha256))
    return model.eval()


def train_baseline(task: Task, progress: Progress = silent, seed: int | None = None) -> Layer:
    """Train the task's model from its seed, or another: the same weights every time on the same numpy and machine.

    One BLAS thread: products this small gain nothing from two, and on a shared machine two can stall each other.
    """
    train, _ = task.load_data()
    recipe = task.recipe if seed is None else replace(task.recipe, seed=seed)
    model = task.build_model(recipe.seed)
    with threadpool_limits(1, user_api="blas"):
        return task.fit(model, train, recipe, progress)
