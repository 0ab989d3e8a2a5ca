"""Pictures of clothes: 30,000 of Fashion-MNIST's, 28x28 pixels in 16 greys; provenance in `fashion.md`.

Each picture was mirrored at random and moved by up to one pixel, once: so a linear model, which sees pixels at their
places, gets 76 % right instead of 84 %, and a network that learned to look past both loses next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from tinytorch.core.dataloader import AsImages, RandomHorizontalFlip, RandomShift, TensorDataset
from tinytorch.core.ops import Array
from tinytorch.datasets.shipped import shipped_arrays
from tinytorch.datasets.withheld import withholdable

FASHION_PATH = Path(__file__).with_name("fashion.npz")
FASHION_SHA256 = "991762ec3760d3f10ff79b6da992cbeaecab27e5d61e0b285fe27ec7eb4d5305"
CLASSES = 10
ROWS = COLUMNS = 28
BRIGHTEST = 15


def load_fashion() -> tuple[TensorDataset, TensorDataset]:
    """Training split (26,000 pictures) and test split (4,000), of each class as many, the same on every machine.

    Inputs are float32 (N, 784) in 0..1, labels int64 (N,) in 0..9.
    Raises SetupMissingError when the file is absent or not the one that was shipped.
    """
    return splits_of(shipped_arrays(FASHION_PATH, FASHION_SHA256))


def public_pictures() -> tuple[Array, Array]:
    """The pictures of both splits as they are shipped, packed (N, 392)."""
    arrays = shipped_arrays(FASHION_PATH, FASHION_SHA256)
    return arrays["train_images"], arrays["test_images"]


def splits_of(arrays: Mapping[str, Array]) -> tuple[TensorDataset, TensorDataset]:
    """Training and test split of a file's arrays."""

    def split(name: str) -> TensorDataset:
        inputs, labels = _inputs(arrays[f"{name}_images"]), arrays[f"{name}_labels"].astype(np.int64)
        return TensorDataset(inputs, labels, image_shape=(1, ROWS, COLUMNS))

    return split("train"), withholdable(partial(split, "test"))


def packed(greys: Array) -> Array:
    """Greys (N, 28, 28) in 0..15 as two pixels a byte, uint8 (N, 392)."""
    flat = greys.reshape(len(greys), -1)
    pairs: Array = flat[:, ::2] << 4 | flat[:, 1::2]
    return pairs


def unpacked(pairs: Array) -> Array:
    """Greys (N, 28, 28) of what `packed` made."""
    return np.stack([pairs >> 4, pairs & 15], axis=-1).reshape(len(pairs), ROWS, COLUMNS)


def _inputs(pairs: Array) -> Array:
    return unpacked(pairs).reshape(len(pairs), ROWS * COLUMNS).astype(np.float32) / BRIGHTEST


AUGMENTATION = (AsImages((1, ROWS, COLUMNS), RandomHorizontalFlip(), RandomShift(1)),)
"""What every picture went through before it was shipped, for `transforms=`: training with it makes more of them."""


def other_pictures(images: Array, generator: np.random.Generator) -> Array:
    """New pictures like the given ones (N, 784) or (N, 1, 28, 28), float32, none of which was seen before.

    All are moved alike, by up to one pixel, and mirrored or not; and in each a pixel has another grey. That is quick
    beside a model's few microseconds, and the new ones look like those of the test split.
    """
    down, right = generator.integers(-1, 2, 2)
    seen = images.reshape(-1, ROWS, COLUMNS)[..., :: -1 if generator.random() < 0.5 else 1]
    new = np.zeros(seen.shape, np.float32)
    new[:, _to(down), _to(right)] = seen[:, _to(-down), _to(-right)]
    flat = new.reshape(len(new), -1)
    samples = np.arange(len(flat))
    flat[samples, generator.integers(0, flat.shape[1], len(flat))] = _greys(generator, len(flat))
    return new.reshape(images.shape)


def _to(moved: int) -> slice:
    """The rows that are filled after moving by one pixel, of 28."""
    return slice(max(0, moved), ROWS + min(0, moved))


def _greys(generator: np.random.Generator, count: int) -> Array:
    greys: Array = generator.integers(0, BRIGHTEST + 1, count) / np.float32(BRIGHTEST)
    return greys
