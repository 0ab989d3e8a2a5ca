"""Datasets, batches of them, and random changes that make more of the images one has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

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


class Transform(Protocol):
    """Changes a batch of inputs (N, ...) at random, by the generator given; hands back a new array."""

    def __call__(self, inputs: Array, generator: np.random.Generator, /) -> Array: ...


@dataclass(frozen=True)
class RandomShift:
    """Moves every image by up to `pixels` rows and columns, each way; zeros come in."""

    pixels: int = 1

    def __call__(self, inputs: Array, generator: np.random.Generator, /) -> Array:
        """(N, C, H, W), kept; ShapeError for inputs that are no images."""
        if inputs.ndim != 4:
            raise ShapeError(f"RandomShift needs images (N, C, H, W), got {inputs.shape}")
        samples, _, height, width = inputs.shape
        border = (self.pixels, self.pixels)
        wider = np.pad(inputs, ((0, 0), (0, 0), border, border))
        top, left = generator.integers(0, 2 * self.pixels, (2, samples), endpoint=True)
        positions = sliding_window_view(wider, (height, width), axis=(2, 3))
        moved: Array = positions[np.arange(samples), :, top, left]
        return moved


@dataclass(frozen=True)
class RandomNoise:
    """Adds draws from a normal distribution of standard deviation `scale`."""

    scale: float = 0.1

    def __call__(self, inputs: Array, generator: np.random.Generator, /) -> Array:
        """Any shape, kept; float32."""
        noise: Array = generator.standard_normal(inputs.shape, dtype=np.float32)
        noise *= self.scale
        noise += inputs
        return noise


class DataLoader:
    """Batches (inputs, labels) of a dataset, as tensors; the last may be smaller.

    With `shuffle` every pass has an order of its own, and `transforms` change the inputs of every batch, one after the
    other. All of it is drawn from `generator`: a new loader with the same seed repeats everything.
    Raises UsageError for a batch size below 1 or a dataset without samples.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
        transforms: Sequence[Transform] = (),
    ) -> None:
        if batch_size < 1 or not len(dataset):
            raise UsageError(
                f"needs a batch size of at least 1 and samples, got {batch_size} and {len(dataset)} samples"
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.transforms = tuple(transforms)
        self.generator = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Number of batches in one pass."""
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        samples = len(self.dataset)
        order = self.generator.permutation(samples) if self.shuffle else np.arange(samples)
        for start in range(0, samples, self.batch_size):
            inputs, labels = self.dataset.batch(order[start : start + self.batch_size])
            for transform in self.transforms:
                inputs = transform(inputs, self.generator)
            yield Tensor(inputs), Tensor(labels)
