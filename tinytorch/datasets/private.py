"""A referee's own data: a file of the form of the shipped one, of whose samples none is public."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinytorch.core.archive import UNREADABLE, arrays_of
from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.ops import Array
from tinytorch.datasets import digits, fashion, words
from tinytorch.datasets.seen import digits_seen, letters_seen, pictures_seen
from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason

LARGEST_FILE_BYTES = 2**26
LARGEST_BYTES = 2**27  # of its arrays
SPLITS = ("train", "test")
DIGIT = (8, 8)  # rows, columns
PACKED = fashion.ROWS * fashion.COLUMNS // 2
SHOWN = "tito olympics private make --help shows how one is made"

Split = tuple[TensorDataset, TensorDataset]


class OtherFormError(UsageError):
    """A file of private data for other tasks, or for none."""


def private_pictures(path: Path) -> Split:
    """Both splits of a file that `making.private_fashion` made.

    UsageError when it cannot be read, is of another form, or holds pictures that are public.
    """
    arrays = _read(path)
    for split in SPLITS:
        images, labels = _array(path, arrays, f"{split}_images", 2), _array(path, arrays, f"{split}_labels", 1)
        if images.shape != (len(labels), PACKED) or not len(labels) or (labels >= fashion.CLASSES).any():
            raise _other(path, f"its {split} split has images {images.shape} and labels {labels.shape}")
        _refuse_seen(path, int(pictures_seen(images).sum()), len(images), "pictures")
    return fashion.splits_of(arrays)


def private_digits(path: Path) -> Split:
    """The public training split, and the digits of a file that `making.private_digits` made.

    UsageError when it cannot be read, is of another form, or holds digits that are public.
    """
    arrays = _read(path)
    images, labels = _array(path, arrays, "images", 3), _array(path, arrays, "labels", 1)
    if images.shape != (len(labels), *DIGIT) or not len(labels):
        raise _other(path, f"it has images {images.shape} and labels {labels.shape}")
    if (labels >= digits.CLASSES).any() or (images > digits.BRIGHTEST).any():
        raise _other(path, f"a label is above {digits.CLASSES - 1}, or a pixel above {digits.BRIGHTEST}")
    _refuse_seen(path, int(digits_seen(images).sum()), len(images), "digits")
    train, _ = digits.load_digits()
    return train, TensorDataset(*digits.samples_of(arrays))


def private_prompts(path: Path) -> Split:
    """Both splits of a file that `making.private_words` made.

    UsageError when it cannot be read, is of another form, or holds prompts that are public.
    """
    arrays = _read(path)
    for split in SPLITS:
        content = _array(path, arrays, split, 1)
        is_letter = (content >= ord("a")) & (content <= ord("z"))
        if not (is_letter | (content == ord(" "))).all() or is_letter.sum() < words.LENGTH:
            raise _other(path, f"its {split} text is not of small letters and spaces")
        text = words.Text(content)
        _refuse_seen(path, int(letters_seen(text, text.starts).sum()), len(text.starts), "prompts")
    return words.splits_of(arrays)


def _read(path: Path) -> dict[str, Array]:
    try:
        return arrays_of(read_regular(path, LARGEST_FILE_BYTES, may_lead_out=True), LARGEST_BYTES)
    except UNREADABLE as error:
        told = reason(error) if isinstance(error, OSError) else "it is no archive of arrays"
        raise UsageError(f"cannot read the private data {path}: {told}", mend=SHOWN) from error


def _array(path: Path, arrays: Mapping[str, Array], name: str, dimensions: int) -> Array:
    """The array called `name`, uint8 with so many dimensions."""
    found = arrays.get(name)
    if found is None or found.dtype != np.uint8 or found.ndim != dimensions:
        raise _other(path, f"it has no array {name} of uint8 with {dimensions} dimension(s)")
    return found


def _refuse_seen(path: Path, seen: int, samples: int, what: str) -> None:
    if seen:
        message = f"{path}: {seen:,} of its {samples:,} {what} are in the public data, where every athlete has them"
        raise UsageError(message, mend=f"leave them out: {SHOWN}")


def _other(path: Path, why: str) -> OtherFormError:
    return OtherFormError(f"{path} is not of the form of private data for this task: {why}", mend=SHOWN)
