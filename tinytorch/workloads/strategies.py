"""What reference strategies are made of: techniques applied one after the other. Plain data, which any process gets.

A strategy does what an athlete's entry does: of the baseline and the training split it makes the optimized model.
Techniques are loaded when they are applied, so that the tables of strategies are light.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.core.dataloader import TensorDataset
    from tinytorch.core.layers import Layer

DEFAULT_STRATEGY = "all_around"


@dataclass(frozen=True)
class Step:
    """A technique by the name that a submission gives it, the address of a function of this module, its arguments."""

    technique: str
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Strategy:
    """A named composition of techniques; `later` says what a technique to come will improve."""

    name: str
    steps: tuple[Step, ...]
    later: str = ""

    @property
    def techniques(self) -> list[str]:
        """What it uses, in order."""
        return [step.technique for step in self.steps]


BASELINE = Strategy("baseline", ())  # which does nothing


def apply(steps: Iterable[Step], model: Layer, train_data: TensorDataset) -> Layer:
    """The optimized model; `model` may be changed."""
    for step in steps:
        model = resolve_name(step.function)(model, train_data, **step.arguments)
    return model


def prune(keep: int | float, epochs: int, learning_rate: float = 2e-3) -> Step:
    """Structured pruning of every hidden layer to `keep` neurons or channels, or that share, fine-tuned."""
    arguments = {"keep": keep, "epochs": epochs, "learning_rate": learning_rate}
    return Step("Structured Pruning", f"{__name__}:pruned", arguments)


INT8 = Step("INT8 Quantization", f"{__name__}:quantized", {"bits": 8})
INT4 = Step("INT4 Quantization", f"{__name__}:quantized", {"bits": 4, "ranges": "mse"})
SHARED = "shared weights, sparse or coded (module 16), will be smaller"  # what `later` says
KV_CACHE = Step("KV Cache", f"{__name__}:caching")


def pruned(model: Layer, train_data: TensorDataset, **options: Any) -> Layer:
    """What `prune` does."""
    from tinytorch.perf.compression import prune_neurons

    smaller: Layer = prune_neurons(model, train_data=train_data, **options)
    return smaller


def quantized(model: Layer, train_data: TensorDataset, **options: Any) -> Layer:
    """What `INT8` and `INT4` do."""
    from tinytorch.perf.quantization import quantize_model

    smaller: Layer = quantize_model(model, **options)
    return smaller


def caching(model: Layer, train_data: TensorDataset) -> Layer:
    """What `KV_CACHE` does."""
    from tinytorch.perf.memoization import enable_kv_cache

    return enable_kv_cache(model)
