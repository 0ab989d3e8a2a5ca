"""Old: import paths of the course's edition of 2025, so that its files run. New ones import `core` and `perf`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import ModuleSpec
from operator import attrgetter
from types import ModuleType
from typing import Any

NETWORKS = ("core.layers", "core.activations", "core.losses", "core.spatial", "core.embeddings", "core.attention",
            "core.transformers")  # fmt: skip
OLD_PATHS: dict[str, tuple[str, ...]] = {
    "bench": ("perf.benchmarking",),
    "capstone": ("olympics",),
    "competition.submit": ("competition",),
    "data": (),
    "data.loader": ("core.dataloader",),
    "generation": (),
    "generation.kv_cache": ("perf.memoization",),
    "models": (),
    "models.transformer": ("core.transformer",),
    "nn": NETWORKS,
    "nn.functional": NETWORKS,
    "optim": ("core.optimizers",),
    "optimization": (),
    "optimization.acceleration": ("perf.acceleration",),
    "optimization.compression": ("perf.compression",),
    "optimization.memoization": ("perf.memoization",),
    "optimization.quantization": ("perf.quantization",),
    "profiling": (),
    "profiling.profiler": ("perf.profiling",),
    "text": (),
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
        """Give it the names of where it leads to."""
        old = _below(module.__name__)
        for home in OLD_PATHS[old]:
            vars(module).update(_public(import_module(f"tinytorch.{home}")))
        for name, new in RENAMED.get(old, {}).items():
            found = attrgetter(new)(module)
            setattr(module, name, found() if old.endswith("functional") else found)


def _below(name: str) -> str:
    """The path below `tinytorch`, empty for another package's."""
    package, _, path = name.partition(".")
    return path if package == "tinytorch" else ""


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return ((name, getattr(module, name)) for name in names)
