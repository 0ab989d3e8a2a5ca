"""A task: what is to be solved, with its data, its untrained model and its recipe. Adding one is one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Layer
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.training import Trainer
from tinytorch.errors import UsageError
from tinytorch.progress import Progress, silent
from tinytorch.text import nearest
from tinytorch.workloads.strategies import Strategy

Split = tuple[TensorDataset, TensorDataset]  # train, test


@dataclass(frozen=True)
class Recipe:
    """How the baseline is trained: Adam on cross entropy, seeded."""

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Task:
    """One task. `version` goes up whenever a change of data, model or recipe gives another baseline.

    `freshen` is the address of a function that makes inputs like the given ones, which no model has seen, for timing.
    With a `vocabulary` the answers are so many tokens, from 0 on, else scores of classes.
    """

    name: str
    title: str
    version: int
    load_data: Callable[[], Split]
    dataset_sha256: str
    build_model: Callable[[int], Layer]
    recipe: Recipe
    expected_accuracy: float
    freshen: str
    vocabulary: int | None = None
    strategies: tuple[Strategy, ...] = ()

    def strategy(self, name: str) -> Strategy:
        """The reference strategy called `name`; UsageError with the nearest name when there is none."""
        known = {strategy.name: strategy for strategy in self.strategies}
        if name not in known:
            mend = nearest(name, known) if known else "give an entry of your own with --entry FILE"
            raise UsageError(f"the task {self.name} has no reference strategy {name!r}", mend=mend)
        return known[name]


def train_baseline(task: Task, progress: Progress = silent) -> Layer:
    """Train the task's model from its seed: the same weights every time on the same numpy and machine.

    One BLAS thread: products this small gain nothing from two, and on a shared machine two can stall each other.
    """
    train, _ = task.load_data()
    model = task.build_model(task.recipe.seed)
    with threadpool_limits(1, user_api="blas"):
        return fit(model, train, task.recipe, progress)


def fit(model: Layer, train: TensorDataset, recipe: Recipe, progress: Progress = silent) -> Layer:
    """Train `model` in place by `recipe` and hand it back, switched to inference."""
    loader = DataLoader(train, batch_size=recipe.batch_size, shuffle=True, seed=recipe.seed)
    optimizer = Adam(model.parameters(), lr=recipe.learning_rate)
    Trainer(model, optimizer, CrossEntropyLoss(), progress=progress).fit(loader, recipe.epochs)
    model.eval()
    return model
