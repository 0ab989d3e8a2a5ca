"""Reference strategies: one for every event, which qualifies in the closed division, and single techniques.

A strategy has the same form as an athlete's entry: `optimize(model, train_data) -> model`. The table is light, so that
a help can list it: a technique is loaded when it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tinytorch.errors import UsageError
from tinytorch.text import nearest

if TYPE_CHECKING:
    from tinytorch.core.dataloader import TensorDataset
    from tinytorch.core.layers import Layer, Sequential

Optimize: TypeAlias = "Callable[[Sequential, TensorDataset], Layer]"


@dataclass(frozen=True)
class Strategy:
    """A named composition of techniques."""

    name: str
    techniques: tuple[str, ...]
    optimize: Optimize


def prune(width: int, epochs: int, learning_rate: float = 2e-3) -> Optimize:
    """Structured pruning of every hidden layer to `width` neurons, fine-tuned for `epochs`."""

    def optimize(model: Sequential, train_data: TensorDataset) -> Layer:
        from tinytorch.perf.compression import structured_prune

        smaller: Layer = structured_prune(model, width, train_data, epochs=epochs, learning_rate=learning_rate)
        return smaller

    return optimize


def prune_and_quantize(width: int, epochs: int) -> Optimize:
    """Pruning to `width` neurons, then int8 weights."""
    pruned = prune(width, epochs)
    return lambda model, train_data: quantize(pruned(model, train_data), train_data)


def quantize(model: Layer, train_data: TensorDataset) -> Layer:
    """Int8 weights."""
    from tinytorch.perf.quantization import quantize_model

    quantized: Layer = quantize_model(model)
    return quantized


PRUNING = ("Structured Pruning",)
PRUNING_AND_INT8 = ("Structured Pruning", "INT8 Quantization")

STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        Strategy("latency_sprint", PRUNING, prune(32, epochs=60)),
        Strategy("memory_challenge", PRUNING_AND_INT8, prune_and_quantize(24, epochs=60)),
        Strategy("accuracy_contest", PRUNING, prune(512, epochs=6, learning_rate=1e-3)),
        Strategy("all_around", PRUNING, prune(256, epochs=20)),
        Strategy("extreme_push", PRUNING_AND_INT8, prune_and_quantize(16, epochs=60)),
        Strategy("int8", ("INT8 Quantization",), quantize),
    )
}
DEFAULT_STRATEGY = "all_around"


def find_strategy(name: str) -> Strategy:
    """The strategy called `name`; UsageError with the nearest name when there is none."""
    if name not in STRATEGIES:
        raise UsageError(f"there is no strategy {name!r}", mend=nearest(name, STRATEGIES))
    return STRATEGIES[name]
