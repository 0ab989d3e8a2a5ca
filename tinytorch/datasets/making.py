"""Data files made from what others published: the ones that are shipped, and those that a referee keeps to himself."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tinytorch.core.archive import UNREADABLE, arrays_of
from tinytorch.core.ops import Array
from tinytorch.datasets.digits import BRIGHTEST as BRIGHTEST_DIGIT
from tinytorch.datasets.fashion import AUGMENTATION, BRIGHTEST, CLASSES, packed
from tinytorch.datasets.idx import read_idx
from tinytorch.datasets.seen import digits_seen, letters_seen, pictures_seen
from tinytorch.datasets.words import Text
from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason

BRIGHTEST_BYTE = 255
LARGEST_TEXT_BYTES = 2**26
FEWEST = 1000  # pictures, or prompts that begin somewhere else: fewer tell accuracies no better apart than by points
FEWEST_DIGITS = 100
PUBLIC_IMAGES = {"train": 26_000, "test": 4_000}
PUBLISHED = {"train": "train", "test": "t10k"}  # our names of the splits, and those of the files
TEST_BOOKS = ("Ruth", "1Sm", "Prv", "Mark", "Acts")
KEPT_BOOKS = ("Est", "Jer", "Luke", "Heb", "Jonah")  # in neither split, so that a referee finds something in the text
SEED = 1701

Arrays = dict[str, Array]
Pictures = tuple[Array, Array]  # greys (N, 28, 28) in 0..15, labels (N,)


def public_fashion(folder: Path) -> Arrays:
    """The arrays of the file that is shipped, from the files as they are published."""
    generator = np.random.default_rng(SEED)
    splits = {}
    for split, samples in PUBLIC_IMAGES.items():
        greys, labels = published_pictures(folder, split)
        chosen = balanced(labels, samples, generator)
        splits[split] = greys[chosen], labels[chosen]
    return picture_arrays(splits, SEED)


def private_fashion(folder: Path, seed: int) -> Arrays:
    """The pictures among the published ones that are not shipped, altered by a seed of one's own.

    UsageError when they are too few.
    """
    published = {split: published_pictures(folder, split) for split in PUBLISHED}
    _check_enough(min(len(labels) for _, labels in published.values()), "pictures in each split")
    splits = {split: _unseen(pictures) for split, pictures in published.items()}
    _check_enough(min(len(labels) for _, labels in splits.values()), "pictures in each split")
    return picture_arrays(splits, seed)


def _unseen(pictures: Pictures) -> Pictures:
    greys, labels = pictures
    is_new = ~pictures_seen(packed(greys))
    return greys[is_new], labels[is_new]


def published_pictures(folder: Path, split: str) -> Pictures:
    """Greys (N, 28, 28) in 0..15 and labels (N,) of a split; UsageError when they cannot be read."""
    name = PUBLISHED[split]
    images, labels = (read_idx(folder / f"{name}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
    if (
        images.ndim != 3
        or images.shape[1:] != (28, 28)
        or labels.shape != images.shape[:1]
        or (labels >= CLASSES).any()
    ):
        message = f"the files {name}-* in {folder} are not 28x28 pictures of 10 classes: {images.shape}, {labels.shape}"
        raise UsageError(message, mend="name a folder with the files of Fashion-MNIST")
    return np.rint(images.astype(np.float32) * (BRIGHTEST / BRIGHTEST_BYTE)).astype(np.uint8), labels


def balanced(labels: Array, samples: int, generator: np.random.Generator) -> Array:
    """Sorted numbers of so many samples, of each class as many, drawn at random."""
    each = samples // CLASSES
    drawn = [generator.permutation(np.flatnonzero(labels == label))[:each] for label in range(CLASSES)]
    return np.sort(np.concatenate(drawn))


def picture_arrays(splits: dict[str, Pictures], seed: int) -> Arrays:
    """The arrays of a file: each picture mirrored at random and moved by up to one pixel."""
    generator, arrays = np.random.default_rng(seed), Arrays()
    (altered,) = AUGMENTATION
    for split, (greys, labels) in splits.items():
        changed = np.asarray(altered(greys.reshape(len(greys), -1), generator)).reshape(greys.shape)
        arrays |= {f"{split}_images": packed(changed), f"{split}_labels": labels}
    return arrays


def public_words(path: Path) -> Arrays:
    """The texts of the file that is shipped, from a file of verses: `Ge1:1 In the beginning ...`."""
    books = dict[str, list[str]]()
    for line in _read_text(path).splitlines():
        place, _, verse = line.partition(" ")
        books.setdefault(re.sub(r"\d+:\d+", "", place), []).append(verse)
    apart = TEST_BOOKS + KEPT_BOOKS
    chosen = {"train": [name for name in books if name not in apart], "test": list(TEST_BOOKS)}
    return {split: plain_words(" ".join(" ".join(books[name]) for name in names)) for split, names in chosen.items()}


def private_words(path: Path, seed: int) -> Arrays:
    """Another English text without what is in the shipped one, in two halves, begun anywhere by a seed of one's own.

    UsageError when too little is left.
    """
    text = Text(plain_words(_read_text(path)))
    words = list(text.words())
    is_new = np.ones(len(words), bool)
    is_new[: len(text.starts)] = ~letters_seen(text, text.starts)
    left = [word for word, new in zip(words, is_new, strict=True) if new]
    _check_enough(len(left) // 2, "words for each of the two splits")
    begin, middle = np.random.default_rng(seed).integers(len(left)), len(left) // 2
    turned = left[begin:] + left[:begin]
    halves = {"train": turned[:middle], "test": turned[middle:]}
    return {split: np.frombuffer(b" ".join(half), np.uint8) for split, half in halves.items()}


def private_digits(path: Path, seed: int) -> Arrays:
    """The digits of an archive with `images` (N, 8, 8) of 0..16 and `labels` (N,), without those that are shipped.

    By the seed they come in another order. UsageError for another archive, and when too few are left.
    """
    images, labels = _read_digits(path)
    is_new = np.flatnonzero(~digits_seen(images))
    _check_enough(len(is_new), "digits", FEWEST_DIGITS)
    chosen = np.random.default_rng(seed).permutation(is_new)
    return {"images": images[chosen], "labels": labels[chosen]}


def _read_digits(path: Path) -> Pictures:
    try:
        arrays = arrays_of(read_regular(path, LARGEST_TEXT_BYTES, may_lead_out=True), LARGEST_TEXT_BYTES)
        images, labels = np.asarray(arrays["images"]), np.asarray(arrays["labels"])
    except UNREADABLE as error:
        told = reason(error) if isinstance(error, OSError) else "it is no archive with the arrays images and labels"
        raise UsageError(
            f"cannot read the digits {path}: {told}", mend="numpy.savez(FILE, images=..., labels=...)"
        ) from error
    fits = labels.ndim == 1 and labels.size > 0 and images.shape == (labels.size, 8, 8)
    is_grey = fits and ((images >= 0) & (images <= BRIGHTEST_DIGIT)).all()
    if not is_grey or not np.isin(labels, np.arange(CLASSES)).all():
        message = f"{path}: images {images.shape} of 0..{BRIGHTEST_DIGIT} and labels {labels.shape} of 0..9 are wanted"
        raise UsageError(f"{message}, (N, 8, 8) and (N,)", mend="scale pictures to 8x8 pixels in 17 greys")
    return images.astype(np.uint8), labels.astype(np.uint8)


def plain_words(text: str) -> Array:
    """The words of a text in small letters with a space between them, uint8 (N,); what has a digit in it is no word."""
    without_numbers = " ".join(word for word in text.split() if not re.search(r"\d", word))
    words = re.findall("[a-z]+", without_numbers.lower().replace("'", ""))
    return np.frombuffer(" ".join(words).encode(), np.uint8)


def _read_text(path: Path) -> str:
    try:
        content = read_regular(path, LARGEST_TEXT_BYTES, may_lead_out=True)
    except OSError as error:
        raise UsageError(f"cannot read the text {path}: {reason(error)}", mend="name a text file") from error
    if b"\0" in content:
        raise UsageError(f"{path} is no text: it has null characters", mend="name a text file")
    return content.decode("utf-8", "replace")


def _check_enough(count: int, what: str, fewest: int = FEWEST) -> None:
    if count < fewest:
        raise UsageError(
            f"without what is public only {count:,} {what} are left; at least {fewest:,} are needed",
            mend="name a source with more in it that is not in the public data",
        )
