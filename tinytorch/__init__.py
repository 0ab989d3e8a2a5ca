"""TinyTorch: a small deep-learning framework to build and to read. Names here are loaded when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinytorch._legacy import OldPaths

if TYPE_CHECKING:
    from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
    from tinytorch.core.attention import MultiHeadAttention, scaled_dot_product_attention
    from tinytorch.core.autograd import Function, enable_autograd
    from tinytorch.core.dataloader import (
        Compose,
        DataLoader,
        Dataset,
        RandomCrop,
        RandomHorizontalFlip,
        RandomNoise,
        RandomShift,
        TensorDataset,
    )
    from tinytorch.core.embeddings import Embedding, EmbeddingLayer, PositionalEncoding, create_sinusoidal_embeddings
    from tinytorch.core.layers import Dropout, Layer, Linear, Sequential, set_training_mode
    from tinytorch.core.losses import BCEWithLogitsLoss, BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss, log_softmax
    from tinytorch.core.optimizers import SGD, Adam, AdamW
    from tinytorch.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d, SimpleCNN
    from tinytorch.core.tensor import Tensor, concatenate, no_grad, stack, where
    from tinytorch.core.tokenization import BPETokenizer, CharTokenizer, Tokenizer
    from tinytorch.core.training import CosineSchedule, Trainer, clip_grad_norm
    from tinytorch.core.transformers import GPT, MLP, LayerNorm, TransformerBlock, create_causal_mask

    __version__: str

__all__ = [
    "GELU",
    "GPT",
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BPETokenizer",
    "BatchNorm2d",
    "BinaryCrossEntropyLoss",
    "CharTokenizer",
    "Compose",
    "Conv2d",
    "CosineSchedule",
    "CrossEntropyLoss",
    "DataLoader",
    "Dataset",
    "Dropout",
    "Embedding",
    "EmbeddingLayer",
    "Flatten",
    "Function",
    "Layer",
    "LayerNorm",
    "Linear",
    "MSELoss",
    "MaxPool2d",
    "MultiHeadAttention",
    "PositionalEncoding",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomNoise",
    "RandomShift",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "SimpleCNN",
    "Softmax",
    "Tanh",
    "Tensor",
    "TensorDataset",
    "Tokenizer",
    "Trainer",
    "TransformerBlock",
    "__version__",
    "clip_grad_norm",
    "concatenate",
    "create_causal_mask",
    "create_sinusoidal_embeddings",
    "enable_autograd",
    "log_softmax",
    "no_grad",
    "scaled_dot_product_attention",
    "set_training_mode",
    "stack",
    "where",
]

_HOMES = {
    "tinytorch.core.activations": ("GELU", "ReLU", "Sigmoid", "Softmax", "Tanh"),
    "tinytorch.core.attention": ("MultiHeadAttention", "scaled_dot_product_attention"),
    "tinytorch.core.autograd": ("Function", "enable_autograd"),
    "tinytorch.core.dataloader": (
        "Compose",
        "DataLoader",
        "Dataset",
        "RandomCrop",
        "RandomHorizontalFlip",
        "RandomNoise",
        "RandomShift",
        "TensorDataset",
    ),
    "tinytorch.core.embeddings": ("Embedding", "EmbeddingLayer", "PositionalEncoding", "create_sinusoidal_embeddings"),
    "tinytorch.core.layers": ("Dropout", "Layer", "Linear", "Sequential", "set_training_mode"),
    "tinytorch.core.losses": (
        "BCEWithLogitsLoss",
        "BinaryCrossEntropyLoss",
        "CrossEntropyLoss",
        "MSELoss",
        "log_softmax",
    ),
    "tinytorch.core.optimizers": ("SGD", "Adam", "AdamW"),
    "tinytorch.core.spatial": ("AvgPool2d", "BatchNorm2d", "Conv2d", "Flatten", "MaxPool2d", "SimpleCNN"),
    "tinytorch.core.tensor": ("Tensor", "concatenate", "no_grad", "stack", "where"),
    "tinytorch.core.tokenization": ("BPETokenizer", "CharTokenizer", "Tokenizer"),
    "tinytorch.core.training": ("CosineSchedule", "Trainer", "clip_grad_norm"),
    "tinytorch.core.transformers": ("GPT", "MLP", "LayerNorm", "TransformerBlock", "create_causal_mask"),
}
if OldPaths not in sys.meta_path:  # the last to be asked
    sys.meta_path.append(OldPaths)

_PARTS = ("benchmarking", "competition", "olympics")  # `import tinytorch; tinytorch.olympics`
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("tinytorch-olympics")
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'tinytorch' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
