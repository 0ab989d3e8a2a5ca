"""Making a data file from what others published: the file that is shipped, or one that a referee keeps to himself."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.datasets.fashion import AUGMENTATION, BRIGHTEST, CLASSES, packed
from tinytorch.datasets.idx import read_idx

BRIGHTEST_BYTE = 255


def published_fashion(folder: Path, split: str) -> tuple[Array, Array]:
    """Greys (N, 28, 28) in 0..15 and labels (N,) of a split, `train` or `t10k`; UsageError when it cannot be read."""
    images = read_idx(folder / f"{split}-images-idx3-ubyte")
    greys = np.rint(images.astype(np.float32) * (BRIGHTEST / BRIGHTEST_BYTE)).astype(np.uint8)
    return greys, read_idx(folder / f"{split}-labels-idx1-ubyte")


def altered(greys: Array, generator: np.random.Generator) -> Array:
    """Each picture mirrored at random and moved by up to one pixel."""
    (augment,) = AUGMENTATION
    return np.asarray(augment(greys.reshape(len(greys), -1), generator)).reshape(greys.shape)


def balanced(labels: Array, samples: int, generator: np.random.Generator) -> Array:
    """Sorted numbers of so many samples, of each class as many, drawn at random."""
    each = samples // CLASSES
    drawn = [generator.permutation(np.flatnonzero(labels == label))[:each] for label in range(CLASSES)]
    return np.sort(np.concatenate(drawn))


def fashion_arrays(splits: dict[str, tuple[Array, Array]], seed: int) -> dict[str, Array]:
    """The arrays of a file, of greys (N, 28, 28) and labels (N,) of each split."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for split, (greys, labels) in splits.items():
        arrays[f"{split}_images"] = packed(altered(greys, generator))
        arrays[f"{split}_labels"] = labels
    return arrays


def published_bible(path: Path) -> dict[str, str]:
    """The text of each book, by its short name, of a file of verses: `Ge1:1 In the beginning ...`."""
    books = dict[str, list[str]]()
    for line in path.read_text("ascii").splitlines():
        place, _, verse = line.partition(" ")
        books.setdefault(re.sub(r"\d+:\d+", "", place), []).append(verse)
    return {name: " ".join(verses) for name, verses in books.items()}


def plain_words(text: str) -> Array:
    """The text as words of small letters with a space between them, uint8 (N,)."""
    words = re.findall("[a-z]+", text.lower().replace("'", ""))
    return np.frombuffer(" ".join(words).encode(), np.uint8)
