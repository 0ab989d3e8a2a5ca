"""`digits_cnn`: the same handwritten digits as images, and a small convolutional network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.spatial import Conv2d, Flatten, MaxPool2d
from tinytorch.datasets.digits import DIGITS_SHA256, load_digits
from tinytorch.datasets.distorted import distorted
from tinytorch.datasets.private import private_digits
from tinytorch.workloads.strategies import FUSION, INT8, Step, Strategy, learned_codes, prune
from tinytorch.workloads.task import Recipe, Split, Task

IMAGE = (1, 8, 8)  # channels, rows, columns


def load_images() -> Split:
    """The two splits of the digits, inputs as float32 images (N, 1, 8, 8)."""
    return as_images(load_digits())


def load_private_images(path: Path) -> Split:
    """The same of a referee's own file."""
    return as_images(private_digits(path))


def as_images(splits: Split) -> Split:
    """Rows (N, 64) as images (N, 1, 8, 8)."""
    train, test = (TensorDataset(split.inputs.reshape(-1, *IMAGE), split.labels) for split in splits)
    return train, test


def build_model(seed: int) -> Sequential:
    """The untrained network conv 16, conv 32, pool, 64, 10: 38,282 parameters, 153,128 bytes."""
    generator = np.random.default_rng(seed)
    return Sequential(
        Conv2d(1, 16, kernel_size=3, padding=1, rng=generator),
        ReLU(),
        Conv2d(16, 32, kernel_size=3, padding=1, rng=generator),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(512, 64, rng=generator),
        ReLU(),
        Linear(64, 10, rng=generator),
    )


def in_stages(keep: float, learning_rate: float = 2e-3) -> Step:
    """Pruned to a share of the channels and neurons, a part of the way at a time."""
    return prune(keep, epochs=60, learning_rate=learning_rate, stages=3, stage_epochs=20, schedule="cosine")


SMALL = in_stages(0.125, learning_rate=4e-3)
TWO_POINTS = "two points of accuracy"
NOTHING = "nothing that the test set shows"
SLOW = "codes take more time than pruning saves"

TASK = Task(
    name="digits_cnn",
    title="Handwritten digits with a convolutional network",
    version=1,
    load_data=load_images,
    dataset_sha256=DIGITS_SHA256,
    build_model=build_model,
    recipe=Recipe(epochs=20, batch_size=64, learning_rate=1e-3, seed=0),
    freshen="tinytorch.datasets.digits:with_noise",
    distort=distorted,
    load_private=load_private_images,
    strategies=(
        Strategy("latency_sprint", (SMALL, FUSION), TWO_POINTS),
        Strategy("memory_challenge", (SMALL, learned_codes(2, epochs=30)), f"five points of accuracy; {SLOW}"),
        Strategy("accuracy_contest", (prune(0.75, epochs=20, learning_rate=1e-3),), NOTHING),
        Strategy("all_around", (in_stages(0.25), INT8, FUSION), NOTHING),
        Strategy("extreme_push", (SMALL, INT8, FUSION), TWO_POINTS),
        Strategy("planned", (FUSION,), "memory: intermediate results are kept"),
        Strategy("int8", (INT8,), "time: codes become floats in every call"),
    ),
)
