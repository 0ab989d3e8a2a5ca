"""Datasets, and batches of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError


class Dataset(ABC):
    """Samples by number: write `__len__` and `__getitem__`, which gives (input, label)."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abstractmethod
    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        """Input and label of one sample."""

    def batch(self, indices: Array) -> tuple[Array, Array]:
        """Inputs (N, ...) and labels (N, ...) of the samples `indices` (N,)."""
        inputs, labels = zip(*(self[int(index)] for index in indices), strict=True)
        return np.stack([np.asarray(item) for item in inputs]), np.stack([np.asarray(item) for item in labels])


class TensorDataset(Dataset):
    """Samples from two arrays: inputs (N, ...) and labels (N, ...). Raises ShapeError when their lengths differ."""

    def __init__(self, inputs: Tensor | Array, labels: Tensor | Array) -> None:
        self.inputs: Array = np.asarray(inputs)
        self.labels: Array = np.asarray(labels)
        if not self.inputs.ndim or not self.labels.ndim or len(self.inputs) != len(self.labels):
            raise ShapeError(f"needs one label for each input, got {self.inputs.shape} and {self.labels.shape}")

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self.inputs[index], self.labels[index]

    def batch(self, indices: Array) -> tuple[Array, Array]:
        """Inputs and labels of the samples `indices` (N,), fetched at once."""
        return self.inputs[indices], self.labels[indices]


class DataLoader:
    """Batches (inputs, labels) of a dataset, as tensors; the last may be smaller.

    With `shuffle` every pass has an order of its own; a new loader with the same seed repeats them all.
    Raises UsageError for a batch size below 1 or a dataset without samples.
    """

    def __init__(self, dataset: Dataset, batch_size: int = 32, shuffle: bool = False, seed: int = 0) -> None:
        if batch_size < 1 or not len(dataset):
            raise UsageError(
                f"needs a batch size of at least 1 and samples, got {batch_size} and {len(dataset)} samples"
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self._generator = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Number of batches in one pass."""
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        samples = len(self.dataset)
        order = self._generator.permutation(samples) if self.shuffle else np.arange(samples)
        for start in range(0, samples, self.batch_size):
            inputs, labels = self.dataset.batch(order[start : start + self.batch_size])
            yield Tensor(inputs), Tensor(labels)
