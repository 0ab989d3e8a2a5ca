"""Datasets, batches of them, and random changes that make more of the images one has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence, Sized
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError


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

    Raises UsageError without any, ShapeError when their lengths differ.
    """

    def __init__(self, *tensors: Tensor | Array) -> None:
        if not tensors:
            raise UsageError("a TensorDataset needs at least one tensor")
        self.tensors = tuple(tensor if isinstance(tensor, Tensor) else Tensor(tensor) for tensor in tensors)
        shapes = [tensor.shape for tensor in self.tensors]
        if any(not shape or shape[0] != shapes[0][0] for shape in shapes):
            raise ShapeError(
                f"a TensorDataset needs one label for each input, and got the shapes {', '.join(map(str, shapes))}"
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


def collate(samples: Sequence[Any]) -> tuple[Array, ...]:
    """Samples of equal fields, or single values, as one array (N, ...) for each field.

    Raises ShapeError when fields differ in number or shape.
    """
    rows = [sample if isinstance(sample, (tuple, list)) else (sample,) for sample in samples]
    try:
        return tuple(np.stack([np.asarray(value) for value in field]) for field in zip(*rows, strict=True))
    except ValueError as error:
        raise ShapeError(f"samples of one batch need fields of equal shapes: {error}") from error


class Transform(Protocol):
    """Changes a batch of inputs (N, ...) at random, by the generator given; hands back a new array."""

    def __call__(self, inputs: Array, generator: np.random.Generator, /) -> Array: ...


class RandomTransform:
    """Base of random changes, of an array or a tensor into another one: write `change`.

    Draws come from the generator given, or from one of its own.
    """

    def __init__(self) -> None:
        self._own = np.random.default_rng()

    def __call__(self, inputs: Any, generator: np.random.Generator | None = None) -> Any:
        """A new tensor, or a new array."""
        changed = self.change(np.asarray(inputs), generator or self._own)
        return Tensor(changed) if isinstance(inputs, Tensor) else changed

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """The inputs changed."""
        raise NotImplementedError(f"{type(self).__qualname__} has no change()")


class ImageTransform(RandomTransform):
    """Base of what changes images, each of a batch in its own way: write `change_images`.

    Takes a batch (N, C, H, W) or one image (C, H, W) or (H, W). Raises ShapeError for what is no image.
    """

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """(..., H, W) -> (..., rows, columns)."""
        if inputs.ndim not in (2, 3, 4):
            name = type(self).__name__
            raise ShapeError(f"{name} needs images (N, C, H, W), (C, H, W) or (H, W), got {inputs.shape}")
        images = inputs.reshape(*(1,) * (4 - inputs.ndim), *inputs.shape)
        changed = self.change_images(images, generator)
        return changed.reshape(*inputs.shape[:-2], *changed.shape[-2:])

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W) -> (N, C, rows, columns)."""
        raise NotImplementedError(f"{type(self).__qualname__} has no change_images()")


class RandomHorizontalFlip(ImageTransform):
    """Each image with probability `p` seen in a mirror. UsageError unless 0 <= p <= 1."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise UsageError(f"RandomHorizontalFlip needs a probability 0 <= p <= 1, got {p}")
        self.p = p

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W), kept."""
        is_flipped = generator.random(len(images)) < self.p
        return np.where(is_flipped[:, None, None, None], images[..., ::-1], images)


class RandomCrop(ImageTransform):
    """A window of `size`, rows and columns or one number for both, somewhere in each image in a frame of zeros.

    The frame is `padding` wide. UsageError for a size below 1 or a padding below 0, ShapeError when the window is
    larger than the padded image.
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 4) -> None:
        super().__init__()
        self.size = (size, size) if isinstance(size, int) else size
        self.padding = padding
        if min(self.size) < 1 or padding < 0:
            raise UsageError(
                f"RandomCrop needs a size of at least 1 and a padding of at least 0, got {size}, {padding}"
            )

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W) -> (N, C, *size)."""
        border = (self.padding, self.padding)
        wider = np.pad(images, ((0, 0), (0, 0), border, border))
        room = [whole - part for whole, part in zip(wider.shape[2:], self.size, strict=True)]
        if min(room) < 0:
            raise ShapeError(
                f"images must be at least as large as the crop {self.size}: padded, these are {wider.shape[2:]}"
            )
        top, left = (generator.integers(0, most, len(images), endpoint=True) for most in room)
        windows = sliding_window_view(wider, self.size, axis=(2, 3))
        cropped: Array = windows[np.arange(len(images)), :, top, left]
        return cropped


class RandomShift(ImageTransform):
    """Moves every image by up to `pixels` rows and columns, each way; zeros come in."""

    def __init__(self, pixels: int = 1) -> None:
        super().__init__()
        self.pixels = pixels

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W), kept."""
        height, width = images.shape[2:]
        return RandomCrop((height, width), self.pixels).change_images(images, generator)


class Compose:
    """Transforms one after the other."""

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.transforms = tuple(transforms)

    def __call__(self, inputs: Any, *generator: np.random.Generator) -> Any:
        """What the last transform gives; each of them is handed the generator, where there is one."""
        for transform in self.transforms:
            inputs = transform(inputs, *generator)
        return inputs


class AsImages(RandomTransform):
    """Transforms of images for inputs that are rows (N, C * H * W): looked at as (N, *shape), and made rows again."""

    def __init__(self, shape: Sequence[int], *transforms: Transform) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.transform = Compose(transforms)

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """(N, C * H * W), or images (N, C, H, W); kept."""
        try:
            images = inputs.reshape(-1, *self.shape)
        except ValueError as error:
            raise ShapeError(f"inputs {inputs.shape} cannot be looked at as images {self.shape}") from error
        changed: Array = self.transform(images, generator)
        return changed.reshape(inputs.shape)


class RandomNoise(RandomTransform):
    """Adds draws from a normal distribution of standard deviation `scale`."""

    def __init__(self, scale: float = 0.1) -> None:
        super().__init__()
        self.scale = scale

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """Any shape, kept; float32."""
        noise: Array = generator.standard_normal(inputs.shape, dtype=np.float32)
        noise *= self.scale
        noise += inputs
        return noise


def _check_images(transform: Transform, inputs: Array) -> None:
    """ShapeError where a batch of rows would pass for one picture, whose rows are moved against their labels."""
    if isinstance(transform, ImageTransform) and inputs.ndim < 3:
        message = f"{type(transform).__name__} changes images, and the inputs of this batch are rows {inputs.shape}"
        raise ShapeError(message, mend="look at them as images: AsImages((channels, rows, columns), transform)")


class DataLoader:
    """Batches of samples, each a tuple with a tensor for each field; the last may be smaller.

    `dataset` has a length and samples by number. With `shuffle` every pass has an order of its own, and `transforms`
    change the inputs of every batch, one after the other. All of it is drawn from `generator`: a new loader with the
    same seed repeats everything. Raises UsageError for a batch size below 1 or a dataset without samples.
    """

    def __init__(
        self,
        dataset: Samples,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
        transforms: Sequence[Transform] = (),
    ) -> None:
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise UsageError(f"the batch size must be a positive integer, not {batch_size!r}")
        if not len(dataset):
            raise UsageError("a loader needs samples, and the dataset has none")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.transforms = tuple(transforms)
        self.generator = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Number of batches in one pass."""
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        samples = len(self.dataset)
        order = self.generator.permutation(samples) if self.shuffle else np.arange(samples)
        for start in range(0, samples, self.batch_size):
            inputs, *others = self._batch(order[start : start + self.batch_size])
            for transform in self.transforms:
                _check_images(transform, inputs)
                inputs = transform(inputs, self.generator)
            yield tuple(Tensor(field) for field in (inputs, *others))

    def _batch(self, indices: Array) -> tuple[Array, ...]:
        if isinstance(self.dataset, Dataset):
            return self.dataset.batch(indices)
        return collate([self.dataset[int(index)] for index in indices])
