"""TinyTorch: a small deep-learning framework to build and to read. Names here are loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.core.activations import ReLU, Sigmoid, Softmax, Tanh
    from tinytorch.core.dataloader import DataLoader, Dataset, TensorDataset
    from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
    from tinytorch.core.losses import CrossEntropyLoss
    from tinytorch.core.optimizers import SGD, Adam
    from tinytorch.core.tensor import Tensor, no_grad
    from tinytorch.core.training import Trainer

    __version__: str

__all__ = [
    "SGD",
    "Adam",
    "CrossEntropyLoss",
    "DataLoader",
    "Dataset",
    "Dropout",
    "Layer",
    "Linear",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Tensor",
    "TensorDataset",
    "Trainer",
    "__version__",
    "no_grad",
]

_HOMES = {
    "tinytorch.core.activations": ("ReLU", "Sigmoid", "Softmax", "Tanh"),
    "tinytorch.core.dataloader": ("DataLoader", "Dataset", "TensorDataset"),
    "tinytorch.core.layers": ("Dropout", "Layer", "Linear", "Sequential"),
    "tinytorch.core.losses": ("CrossEntropyLoss",),
    "tinytorch.core.optimizers": ("SGD", "Adam"),
    "tinytorch.core.tensor": ("Tensor", "no_grad"),
    "tinytorch.core.training": ("Trainer",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("tinytorch-olympics")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'tinytorch' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
