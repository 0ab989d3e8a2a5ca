"""The digits: 1,797 handwritten digits of 8x8 grey pixels; provenance in `digits.md`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.ops import Array
from tinytorch.datasets.shipped import shipped_arrays
from tinytorch.datasets.withheld import withholdable

DIGITS_PATH = Path(__file__).with_name("digits.npz")
DIGITS_SHA256 = "b2dab7b501728c22e9119ad76740b2e17c77a231e42d1e592380d90886f1a05e"
CLASSES = 10
TEST_SAMPLES_PER_CLASS = 36  # 360 of 1,797
SPLIT_SEED = 1998
BRIGHTEST = 16
IMAGE_SHAPE = (1, 8, 8)  # of a row of inputs
NOISE = 1e-3  # of the whole range: far less than a step between two shades of grey


def load_digits() -> tuple[TensorDataset, TensorDataset]:
    """Training split (1437 samples) and test split (360, of each class 36), the same on every call and machine.

    Inputs are float32 (N, 64) in 0..1, labels int64 (N,) in 0..9.
    Raises SetupMissingError when the file is absent or not the one that was shipped.
    """
    inputs, classes = samples_of(shipped_arrays(DIGITS_PATH, DIGITS_SHA256))
    is_test = _is_test(classes)
    test = withholdable(lambda: TensorDataset(inputs[is_test], classes[is_test], image_shape=IMAGE_SHAPE))
    return TensorDataset(inputs[~is_test], classes[~is_test], image_shape=IMAGE_SHAPE), test


def samples_of(arrays: Mapping[str, Array]) -> tuple[Array, Array]:
    """Inputs (N, 64) and labels (N,) of a file's arrays: images uint8 (N, 8, 8) in 0..16, labels in 0..9."""
    images, labels = arrays["images"], arrays["labels"]
    return images.reshape(len(images), -1).astype(np.float32) / BRIGHTEST, labels.astype(np.int64)


def public_digits() -> Array:
    """All that are shipped, uint8 (N, 8, 8)."""
    images: Array = shipped_arrays(DIGITS_PATH, DIGITS_SHA256)["images"]
    return images


def _is_test(labels: Array) -> Array:
    """Mask (N,) of the test split: the same number of each class, drawn from a seed."""
    generator = np.random.RandomState(SPLIT_SEED)  # its stream is frozen for ever (NEP 19), default_rng's is not
    mask = np.zeros(len(labels), bool)
    for digit in range(CLASSES):
        mask[generator.permutation(np.flatnonzero(labels == digit))[:TEST_SAMPLES_PER_CLASS]] = True
    return mask


def with_noise(images: Array, generator: np.random.Generator) -> Array:
    """New images like the given ones (N, ...), float32: a little noise, so that none was seen before."""
    noise = generator.standard_normal(images.shape, dtype=np.float32)
    fresh: Array = images + np.float32(NOISE) * noise
    return fresh
