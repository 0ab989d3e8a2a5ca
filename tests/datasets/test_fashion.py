"""The pictures of clothes: what is shipped, and new ones made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinytorch.datasets import fashion
from tinytorch.datasets.fashion import AUGMENTATION, load_fashion, other_pictures, packed, unpacked
from tinytorch.errors import SetupMissingError


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return load_fashion()[1].inputs[:50]


def test_both_splits_have_as_many_of_each_class() -> None:
    train, test = load_fashion()

    assert (train.inputs.shape, test.inputs.shape) == ((26_000, 784), (4_000, 784))
    assert [np.bincount(split.labels).tolist() for split in (train, test)] == [[2600] * 10, [400] * 10]
    assert (train.inputs.dtype, train.inputs.min(), train.inputs.max()) == (np.float32, 0, 1)


def test_two_pixels_share_a_byte() -> None:
    greys = np.random.default_rng(0).integers(0, 16, (3, 28, 28), np.uint8)

    assert packed(greys).shape == (3, 392)
    np.testing.assert_array_equal(unpacked(packed(greys)), greys)


def test_a_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "fashion.npz"
    damaged.write_bytes(fashion.FASHION_PATH.read_bytes()[:-1])
    monkeypatch.setattr(fashion, "FASHION_PATH", damaged)

    with pytest.raises(SetupMissingError, match="is damaged"):
        load_fashion()


def test_a_new_picture_is_another_one_moved_and_with_one_other_grey(pictures: np.ndarray) -> None:
    """Of the 18 ways to mirror and move it there is one from which it differs in a single pixel, or none."""
    new = other_pictures(pictures, np.random.default_rng(3)).reshape(-1, 28, 28)
    framed = np.pad(pictures.reshape(-1, 28, 28), ((0, 0), (1, 1), (1, 1)))
    ways = [seen[:, row : row + 28, column : column + 28] for seen in (framed, framed[..., ::-1])
            for row in range(3) for column in range(3)]  # fmt: skip
    changed = np.array([(way != new).sum(axis=(1, 2)) for way in ways])

    assert (changed.max(axis=1) <= 1).sum() == 1


def test_new_pictures_have_the_greys_of_the_shipped_ones(pictures: np.ndarray) -> None:
    """So that nothing but their content tells them from the test set."""
    new = other_pictures(pictures, np.random.default_rng(0))

    assert set(np.unique(new)) <= set(np.unique(load_fashion()[1].inputs))


def test_images_and_rows_are_changed_alike(pictures: np.ndarray) -> None:
    rows = other_pictures(pictures, np.random.default_rng(5))
    images = other_pictures(pictures.reshape(-1, 1, 28, 28), np.random.default_rng(5))

    np.testing.assert_array_equal(images.reshape(rows.shape), rows)


def test_the_augmentation_mirrors_and_moves(pictures: np.ndarray) -> None:
    (augment,) = AUGMENTATION
    found = augment(pictures, np.random.default_rng(0))

    assert found.shape == pictures.shape
    assert np.abs(found.sum(axis=1) - pictures.sum(axis=1)).max() < 60  # what lay in a border row is gone
    assert (found != pictures).any(axis=1).mean() > 0.8
