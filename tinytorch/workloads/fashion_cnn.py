"""`fashion_cnn`: the same pictures of clothes as images, and a small convolutional network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.spatial import Conv2d, Flatten, MaxPool2d
from tinytorch.datasets.distorted import distorted
from tinytorch.datasets.fashion import AUGMENTATION, FASHION_SHA256, load_fashion
from tinytorch.datasets.private import private_pictures
from tinytorch.workloads.fashion_mlp import codes, in_stages, tuned
from tinytorch.workloads.strategies import FUSION, INT8, Strategy
from tinytorch.workloads.task import Recipe, Split, Task

IMAGE = (1, 28, 28)  # channels, rows, columns


def load_images() -> Split:
    """The two splits of the pictures, inputs as float32 images (N, 1, 28, 28)."""
    return as_images(load_fashion())


def load_private_images(path: Path) -> Split:
    """The same of a referee's own file."""
    return as_images(private_pictures(path))


def as_images(splits: Split) -> Split:
    """Rows (N, 784) as images (N, 1, 28, 28)."""
    train, test = (TensorDataset(split.inputs.reshape(-1, *IMAGE), split.labels) for split in splits)
    return train, test


def build_model(seed: int) -> Sequential:
    """The untrained network conv 16, pool, conv 40, pool, 64, 10: 132,114 parameters, 528,456 bytes."""
    generator = np.random.default_rng(seed)
    return Sequential(
        Conv2d(1, 16, kernel_size=3, padding=1, rng=generator),
        ReLU(),
        MaxPool2d(2),
        Conv2d(16, 40, kernel_size=3, padding=1, rng=generator),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(40 * 7 * 7, 64, rng=generator),
        ReLU(),
        Linear(64, 10, rng=generator),
    )


HALF = in_stages(0.5, epochs=6, stage_epochs=2)
QUARTER = in_stages(0.25, epochs=8, stage_epochs=2, learning_rate=3e-3)
SLOW = "codes take more time than pruning saves"

TASK = Task(
    name="fashion_cnn",
    title="Clothes with a convolutional network",
    version=1,
    load_data=load_images,
    dataset_sha256=FASHION_SHA256,
    build_model=build_model,
    recipe=Recipe(epochs=20, batch_size=64, learning_rate=1.5e-3, seed=0, weight_decay=0.05, transforms=AUGMENTATION),
    freshen="tinytorch.datasets.fashion:other_pictures",
    distort=distorted,
    weights_sha256="02434f9849076834e4ba85d0608374ef34f15dda05f31980789a954b050b3c0b",
    load_private=load_private_images,
    strategies=(
        Strategy("latency_sprint", (QUARTER, FUSION), "three points of accuracy"),
        Strategy("memory_challenge", (QUARTER, codes(4, epochs=4)), f"three and a half points of accuracy; {SLOW}"),
        Strategy("accuracy_contest", (tuned(0.75, epochs=5, learning_rate=1e-3),), "nothing that the test set shows"),
        Strategy("all_around", (HALF, INT8, FUSION), "a point of accuracy"),
        Strategy("extreme_push", (QUARTER, INT8, FUSION), "three points of accuracy"),
        Strategy("planned", (FUSION,), "memory: intermediate results are kept"),
        Strategy("int8", (INT8,), "time: codes become floats in every call"),
    ),
)
