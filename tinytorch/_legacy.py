"""Old: import paths of the course's edition of 2025, so that its files run. New ones import `core` and `perf`."""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import ModuleSpec
from operator import attrgetter
from types import ModuleType
from typing import Any

NETWORKS = ("core.layers", "core.activations", "core.losses", "core.spatial", "core.embeddings", "core.attention",
            "core.transformers")  # fmt: skip
TECHNIQUES = ("perf.quantization", "perf.compression", "perf.memoization", "perf.acceleration")
OLD_PATHS: dict[str, tuple[str, ...]] = {
    "bench": ("perf.benchmarking",),
    "capstone": ("olympics",),
    "competition.submit": ("competition",),
    "data": ("core.dataloader",),
    "data.loader": ("core.dataloader",),
    "generation": ("perf.memoization",),
    "generation.kv_cache": ("perf.memoization",),
    "models": ("core.transformers",),
    "models.transformer": ("core.transformer",),
    "nn": NETWORKS,
    "nn.functional": NETWORKS,
    "optim": ("core.optimizers",),
    "optimization": TECHNIQUES,
    "optimization.acceleration": ("perf.acceleration",),
    "optimization.compression": ("perf.compression",),
    "optimization.memoization": ("perf.memoization",),
    "optimization.quantization": ("perf.quantization",),
    "profiling": ("perf.profiling",),
    "profiling.profiler": ("perf.profiling",),
    "text": ("core.tokenization", "core.embeddings"),
    "text.embeddings": ("core.embeddings",),
    "text.tokenization": ("core.tokenization",),
}  # fmt: skip
"""What each path below `tinytorch` leads to: its module has the names of these."""

RENAMED = {
    "nn": {"Module": "Layer"},
    "nn.functional": {"relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "Tanh", "gelu": "GELU", "softmax": "Softmax",
                      "cross_entropy": "CrossEntropyLoss", "mse_loss": "MSELoss"},
    "optimization.compression": {"measure_sparsity": "Compressor.measure_sparsity"},  # its tests read a share
}  # fmt: skip
"""Names that have become others. In `nn.functional` they are functions: objects of the class, ready to be called."""


class OldPaths:
    """Finds modules at old paths, when Python has found none."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """A module for an old path, nothing for any other name."""
        return ModuleSpec(name, cls, is_package=True) if _below(name) in OLD_PATHS else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Python's own."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """A module that looks for each name where it leads to, when it is asked: one of those may be a student's."""
        old = _below(module.__name__)
        module.__getattr__ = lambda name: _found(old, name)  # type: ignore[method-assign]


def _below(name: str) -> str:
    """The path below `tinytorch`, empty for another package's."""
    package, _, path = name.partition(".")
    return path if package == "tinytorch" else ""


def _found(old: str, name: str) -> Any:
    """What a name is today; AttributeError where none of the modules that an old path leads to has it."""
    if name == "__all__":
        return sorted({each for home in OLD_PATHS[old] for each in _public(home)} | {*RENAMED.get(old, {})})
    new = RENAMED.get(old, {}).get(name, name)
    first, *_ = new.split(".")
    for home in OLD_PATHS[old] if not name.startswith("_") else ():
        if first in _public(home):
            value = attrgetter(new)(import_module(f"tinytorch.{home}"))
            return value() if old == "nn.functional" and name != new else value
    raise AttributeError(f"tinytorch.{old} has no {name!r}")


def _public(home: str) -> list[str]:
    """The names that a module is imported for: those that it lists, or that it defines."""
    module = import_module(f"tinytorch.{home}")
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return list(getattr(module, "__all__", own))
