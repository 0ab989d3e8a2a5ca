"""Random changes of images, by themselves and in a loader."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch.core.dataloader import DataLoader, TensorDataset
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
)
from tinytorch.datasets.digits import load_digits
from tinytorch.errors import ShapeError, UsageError

TEN = TensorDataset(np.arange(20.0).reshape(10, 2), np.arange(10))


IMAGES = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)


def test_a_flip_is_seen_in_a_mirror() -> None:
    np.testing.assert_array_equal(RandomHorizontalFlip(p=1)(IMAGES), IMAGES[..., ::-1])
    np.testing.assert_array_equal(RandomHorizontalFlip(p=0)(IMAGES), IMAGES)


def test_each_image_is_flipped_or_not() -> None:
    flipped = RandomHorizontalFlip()(np.tile([0.0, 1.0], (1000, 1, 1, 1)), np.random.default_rng(0))
    assert flipped[:, 0, 0, 0].mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("size", "padding", "shape"), [(4, 0, (4, 4)), (6, 1, (6, 6)), ((3, 5), 4, (3, 5))])
def test_a_crop_has_its_size_and_shows_the_image(size: Any, padding: int, shape: tuple[int, int]) -> None:
    cropped = RandomCrop(size, padding=padding)(IMAGES + 1, np.random.default_rng(1))
    assert cropped.shape == (2, 3, *shape)
    assert set(cropped.ravel()) <= {0, *(IMAGES.ravel() + 1)}


@pytest.mark.parametrize(
    "transform",
    [RandomHorizontalFlip(), RandomCrop(4), RandomShift(), RandomNoise(), Compose([RandomCrop(3), RandomNoise()])],
)
@pytest.mark.parametrize("image", [np.ones((4, 4)), np.ones((1, 4, 4)), np.ones((2, 1, 4, 4))])
def test_one_image_is_changed_as_a_batch_is(transform: Any, image: Any) -> None:
    assert transform(image).ndim == image.ndim
    assert isinstance(transform(Tensor(image)), Tensor)


def test_transforms_follow_one_another() -> None:
    both = Compose([RandomHorizontalFlip(p=1), RandomHorizontalFlip(p=1)])
    np.testing.assert_array_equal(both(IMAGES), IMAGES)
    np.testing.assert_array_equal(both(IMAGES, np.random.default_rng(0)), IMAGES)


def test_impossible_transforms_are_refused() -> None:
    with pytest.raises(UsageError, match="probability"):
        RandomHorizontalFlip(2)
    with pytest.raises(UsageError, match="size as an integer from 1 on"):
        RandomCrop(0)
    with pytest.raises(ShapeError, match="at least as large as the crop"):
        RandomCrop(9, padding=1)(IMAGES)


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
        RandomShift()(np.ones(9), np.random.default_rng(0))


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


@pytest.mark.parametrize(("base", "missing"), [(RandomTransform, "change"), (ImageTransform, "change_images")])
def test_a_transform_without_its_change_says_so(base: type[RandomTransform], missing: str) -> None:
    with pytest.raises(NotImplementedError, match=rf"has no {missing}\(\)"):
        base()(IMAGES)


def test_rows_are_changed_as_images_are() -> None:
    rows = np.random.default_rng(0).random((5, 12), np.float32)
    images = rows.reshape(5, 1, 3, 4)
    shift = RandomShift(1)
    found = AsImages((1, 3, 4), shift)(rows, np.random.default_rng(7))

    np.testing.assert_array_equal(found.reshape(images.shape), shift(images, np.random.default_rng(7)))


def test_rows_of_another_length_are_no_images() -> None:
    with pytest.raises(ShapeError, match=r"inputs \(5, 11\) cannot be looked at as images \(1, 3, 4\)"):
        AsImages((1, 3, 4), RandomShift(1))(np.zeros((5, 11)))


def test_rows_are_not_taken_for_one_picture() -> None:
    """Else the rows of a batch would move against their labels."""
    loader = DataLoader(TEN, batch_size=5, transforms=[RandomShift(1)])

    with pytest.raises(ShapeError, match=r"RandomShift changes images.* rows \(5, 2\)") as caught:
        next(iter(loader))
    assert "image_shape=" in caught.value.mend


def test_rows_are_pictures_where_the_dataset_says_so() -> None:
    pictures = np.arange(10 * 6, dtype=np.float32).reshape(10, 1, 2, 3)
    rows = TensorDataset(pictures.reshape(10, 6), np.arange(10), image_shape=(1, 2, 3))
    flip = Compose([RandomHorizontalFlip(1.0)])
    flipped = next(iter(DataLoader(rows, 10, transforms=[flip])))[0].data
    np.testing.assert_array_equal(flipped, pictures[..., ::-1].reshape(10, 6))


def test_a_shape_that_rows_do_not_have_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"must be rows of pictures \(N, 1, 8, 8\), not \(5, 63\)"):
        TensorDataset(np.ones((5, 63)), image_shape=(1, 8, 8))


def test_the_digits_can_be_moved() -> None:
    train, _ = load_digits()
    loader = DataLoader(train, 50, transforms=[RandomShift(1)])
    moved, labels = next(iter(loader))
    plain = train.inputs[:50].reshape(50, 8, 8)
    corners = [np.roll(plain, (down, right), (1, 2))[:, 1:-1, 1:-1] for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = moved.data.reshape(50, 8, 8)[:, 1:-1, 1:-1]
    assert all(any(np.array_equal(found[n], corner[n]) for corner in corners) for n in range(50))
    np.testing.assert_array_equal(labels.data, train.labels[:50])


def test_grey_pictures_without_a_channel_are_a_batch_to_a_loader() -> None:
    pictures = np.arange(40 * 9, dtype=np.float32).reshape(40, 3, 3)
    flipped = next(iter(DataLoader(TensorDataset(pictures), 40, transforms=[RandomHorizontalFlip(0.5)])))[0].data
    is_flipped = (flipped == pictures[..., ::-1]).all(axis=(1, 2))
    assert 5 < is_flipped.sum() < 35


@pytest.mark.parametrize("shape", [(32, 64), (100, 784), (32, 8, 8), (2, 8, 8), (5,), (1, 1, 1, 8, 8)])
def test_what_may_be_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="needs images"):
        RandomShift(1)(np.ones(shape))


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 6), (3, 8, 6), (2, 5, 8, 6)])
def test_images_are_taken_alone_too(shape: tuple[int, ...]) -> None:
    assert RandomShift(1)(np.ones(shape)).shape == shape


def test_rows_that_hold_several_images_are_refused() -> None:
    with pytest.raises(ShapeError, match="cannot be looked at as images"):
        AsImages((1, 2, 2), RandomShift(1))(np.ones((2, 8)))


@pytest.mark.parametrize(
    "make", [lambda n: RandomNoise(n), lambda n: RandomHorizontalFlip(n), lambda n: RandomShift(n)]
)
def test_a_change_that_is_no_number_is_refused(make: Any) -> None:
    with pytest.raises(UsageError, match=r"(got|not) nan"):
        make(float("nan"))


class Blank(RandomHorizontalFlip):
    def __call__(self, inputs: Any, generator: Any = None) -> Any:
        return np.asarray(inputs) * 0


class BlankImages(RandomShift):
    def change(self, inputs: Any, generator: Any) -> Any:
        return inputs * 0


class BlankAll(Compose):
    def __call__(self, inputs: Any, *generator: Any) -> Any:
        return np.asarray(super().__call__(inputs, *generator)) * 0


class Halved:
    def __call__(self, x: Any) -> Any:
        return x / 2


PICTURES = np.ones((4, 1, 8, 8), np.float32)


@pytest.mark.parametrize("transform", [Blank(), BlankImages(), BlankAll([RandomShift(1)]), lambda x: x * 0])
def test_a_transform_of_one_s_own_is_what_it_says(transform: Any) -> None:
    for transforms in (transform, [transform], Compose([transform])):
        assert not next(iter(DataLoader(TensorDataset(PICTURES), 4, transforms=transforms)))[0].data.any()


def test_a_transform_need_not_take_a_generator() -> None:
    for transform in (Halved(), Compose([Halved()]), AsImages((1, 8, 8), Halved()), lambda x, by=2: x / by):
        changed = next(iter(DataLoader(TensorDataset(PICTURES), 4, transforms=transform)))[0]
        np.testing.assert_array_equal(changed.data, PICTURES / 2)


def test_rows_that_were_cropped_are_smaller_pictures() -> None:
    rows = TensorDataset(PICTURES.reshape(4, 64), image_shape=(1, 8, 8))
    for transforms in ([RandomCrop(6, 0), RandomShift(1)], Compose([RandomCrop(6, 0), RandomHorizontalFlip()])):
        assert next(iter(DataLoader(rows, 4, transforms=transforms)))[0].shape == (4, 36)
    assert AsImages((1, 8, 8), RandomCrop(6, 0))(PICTURES.reshape(4, 64)).shape == (4, 36)


@pytest.mark.parametrize("shape", [64, (1, 1, 8, 8), (8.0, 8), "88"])
def test_a_shape_that_no_picture_has_is_refused(shape: Any) -> None:
    with pytest.raises(UsageError, match="pictures need a shape"):
        TensorDataset(np.ones((2, 64)), image_shape=shape)


@pytest.mark.parametrize("transforms", ["flip", [3]])
def test_what_cannot_be_called_changes_nothing(transforms: Any) -> None:
    with pytest.raises(UsageError, match="transforms must be callable"):
        DataLoader(TEN, transforms=transforms)
