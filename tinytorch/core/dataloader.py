"""Datasets, and batches of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence, Sized
from typing import Any, Protocol

import numpy as np

from tinytorch.core.arguments import generator_of, is_whole
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.core.transforms import (
    AsImages,
    Compose,
    ImageTransform,
    RandomCrop,
    RandomHorizontalFlip,
    RandomNoise,
    RandomShift,
    RandomTransform,
    Transform,
    checked_shape,
    listed,
    of_batch,
)
from tinytorch.errors import ShapeError, UsageError

__all__ = [
    "AsImages",
    "Compose",
    "DataLoader",
    "Dataset",
    "ImageTransform",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomNoise",
    "RandomShift",
    "RandomTransform",
    "Samples",
    "TensorDataset",
    "Transform",
    "as_dataset",
    "collate",
]


class Samples(Sized, Protocol):
    """What a loader takes: anything with a length and samples by number, a plain list too."""

    def __getitem__(self, index: Any, /) -> Any: ...


class Dataset(ABC):
    """Samples by number: write `__len__` and `__getitem__`, which gives (input, label) or any other fixed fields."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abstractmethod
    def __getitem__(self, index: Any) -> Any:
        """The fields of one sample."""

    def batch(self, indices: Array) -> tuple[Array, ...]:
        """Each field of the samples `indices` (N,) as an array (N, ...)."""
        return collate([self[int(index)] for index in indices])


class TensorDataset(Dataset):
    """Samples from tensors or arrays (N, ...), the first of them inputs, the second labels.

    `image_shape` (C, H, W) says what pictures inputs are that are kept as rows. Raises UsageError without any tensor,
    ShapeError when their lengths differ, or when rows are no such pictures.
    """

    def __init__(self, *tensors: Tensor | Array, image_shape: Shape | None = None) -> None:
        if not tensors:
            raise UsageError("a TensorDataset needs at least one tensor")
        self.image_shape = None if image_shape is None else checked_shape(image_shape)
        self.tensors = tuple(tensor if isinstance(tensor, Tensor) else Tensor(tensor) for tensor in tensors)
        shapes = [tensor.shape for tensor in self.tensors]
        if any(not shape or shape[0] != shapes[0][0] for shape in shapes):
            raise ShapeError(
                f"a TensorDataset needs one label for each input, and got the shapes {', '.join(map(str, shapes))}"
            )
        if image_shape is not None and math.prod(image_shape) != math.prod(shapes[0][1:]):
            raise ShapeError(
                f"inputs must be rows of pictures (N, {', '.join(map(str, image_shape))}), not {shapes[0]}"
            )

    @property
    def inputs(self) -> Array:
        """The first array (N, ...)."""
        return self.tensors[0].data

    @property
    def labels(self) -> Array:
        """The second array (N, ...); UsageError when there is none."""
        if len(self.tensors) < 2:
            raise UsageError("this dataset needs labels: it has one tensor only")
        return self.tensors[1].data

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor.detach()[index] for tensor in self.tensors)

    def batch(self, indices: Array) -> tuple[Array, ...]:
        """Each tensor's rows `indices` (N,), fetched at once."""
        return tuple(tensor.data[indices] for tensor in self.tensors)


def as_dataset(data: Any) -> TensorDataset:
    """A dataset as it is, or the pair (inputs, labels) as one; UsageError for anything else."""
    if isinstance(data, TensorDataset):
        return data
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return TensorDataset(*data)
    mend = "write TensorDataset(inputs, labels), or (inputs, labels)"
    raise UsageError(f"training needs a TensorDataset, and got a {type(data).__qualname__}", mend=mend)


def collate(samples: Sequence[Any]) -> tuple[Array, ...]:
    """Samples of equal fields, or single values, as one array (N, ...) for each field.

    Raises ShapeError when fields differ in number or shape.
    """
    rows = [sample if isinstance(sample, (tuple, list)) else (sample,) for sample in samples]
    try:
        return tuple(np.stack([np.asarray(value) for value in field]) for field in zip(*rows, strict=True))
    except ValueError as error:
        raise ShapeError(f"samples of one batch need fields of equal shapes: {error}") from error


class DataLoader:
    """Batches of samples, each a tuple with a tensor for each field; the last may be smaller.

    `dataset` has a length and samples by number. With `shuffle` every pass has an order of its own, and `transforms`
    change the inputs of every batch, one after the other: images (N, C, H, W) or (N, H, W), or rows, of a dataset that
    says by an `image_shape` what pictures they are. All of it is drawn from `generator`: a new loader with the same
    seed repeats everything, so that a program does the same whenever it is started. With `drop_last` a last batch that
    is smaller is left out. Raises UsageError for a batch size below 1, for what are no samples by number, and for a
    dataset without samples, or without a whole batch of them.
    """

    drop_last = False

    def __init__(
        self,
        dataset: Samples,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
        transforms: Transform | Sequence[Transform] = (),
        drop_last: bool = False,
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            name = type(dataset).__qualname__
            mend = "give a dataset, or a list of samples"
            raise UsageError(f"a loader needs samples by number, and a {name} has none", mend=mend)
        if not is_whole(batch_size) or batch_size < 1:
            raise UsageError(f"the batch size must be a positive integer, not {batch_size!r}")
        if not len(dataset):
            raise UsageError("a loader needs samples, and the dataset has none")
        if drop_last and len(dataset) < batch_size:
            mend = "take smaller batches, or leave drop_last out"
            raise UsageError(
                f"{len(dataset)} samples make no batch of {batch_size}, and drop_last drops them", mend=mend
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.transforms = listed(transforms)
        self.drop_last = drop_last
        self.generator = generator_of(seed)

    def __len__(self) -> int:
        """Number of batches in one pass."""
        return len(self._starts())

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        samples = len(self.dataset)
        order = self.generator.permutation(samples) if self.shuffle else np.arange(samples)
        shape = getattr(self.dataset, "image_shape", None)
        for start in self._starts():
            inputs, *others = self._batch(order[start : start + self.batch_size])
            if self.transforms:
                inputs = of_batch(self.transforms, inputs, self.generator, shape)
            yield tuple(Tensor(field) for field in (inputs, *others))

    def _starts(self) -> range:
        """Where batches begin."""
        spare = self.batch_size - 1 if self.drop_last else 0
        return range(0, len(self.dataset) - spare, self.batch_size)

    def _batch(self, indices: Array) -> tuple[Array, ...]:
        if isinstance(self.dataset, Dataset):
            return self.dataset.batch(indices)
        return collate([self.dataset[int(index)] for index in indices])
