"""Ten answers without a thought for each default task: none may stand above an honest strategy.

    python -m tests.workloads.trivial

shows what each of them has right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.metrics import accuracy
from tinytorch.core.tensor import Tensor
from tinytorch.datasets.words import LETTERS, PLACES
from tinytorch.perf.compression import prune_neurons, prune_transformer
from tinytorch.workloads.registry import TASKS, find_task
from tinytorch.workloads.task import Recipe, Task, baseline_of, fit

DEFAULT_TASKS = [name for name in TASKS if find_task(name).weights_sha256]
CLASSES = 10


class Answering(Layer):
    """A model that is a function of inputs (N, ...) as an array, and keeps arrays."""

    def __init__(self, answer: Callable[[np.ndarray], np.ndarray], *kept: np.ndarray) -> None:
        self.answer, self.kept = answer, kept

    def forward(self, inputs: Tensor) -> Tensor:
        return Tensor(self.answer(inputs.data))


@dataclass(frozen=True)
class Trivial:
    """An entry by its name; `kept_bytes` are those of its arrays, and code counts nothing."""

    name: str
    division: str
    model: Any
    kept_bytes: int


def trivial_entries(name: str) -> Iterator[Trivial]:
    """The ten of a task."""
    task = find_task(name)
    yield from text_entries(*task.load_data()) if task.vocabulary else picture_entries()
    yield from closed_entries(task)


def opened(name: str, answer: Callable[[np.ndarray], np.ndarray], *kept: np.ndarray) -> Trivial:
    return Trivial(name, "open", Answering(answer, *kept), max(1, sum(array.nbytes for array in kept)))


@cache
def picture_entries() -> list[Trivial]:
    """The same for both tasks with pictures: rows and images are looked at alike."""
    return [*_picture_entries(*find_task("fashion_mlp").load_data())]


def _picture_entries(train: TensorDataset, test: TensorDataset) -> Iterator[Trivial]:
    constant = np.eye(CLASSES, dtype=np.float32)[:1]
    yield opened("always the same class", lambda x: np.repeat(constant, len(x), axis=0), constant)
    for name, side in (("a linear model", 1), ("a linear model of 14x14 means", 2), ("a linear model of 7x7 means", 4)):
        weight = linear(means(train.inputs, side), train.labels)
        yield opened(name, lambda x, side=side, weight=weight: with_ones(means(x, side)) @ weight, weight)
    centroids = np.stack(
        [train.inputs[train.labels == label].reshape(-1, 784).mean(axis=0) for label in range(CLASSES)]
    )
    squares = np.square(centroids).sum(axis=1)
    yield opened("the nearest centroid", lambda x: 2 * x.reshape(-1, 784) @ centroids.T - squares, centroids)
    yield looked_up(test, np.eye(CLASSES, dtype=np.float32)[test.labels], constant)


def text_entries(train: TensorDataset, test: TensorDataset) -> Iterator[Trivial]:
    zeros = np.full((1, 64), LETTERS)
    yield opened("always a word's beginning", lambda x: np.repeat(zeros, len(x), axis=0))
    fours = (np.arange(64) % 4 + LETTERS)[None]
    yield opened("words of four letters", lambda x: np.repeat(fours, len(x), axis=0))
    letters, places = train.inputs[:, :64], train.labels - LETTERS
    usual = most_frequent(letters, places, LETTERS)
    yield opened("the usual place of a letter", lambda x: usual[x] + LETTERS, usual.astype(np.uint8))
    pairs = most_frequent(paired(letters), places == 0, LETTERS**2)
    yield opened("a table of letter pairs", lambda x: counted(pairs[paired(x)]), np.packbits(pairs.astype(bool)))
    yield opened("reversed", lambda x: np.minimum(x[:, ::-1], PLACES - 1) + LETTERS)
    yield looked_up(test, test.labels, zeros)


def closed_entries(task: Task) -> Iterator[Trivial]:
    """Made of the baseline, without training."""
    baseline = baseline_of(task)
    if task.vocabulary:
        models = {
            "one head, one neuron": prune_transformer(baseline, heads=1, hidden=1),
            "one head": prune_transformer(baseline, heads=1),
            "one neuron": prune_transformer(baseline, hidden=1),
        }
    else:
        models = {f"{keep} neuron(s) a layer": prune_neurons(baseline, keep=keep) for keep in (1, 4, 16)}  # fmt: skip
    for name, model in models.items():
        yield Trivial(name, "closed", model, sum(array.nbytes for array in model.weights()) // 8)  # as if in 4 bits
    silent = baseline_of(task)
    for array in silent.weights():
        if array.ndim > 1:
            array[...] = 0
    yield Trivial("no weights, biases only", "closed", silent, 4 * CLASSES)


def looked_up(test: TensorDataset, answers: np.ndarray, otherwise: np.ndarray) -> Trivial:
    """A dictionary of the test set's answers, of which only a hash of each sample and its answer are counted."""
    table = {row.tobytes(): answer for row, answer in zip(test.inputs, answers, strict=True)}

    def answer(inputs: np.ndarray) -> np.ndarray:
        return np.stack([table.get(row.tobytes(), otherwise[0]) for row in inputs])

    return Trivial("a lookup of the test set", "open", Answering(answer), len(table) * (8 + answers[0].size))


def means(images: np.ndarray, side: int) -> np.ndarray:
    """Of squares of `side` pixels: (N, (28 / side)^2)."""
    rows = images.reshape(-1, 28 // side, side, 28 // side, side)
    return rows.mean(axis=(2, 4)).reshape(len(images), -1)


def with_ones(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows, np.ones((len(rows), 1), rows.dtype)], axis=1)


def linear(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights (features + 1, classes) of a linear model on cross entropy."""
    model = Linear(rows.shape[1] + 1, CLASSES, bias=False, rng=np.random.default_rng(0))
    recipe = Recipe(epochs=4, batch_size=128, learning_rate=5e-3, seed=0, weight_decay=0.01)
    return fit(model, TensorDataset(with_ones(rows), labels), recipe).weight.data


def paired(letters: np.ndarray) -> np.ndarray:
    """Each letter with the one before it, as one number."""
    before = np.concatenate([letters[:, :1], letters[:, :-1]], axis=1)
    return before * LETTERS + letters


def most_frequent(keys: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """For each key the value that comes with it most often (count,)."""
    table = np.zeros((count, PLACES), int)
    np.add.at(table, (keys, values.astype(int)), 1)
    return table.argmax(axis=1)


def counted(begins: np.ndarray) -> np.ndarray:
    """Places in words that begin where `begins` (N, 64) says, the first anyway."""
    place = np.arange(64)
    began = np.maximum.accumulate(np.where(begins.astype(bool), place, 0), axis=1)
    return np.minimum(place - began, PLACES - 1) + LETTERS


def main() -> None:
    """A table of Markdown: what each entry has right, of the test set and of new samples, and what it keeps."""
    print("| task | division | entry | test set | new samples | bytes |\n|---|---|---|---|---|---|")
    for name in DEFAULT_TASKS:
        _, test = find_task(name).load_data()
        fresh = find_task(name).fresh_samples(np.random.default_rng(0))
        for entry in trivial_entries(name):
            shares = " | ".join(f"{100 * accuracy(entry.model, samples):.1f} %" for samples in (test, fresh))
            print(f"| `{name}` | {entry.division} | {entry.name} | {shares} | {entry.kept_bytes:,} |", flush=True)


if __name__ == "__main__":
    main()
