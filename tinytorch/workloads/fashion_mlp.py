"""`fashion_mlp`, the default task: pictures of clothes, and a ReLU network of three hidden layers."""

from __future__ import annotations

from tinytorch.core.layers import Sequential
from tinytorch.datasets.fashion import AUGMENTATION, FASHION_SHA256, load_fashion
from tinytorch.datasets.private import private_pictures
from tinytorch.workloads.networks import perceptron
from tinytorch.workloads.strategies import FUSION, INT4, INT8, Step, Strategy, prune
from tinytorch.workloads.task import Recipe, Task

WIDTHS = (784, 384, 384, 384, 10)


def build_model(seed: int) -> Sequential:
    """The untrained network 784-384-384-384-10: 600,970 parameters, 2,403,880 bytes."""
    return perceptron(WIDTHS, seed)


def tuned(keep: int | float, epochs: int, learning_rate: float = 2e-3, batch_size: int = 64) -> Step:
    """Pruned to `keep` neurons or channels, or that share, and fine-tuned on pictures that change every time."""
    return prune(
        keep, epochs, learning_rate,
        batch_size=batch_size, schedule="cosine", transforms="tinytorch.datasets.fashion:AUGMENTATION",
    )  # fmt: skip


SMALL = tuned(64, epochs=20)

TASK = Task(
    name="fashion_mlp",
    title="Clothes with a multilayer perceptron",
    version=1,
    load_data=load_fashion,
    dataset_sha256=FASHION_SHA256,
    build_model=build_model,
    recipe=Recipe(epochs=45, batch_size=128, learning_rate=1.5e-3, seed=0, weight_decay=0.1, transforms=AUGMENTATION),
    freshen="tinytorch.datasets.fashion:other_pictures",
    weights_sha256="2a7d0ef075950d7111ca50070e1538296fa369095fa12d45d209e6f8da8cb721",
    load_private=private_pictures,
    strategies=(
        Strategy("latency_sprint", (SMALL, FUSION), "two points of accuracy"),
        Strategy("memory_challenge", (SMALL, INT4), "two points; codes take time in numpy"),
        Strategy("accuracy_contest", (tuned(320, epochs=15, learning_rate=1e-3),), "nothing that the test set shows"),
        Strategy("all_around", (tuned(96, epochs=8, batch_size=128), INT8, FUSION), "a point and a half"),
        Strategy("extreme_push", (tuned(16, epochs=30, learning_rate=3e-3), INT8, FUSION), "six points"),
        Strategy("planned", (FUSION,), "memory: intermediate results are kept"),
        Strategy("int8", (INT8,), "time: codes become floats in every call"),
    ),
)
