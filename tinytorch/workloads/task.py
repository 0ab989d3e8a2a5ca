"""A task: what is to be solved, with its data, its untrained model and its recipe. Adding one is one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.training import Trainer
from tinytorch.progress import Progress, silent

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
    """One task. `version` goes up whenever a change of data, model or recipe gives another baseline."""

    name: str
    title: str
    version: int
    load_data: Callable[[], Split]
    dataset_sha256: str
    build_model: Callable[[int], Sequential]
    recipe: Recipe
    expected_accuracy: float
    freshen: str | None = None  # address of a function that makes inputs which no model has seen, for timing


def train_baseline(task: Task, progress: Progress = silent) -> Sequential:
    """Train the task's model from its seed: the same weights every time on the same numpy and machine.

    One BLAS thread: products this small gain nothing from two, and on a shared machine two can stall each other.
    """
    train, _ = task.load_data()
    model = task.build_model(task.recipe.seed)
    with threadpool_limits(1, user_api="blas"):
        return fit(model, train, task.recipe, progress)


def fit(model: Sequential, train: TensorDataset, recipe: Recipe, progress: Progress = silent) -> Sequential:
    """Train `model` in place by `recipe` and hand it back, switched to inference."""
    loader = DataLoader(train, batch_size=recipe.batch_size, shuffle=True, seed=recipe.seed)
    optimizer = Adam(model.parameters(), lr=recipe.learning_rate)
    Trainer(model, optimizer, CrossEntropyLoss(), progress=progress).fit(loader, recipe.epochs)
    model.eval()
    return model
