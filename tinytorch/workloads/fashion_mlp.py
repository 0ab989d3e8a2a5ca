"""`fashion_mlp`, the default task: pictures of clothes, and a ReLU network of three hidden layers."""

from __future__ import annotations

from typing import Any

from tinytorch.core.layers import Sequential
from tinytorch.datasets.distorted import distorted
from tinytorch.datasets.fashion import AUGMENTATION, FASHION_SHA256, load_fashion
from tinytorch.datasets.private import private_pictures
from tinytorch.workloads.networks import perceptron
from tinytorch.workloads.strategies import FUSION, INT8, Step, Strategy, learned_codes, prune
from tinytorch.workloads.task import Recipe, Task

AUGMENTED = "tinytorch.datasets.fashion:AUGMENTATION"
WIDTHS = (784, 384, 384, 384, 10)


def build_model(seed: int) -> Sequential:
    """The untrained network 784-384-384-384-10: 600,970 parameters, 2,403,880 bytes."""
    return perceptron(WIDTHS, seed)


def tuned(keep: int | float, epochs: int, learning_rate: float = 2e-3, batch_size: int = 64, **tuning: Any) -> Step:
    """Pruned to `keep` neurons or channels, or that share, and fine-tuned on pictures that change every time."""
    return prune(
        keep, epochs, learning_rate,
        batch_size=batch_size, schedule="cosine", transforms=AUGMENTED, **tuning,
    )  # fmt: skip


def in_stages(keep: int | float, epochs: int, stage_epochs: int, **tuning: Any) -> Step:
    """The same, a part of the way at a time."""
    return tuned(keep, epochs, stages=3, stage_epochs=stage_epochs, **tuning)


def codes(bits: int, epochs: int) -> Step:
    """Codes of so many bits, learned on pictures that change every time."""
    return learned_codes(bits, epochs, batch_size=64, transforms=AUGMENTED)


SMALL = in_stages(60, epochs=20, stage_epochs=5)
QUICK = in_stages(64, epochs=12, stage_epochs=3, batch_size=128, learning_rate=3e-3)
FAST = in_stages(48, epochs=16, stage_epochs=4, batch_size=128, learning_rate=3e-3)
TINY = in_stages(16, epochs=20, stage_epochs=6, learning_rate=3e-3)

TASK = Task(
    name="fashion_mlp",
    title="Clothes with a multilayer perceptron",
    version=1,
    load_data=load_fashion,
    dataset_sha256=FASHION_SHA256,
    build_model=build_model,
    recipe=Recipe(epochs=45, batch_size=128, learning_rate=1.5e-3, seed=0, weight_decay=0.1, transforms=AUGMENTATION),
    freshen="tinytorch.datasets.fashion:other_pictures",
    distort=distorted,
    weights_sha256="2a7d0ef075950d7111ca50070e1538296fa369095fa12d45d209e6f8da8cb721",
    load_private=private_pictures,
    strategies=(
        Strategy("latency_sprint", (FAST, INT8, FUSION), "two points of accuracy"),
        Strategy("memory_challenge", (SMALL, codes(2, epochs=15)), "two points of accuracy; codes take time in numpy"),
        Strategy("accuracy_contest", (tuned(320, epochs=15, learning_rate=1e-3),), "nothing that the test set shows"),
        Strategy("all_around", (QUICK, INT8, FUSION), "two points of accuracy"),
        Strategy("extreme_push", (TINY, INT8, FUSION), "six points of accuracy"),
        Strategy("planned", (FUSION,), "memory: intermediate results are kept"),
        Strategy("int8", (INT8,), "time: codes become floats in every call"),
    ),
)
