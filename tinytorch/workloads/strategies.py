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
    """A named composition of techniques, and what it costs."""

    name: str
    steps: tuple[Step, ...]
    costs: str = ""

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


def technique(name: str, function: str, tuned: bool = False, transforms: str | None = None, **options: Any) -> Step:
    """A function of the library, by its address, as a step.

    A `tuned` one is given the training split, and what `transforms` is the address of, which changes its batches.
    """
    arguments = {"function": function, "tuned": tuned, "transforms": transforms, "options": options}
    return Step(name, f"{__name__}:applied", arguments)


def applied(
    model: Layer,
    train_data: TensorDataset,
    function: str,
    tuned: bool,
    transforms: str | None,
    options: dict[str, Any],
) -> Layer:
    """What a step of `technique` does."""
    given = {**options, "train_data": train_data} if tuned else options
    if transforms is not None:
        given = {**given, "transforms": resolve_name(transforms)}
    changed: Layer = resolve_name(function)(model, **given)
    return changed


def distilled(model: Layer, train_data: TensorDataset, keep: int, epochs: int) -> Layer:
    """A step: the model with `keep` neurons in each hidden layer, which learns from the whole one's answers."""
    from tinytorch.perf.compression import KnowledgeDistillation, prune_neurons

    student = KnowledgeDistillation(model, prune_neurons(model, keep=keep)).train(train_data, epochs=epochs)
    taught: Layer = student.eval()
    return taught


def compiled(model: Layer, train_data: TensorDataset) -> Layer:
    """A step: the model as a plan for one sample, by the compiled back end where it is installed."""
    from tinytorch.perf.acceleration import compile_model, fastest_backend

    return compile_model(model, train_data.inputs[:1], fastest_backend())


def prune(keep: int | float, epochs: int, learning_rate: float = 2e-3, **tuning: Any) -> Step:
    """Structured pruning of every hidden layer to `keep` neurons or channels, or that share, fine-tuned."""
    options = {"keep": keep, "epochs": epochs, "learning_rate": learning_rate, **tuning}
    return technique("Structured Pruning", "tinytorch.perf.compression:prune_neurons", tuned=True, **options)


def learned_codes(bits: int, epochs: int, **tuning: Any) -> Step:
    """Weights of so many bits, which the model learns to live with, and whose steps it learns."""
    return technique(
        f"INT{bits} Quantization-Aware Training", "tinytorch.perf.quantization:quantization_aware_tune", tuned=True,
        bits=bits, symmetric=False, epochs=epochs, **tuning,
    )  # fmt: skip


def prune_heads(heads: int, hidden: int, epochs: int, batch_size: int, learning_rate: float, **tuning: Any) -> Step:
    """A GPT with so many heads and hidden neurons in every block, fine-tuned."""
    return technique(
        "Head and Neuron Pruning", "tinytorch.perf.compression:prune_transformer", tuned=True,
        heads=heads, hidden=hidden, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, **tuning,
    )  # fmt: skip


def compensated(bits: int) -> Step:
    """Rounded to so many bits, each weight making up for what those before it lost."""
    return technique(
        f"INT{bits} Quantization", "tinytorch.perf.quantization:quantize_model", tuned=True,
        bits=bits, symmetric=False, rounding="compensated",
    )  # fmt: skip


FUSION = Step("Operator Fusion", f"{__name__}:compiled")
INT8 = technique("INT8 Quantization", "tinytorch.perf.quantization:quantize_model", bits=8)
INT4 = technique("INT4 Quantization", "tinytorch.perf.quantization:quantize_model", bits=4, ranges="mse")
KV_CACHE = technique("KV Cache", "tinytorch.perf.memoization:with_kv_cache")
SMALL_CACHE = technique("INT8 KV Cache", "tinytorch.perf.memoization:with_kv_cache", bits=8)
SHARING = technique("Weight Sharing", "tinytorch.perf.compression:share_weights", clusters=16)
PRUNE_HEADS = prune_heads(heads=1, hidden=16, epochs=2, batch_size=8, learning_rate=1e-3)
PRUNE_WIDTH = prune_heads(
    heads=1, hidden=16, width=32, stages=2, epochs=2, batch_size=8, learning_rate=2e-3, schedule="cosine"
)
