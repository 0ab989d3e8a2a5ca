"""Datasets and batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.dataloader import DataLoader, Dataset, RandomNoise, RandomShift, TensorDataset
from tinytorch.errors import ShapeError, UsageError

TEN = TensorDataset(np.arange(20.0).reshape(10, 2), np.arange(10))


class Squares(Dataset):
    """Numbers and their squares, one by one."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return np.array([index], np.float32), index**2


def labels_of(loader: DataLoader) -> list[int]:
    return [int(label) for _, labels in loader for label in labels.numpy()]


def test_batches_cover_everything_and_the_last_may_be_smaller() -> None:
    loader = DataLoader(TEN, batch_size=4)
    assert [labels.shape for _, labels in loader] == [(4,), (4,), (2,)]
    assert len(loader) == 3


def test_without_shuffle_the_order_is_kept() -> None:
    assert labels_of(DataLoader(TEN, 3)) == list(range(10))


def test_shuffle_gives_each_pass_an_order_of_its_own() -> None:
    loader = DataLoader(TEN, 3, shuffle=True)
    first, second = labels_of(loader), labels_of(loader)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(10))


def test_the_same_seed_repeats_all_orders() -> None:
    first, second = (DataLoader(TEN, 3, shuffle=True, seed=4) for _ in range(2))
    assert [labels_of(first) for _ in range(2)] == [labels_of(second) for _ in range(2)]


def test_inputs_stay_with_their_labels() -> None:
    for inputs, labels in DataLoader(TEN, 3, shuffle=True):
        np.testing.assert_array_equal(inputs.numpy()[:, 0], 2 * labels.numpy())


def test_a_dataset_needs_only_length_and_items() -> None:
    assert labels_of(DataLoader(Squares(), 2)) == [0, 1, 4, 9, 16]


def test_a_sample_is_input_and_label() -> None:
    inputs, label = TEN[3]
    assert (list(inputs), label) == ([6, 7], 3)


def test_inputs_and_labels_have_equal_lengths() -> None:
    with pytest.raises(ShapeError):
        TensorDataset(np.ones((3, 2)), np.ones(2))


@pytest.mark.parametrize(("samples", "size"), [(0, 2), (3, 0)])
def test_there_must_be_batches(samples: int, size: int) -> None:
    with pytest.raises(UsageError):
        DataLoader(TensorDataset(np.ones((samples, 2)), np.ones(samples)), size)


def test_a_shifted_image_is_the_image_elsewhere() -> None:
    image = np.zeros((1, 1, 5, 5), np.float32)
    image[0, 0, 2, 2] = 1
    shifted = RandomShift(2)(np.repeat(image, 200, axis=0), np.random.default_rng(0))
    places = {tuple(place) for place in np.argwhere(shifted[:, 0])[:, 1:]}

    assert shifted.sum() == 200
    assert places == {(row, column) for row in range(5) for column in range(5)}


def test_what_is_shifted_out_is_gone() -> None:
    shifted = RandomShift(1)(np.ones((50, 2, 3, 3), np.float32), np.random.default_rng(0))

    assert set(shifted.sum(axis=(1, 2, 3))) == {2 * 9, 2 * 6, 2 * 4}


def test_only_images_are_shifted() -> None:
    with pytest.raises(ShapeError, match="images"):
        RandomShift()(np.ones((2, 9)), np.random.default_rng(0))


def test_noise_has_its_scale() -> None:
    noisy = RandomNoise(0.5)(np.full(10_000, 3, np.float32), np.random.default_rng(0))

    assert (noisy.mean(), noisy.std()) == (pytest.approx(3, abs=0.02), pytest.approx(0.5, rel=0.02))


def test_transforms_leave_the_dataset_alone_and_repeat_with_the_seed() -> None:
    images = TensorDataset(np.ones((6, 1, 3, 3), np.float32), np.arange(6))
    loaders = [DataLoader(images, 4, shuffle=True, seed=2, transforms=[RandomShift(), RandomNoise()]) for _ in range(2)]
    first, second = ([inputs.numpy() for inputs, _ in loader] for loader in loaders)

    assert (images.inputs == 1).all()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
