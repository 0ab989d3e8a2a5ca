"""`digits_mlp`, the default task: 8x8 handwritten digits and a ReLU network much too large for them."""

from __future__ import annotations

from tinytorch.core.layers import Sequential
from tinytorch.datasets.digits import DIGITS_SHA256, load_digits
from tinytorch.datasets.distorted import distorted
from tinytorch.datasets.private import private_digits
from tinytorch.workloads.networks import perceptron
from tinytorch.workloads.strategies import FUSION, INT8, Step, Strategy, learned_codes, prune
from tinytorch.workloads.task import Recipe, Task

WIDTHS = (64, 1024, 1024, 1024, 1024, 10)


def build_model(seed: int) -> Sequential:
    """The untrained network 64-1024-1024-1024-1024-10: 3,225,610 parameters."""
    return perceptron(WIDTHS, seed)


def in_stages(keep: int) -> Step:
    """Pruned to `keep` neurons in each hidden layer, a part of the way at a time."""
    return prune(keep, epochs=60, stages=5, stage_epochs=12, schedule="cosine")


TASK = Task(
    name="digits_mlp",
    title="Handwritten digits with a multilayer perceptron",
    version=1,
    load_data=load_digits,
    dataset_sha256=DIGITS_SHA256,
    build_model=build_model,
    recipe=Recipe(epochs=6, batch_size=64, learning_rate=1e-3, seed=0),
    freshen="tinytorch.datasets.digits:with_noise",
    distort=distorted,
    load_private=private_digits,
    strategies=(
        Strategy("latency_sprint", (in_stages(16), FUSION), "two points of accuracy"),
        Strategy("memory_challenge", (in_stages(16), learned_codes(2, epochs=30)), "four points of accuracy"),
        Strategy(
            "accuracy_contest",
            (prune(512, epochs=6, learning_rate=1e-3),),
            "nothing: a smaller network that generalizes",
        ),
        Strategy("all_around", (in_stages(32), INT8, FUSION), "nothing that the test set shows"),
        Strategy("extreme_push", (in_stages(8), INT8, FUSION), "eight points of accuracy"),
        Strategy("planned", (prune(256, epochs=20), FUSION), "nothing that the test set shows"),
        Strategy("int8", (INT8,), "time: codes become floats in every call"),
    ),
)
