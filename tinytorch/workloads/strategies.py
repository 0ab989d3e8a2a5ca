"""Reference strategies: for every event a composition of techniques that qualifies in the closed division.

A strategy has the same form as an athlete's entry: `optimize(model, train_data) -> model`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.layers import Sequential
from tinytorch.errors import UsageError
from tinytorch.perf.compression import structured_prune
from tinytorch.perf.quantization import quantize_model
from tinytorch.text import nearest

Optimize = Callable[[Sequential, TensorDataset], object]


@dataclass(frozen=True)
class Strategy:
    """A named composition; `event` is the one it is meant for."""

    name: str
    event: str
    techniques: tuple[str, ...]
    optimize: Optimize


def prune_to(width: int) -> Optimize:
    """Structured pruning of every hidden layer to `width` neurons, fine-tuned."""
    return lambda model, train_data: structured_prune(model, width, train_data)


def prune_and_quantize(width: int) -> Optimize:
    """Pruning to `width` neurons, then int8 weights."""
    return lambda model, train_data: quantize_model(structured_prune(model, width, train_data))


STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        Strategy("latency_sprint", "latency_sprint", ("Structured Pruning",), prune_to(64)),
        Strategy(
            "memory_challenge", "memory_challenge", ("Structured Pruning", "INT8 Quantization"), prune_and_quantize(48)
        ),
        Strategy("accuracy_contest", "accuracy_contest", ("Structured Pruning",), prune_to(512)),
        Strategy("all_around", "all_around", ("Structured Pruning",), prune_to(256)),
        Strategy("extreme_push", "extreme_push", ("Structured Pruning", "INT8 Quantization"), prune_and_quantize(40)),
    )
}
DEFAULT_STRATEGY = "all_around"


def find_strategy(name: str) -> Strategy:
    """The strategy called `name`; UsageError with the nearest name when there is none."""
    if name not in STRATEGIES:
        raise UsageError(f"there is no strategy {name!r}", mend=nearest(name, STRATEGIES))
    return STRATEGIES[name]
