"""Random changes that make more of the images one has.

Images are (N, C, H, W). A loader knows its inputs to be a batch, and says so by `of_batch`; who calls a transform
himself may also give one image (C, H, W) or (H, W). Where a shape could mean two things the transform refuses.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.core.arguments import Rng, checked, generator_of, is_whole, whole
from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError

CHANNELS = (1, 3, 4)  # of grey pictures, and of coloured ones without and with transparency


class Transform(Protocol):
    """Changes a batch of inputs (N, ...) at random, by the generator given; hands back a new array."""

    def __call__(self, inputs: Array, generator: np.random.Generator, /) -> Array: ...


class RandomTransform:
    """Base of random changes, of an array or a tensor into another one: write `change`.

    Draws come from the generator given, or from one of its own, `rng`.
    """

    def __init__(self, rng: Rng = None) -> None:
        self._own = generator_of(rng)

    def __call__(self, inputs: Any, generator: Rng = None) -> Any:
        """A new tensor, or a new array."""
        changed = self.change(np.asarray(inputs), self._own if generator is None else generator_of(generator))
        return Tensor(changed) if isinstance(inputs, Tensor) else changed

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """The inputs changed."""
        raise NotImplementedError(f"{type(self).__qualname__} has no change()")

    def change_batch(self, inputs: Array, generator: np.random.Generator) -> Array:
        """Inputs (N, ...) changed, each in its own way."""
        return self.change(inputs, generator)


class ImageTransform(RandomTransform):
    """Base of what changes images, each of a batch in its own way: write `change_images`.

    Takes a batch (N, C, H, W), one image (C, H, W) of 1, 3 or 4 channels, or a square one (H, W); what a loader gives
    is a batch (N, C, H, W), (N, H, W), or of rows. Raises ShapeError for anything else: a batch of rows is no image.
    """

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """(..., H, W) -> (..., rows, columns)."""
        is_image = inputs.ndim == 4
        is_image |= inputs.ndim == 3 and inputs.shape[0] in CHANNELS
        is_image |= inputs.ndim == 2 and inputs.shape[0] == inputs.shape[1]
        if not is_image:
            raise ShapeError(
                f"{type(self).__name__} needs images (N, C, H, W), (C, H, W) or square ones (H, W), got {inputs.shape}",
                mend="write images[:, None] for grey images (N, H, W), image[None] for one (H, W); for rows "
                "AsImages((channels, rows, columns), transform)",
            )
        images = inputs.reshape(*(1,) * (4 - inputs.ndim), *inputs.shape)
        changed = self.change_images(images, generator)
        return changed.reshape(*inputs.shape[:-2], *changed.shape[-2:])

    def change_batch(self, inputs: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W) or (N, H, W); ShapeError for rows."""
        if type(self).change is not ImageTransform.change:  # somebody's own, which knows what it is given
            return self.change(inputs, generator)
        if inputs.ndim == 3:
            return self.change_images(inputs[:, None], generator)[:, 0]
        if inputs.ndim != 4:
            message = f"{type(self).__name__} changes images, and the inputs of this batch are rows {inputs.shape}"
            mend = "write TensorDataset(inputs, labels, image_shape=(channels, rows, columns))"
            raise ShapeError(message, mend=mend)
        return self.change_images(inputs, generator)

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W) -> (N, C, rows, columns)."""
        raise NotImplementedError(f"{type(self).__qualname__} has no change_images()")


class RandomHorizontalFlip(ImageTransform):
    """Each image with probability `p` seen in a mirror. UsageError unless 0 <= p <= 1."""

    def __init__(self, p: float = 0.5, rng: Rng = None) -> None:
        super().__init__(rng)
        self.p = checked("RandomHorizontalFlip needs a probability p", p, from_=0, to=1)

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W), kept."""
        is_flipped = generator.random(len(images)) < self.p
        return np.where(is_flipped[:, None, None, None], images[..., ::-1], images)


class RandomCrop(ImageTransform):
    """A window of `size`, rows and columns or one number for both, somewhere in each image in a frame of zeros.

    The frame is `padding` wide. UsageError for a size below 1 or a padding below 0, ShapeError when the window is
    larger than the padded image.
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 4, rng: Rng = None) -> None:
        super().__init__(rng)
        rows, columns = size if isinstance(size, tuple) else (size, size)
        self.size = whole("RandomCrop needs a size", rows, 1), whole("RandomCrop needs a size", columns, 1)
        self.padding = whole("RandomCrop needs a padding", padding, 0)

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W) -> (N, C, *size)."""
        border = (self.padding, self.padding)
        wider = np.pad(images, ((0, 0), (0, 0), border, border))
        room = [there - wanted for there, wanted in zip(wider.shape[2:], self.size, strict=True)]
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

    def __init__(self, pixels: int = 1, rng: Rng = None) -> None:
        super().__init__(rng)
        self.pixels = whole("RandomShift needs a number of pixels", pixels, 0)

    def change_images(self, images: Array, generator: np.random.Generator) -> Array:
        """(N, C, H, W), kept."""
        height, width = images.shape[2:]
        return RandomCrop((height, width), self.pixels, generator).change_images(images, generator)


class Compose:
    """Transforms one after the other: ours, or functions of inputs, or of inputs and a generator."""

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.transforms = listed(transforms)

    def __call__(self, inputs: Any, *generator: np.random.Generator) -> Any:
        """What the last transform gives; each of them is handed the generator, where there is one and it takes one."""
        for transform in self.transforms:
            inputs = transform(inputs, *(generator if takes_generator(transform) else ()))
        return inputs


def listed(transforms: Any) -> tuple[Any, ...]:
    """One transform, or several, as a tuple; UsageError for what cannot be called."""
    found = (transforms,) if callable(transforms) else tuple(transforms or ())
    for transform in found:
        if not callable(transform):
            mend = "give functions of the inputs, or RandomShift(1) and its like"
            raise UsageError(f"transforms must be callable, and one is a {type(transform).__qualname__}", mend=mend)
    return found


def of_batch(
    transforms: Sequence[Any], inputs: Array, generator: np.random.Generator, image_shape: Shape | None = None
) -> Array:
    """What transforms make of a batch (N, ...), one after the other; rows are pictures of `image_shape`, if known."""
    shape = image_shape
    for transform in _each(transforms):
        knows_batches = _place(transform, "change_batch") <= _place(transform, "__call__")
        if isinstance(transform, ImageTransform) and knows_batches and inputs.ndim == 2 and shape is not None:
            pictures = inputs.reshape(len(inputs), *(1,) * (3 - len(shape)), *shape)
            changed = transform.change_batch(pictures, generator)
            inputs, shape = changed.reshape(len(inputs), -1), changed.shape[1:]
        elif knows_batches:
            inputs = transform.change_batch(inputs, generator)
        else:
            inputs = np.asarray(transform(inputs, *((generator,) if takes_generator(transform) else ())))
    return inputs


def _each(transforms: Sequence[Any]) -> Iterator[Any]:
    """All transforms in order, those inside a plain Compose too."""
    for transform in transforms:
        if type(transform) is Compose:
            yield from _each(transform.transforms)
        else:
            yield transform


def _place(transform: Any, name: str) -> int:
    """How far up among the classes of a transform a method is: a later class of somebody's own goes first."""
    classes = type(transform).__mro__
    return next((number for number, kind in enumerate(classes) if name in vars(kind)), len(classes))


def takes_generator(transform: Any) -> bool:
    """Whether a transform takes a generator behind the inputs: a second argument without a default, or with None."""
    try:
        arguments = list(inspect.signature(transform).parameters.values())
    except ValueError:  # of what is written in C nothing is known
        return False
    if any(argument.kind is inspect.Parameter.VAR_POSITIONAL for argument in arguments):
        return True
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [argument for argument in arguments if argument.kind in by_place]
    return len(places) > 1 and places[1].default in (inspect.Parameter.empty, None)


class AsImages(RandomTransform):
    """Transforms of images for inputs that are rows (N, C * H * W): looked at as (N, *shape), and made rows again."""

    def __init__(self, shape: Sequence[int], *transforms: Transform) -> None:
        super().__init__()
        self.shape = checked_shape(shape)
        self.transform = Compose(transforms)

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """(N, C * H * W), or images (N, C, H, W); of that kind again."""
        rows = inputs.reshape(len(inputs) if inputs.ndim > 1 else 1, -1)
        if rows.shape[1] != math.prod(self.shape):
            raise ShapeError(f"inputs {inputs.shape} cannot be looked at as images {self.shape}")
        changed = of_batch([self.transform], rows.reshape(len(rows), *self.shape), generator)
        if inputs.ndim > 2:
            return changed
        return changed.reshape(len(rows), -1) if inputs.ndim == 2 else changed.reshape(-1)


def checked_shape(shape: Any) -> Shape:
    """A shape of pictures, (C, H, W) or (H, W); UsageError for another one."""
    found = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    if len(found) not in (2, 3) or not all(is_whole(size) and size > 0 for size in found):
        raise UsageError(f"pictures need a shape (channels, rows, columns), not {shape!r}", mend="write (1, 8, 8)")
    return found


class RandomNoise(RandomTransform):
    """Adds draws from a normal distribution of standard deviation `scale`."""

    def __init__(self, scale: float = 0.1, rng: Rng = None) -> None:
        super().__init__(rng)
        self.scale = checked("RandomNoise needs a scale", scale, from_=0)

    def change(self, inputs: Array, generator: np.random.Generator) -> Array:
        """Any shape, kept; float32."""
        noise: Array = generator.standard_normal(inputs.shape, dtype=np.float32)
        noise *= self.scale
        noise += inputs
        return noise
