"""Windows sliding over images: convolution and pooling, forward and gradients, on plain arrays.

Images are (N, C, H, W): samples, channels, rows, columns of pixels. A convolution copies pixels side by side (im2col)
so that the rest is matrix products (Chellapilla, Puri & Simard 2006). Here it copies only along the columns of a
window, and makes one product for each of its rows (MEC; Cho & Brand 2017): KH times less to copy. For that, results lie
in memory as (H, N, W, C): one row of windows is then one run of memory, and so is one row of all images.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

from tinytorch.core.arrays import Array, matmul

Size = tuple[int, int]


def padded(images: Array, padding: int, value: float = 0) -> Array:
    """images (N, C, H, W) with `padding` more pixels of `value` on each side."""
    if not padding:
        return images
    samples, channels, height, width = images.shape
    shape = (samples, channels, height + 2 * padding, width + 2 * padding)
    wider = _filled(shape, np.result_type(images, np.float32), value)
    wider[:, :, padding:-padding, padding:-padding] = images
    return wider


def output_size(images: Array, kernel: Size, stride: int, padding: int) -> Size:
    """Rows and columns of windows; ValueError when there would be none."""
    if images.ndim != 4:
        raise ValueError("images must be (N, channels, height, width)")
    height, width = (size + 2 * padding for size in images.shape[2:])
    if height < kernel[0] or width < kernel[1]:
        raise ValueError(f"a window {kernel} is larger than the padded image ({height}, {width})")
    return (height - kernel[0]) // stride + 1, (width - kernel[1]) // stride + 1


def conv2d(images: Array, weight: Array, *bias: Array, stride: int, padding: int) -> Array:
    """images (N, C, H, W), weight (O, C, KH, KW), bias (O,) if any -> (N, O, rows, columns)."""
    output_size(images, _image_size(weight), stride, padding)
    if images.shape[1] != weight.shape[1]:
        raise ValueError(f"the images have {images.shape[1]} channels, the weight is for {weight.shape[1]}")
    output = _correlated(padded(images, padding), weight, stride)
    for values in bias:
        output += values[:, None, None]
    return output


def conv2d_images_vjp(
    gradient: Array, _: Array, images: Array, weight: Array, *bias: Array, stride: int, padding: int
) -> Array:
    """The outputs' gradients in the places of their windows, zeros between them, under the kernel turned around.

    Padding that no window reaches over with all but its edge is cut off the result.
    """
    (samples, _, height, width), (outputs, _, rows, columns) = images.shape, weight.shape
    inner = min(padding, rows - 1, columns - 1)
    outer = 2 * (padding - inner)
    placed = _filled((samples, outputs, height + outer + rows - 1, width + outer + columns - 1), gradient.dtype)
    _part(placed, rows - 1 - inner, columns - 1 - inner, stride, _image_size(gradient))[...] = gradient
    return _cropped(_correlated(placed, weight[:, :, ::-1, ::-1].swapaxes(0, 1), 1), padding - inner)


def conv2d_weight_vjp(
    gradient: Array, _: Array, images: Array, weight: Array, *bias: Array, stride: int, padding: int
) -> Array:
    """That of matrix products: strips of pixels, transposed, times the outputs' gradients."""
    outputs, channels, rows, columns = weight.shape
    slopes = _pixels(gradient)
    strips = _strips(padded(images, padding), (rows, columns), stride)
    products = [strip.reshape(len(slopes), strip.shape[-1]).T @ slopes for strip in strips]
    return np.stack(products).reshape(rows, columns, channels, outputs).transpose(3, 2, 0, 1)


def conv2d_bias_vjp(gradient: Array, *_: Array, stride: int, padding: int) -> Array:
    """A bias is added to every pixel of its channel."""
    pixels = _pixels(gradient)
    total: Array = np.ones(len(pixels), gradient.dtype) @ pixels  # a matrix product adds rows up fastest
    return total


def max_pool2d(images: Array, kernel: Size, stride: int, padding: int) -> Array:
    """Largest pixel of each window; (N, C, H, W) -> (N, C, rows, columns)."""
    size = output_size(images, kernel, stride, padding)
    first, *others = _parts(padded(images, padding, -np.inf), kernel, stride, size)
    output = first.copy("K")
    for part in others:
        np.maximum(output, part, out=output)
    return output


def max_pool2d_vjp(gradient: Array, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Array:
    """All to the first pixel that is the largest of its window."""
    source = padded(images, padding, -np.inf)
    slopes = np.zeros_like(source, gradient.dtype)
    windows = (source, slopes)
    remaining = np.empty_like(output, gradient.dtype)  # laid out as the output is, which makes the loop fast
    remaining[...] = gradient
    for pixels, target in zip(*(_parts(array, kernel, stride, _image_size(output)) for array in windows), strict=True):
        share = remaining * (pixels == output)
        target += share
        remaining -= share
    return _cropped(slopes, padding)


def avg_pool2d(images: Array, kernel: Size, stride: int, padding: int) -> Array:
    """Mean of each window, padding counted as zeros; (N, C, H, W) -> (N, C, rows, columns)."""
    size = output_size(images, kernel, stride, padding)
    total, *others = _parts(padded(images, padding), kernel, stride, size)
    for part in others:
        total = total + part
    return total / (kernel[0] * kernel[1])


def avg_pool2d_vjp(gradient: Array, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Array:
    """An equal share to every pixel of a window."""
    slopes = padded(np.zeros_like(images, gradient.dtype), padding)
    share = gradient / (kernel[0] * kernel[1])
    for target in _parts(slopes, kernel, stride, _image_size(output)):
        target += share
    return _cropped(slopes, padding)


def _correlated(images: Array, weight: Array, stride: int) -> Array:
    """images (N, C, H, W) under weight (O, C, KH, KW), without padding -> (N, O, rows, columns)."""
    kernel, outputs = _image_size(weight), len(weight)
    rows, columns = output_size(images, kernel, stride, 0)
    matrices = weight.transpose(2, 3, 1, 0).reshape(kernel[0], -1, outputs)
    total, *others = map(matmul, _strips(images, kernel, stride), matrices)
    for product in others:
        total += product
    return total.reshape(rows, len(images), columns, outputs).transpose(1, 3, 0, 2)


def _strips(images: Array, kernel: Size, stride: int) -> list[Array]:
    """For each row of the kernel what all windows have there, (rows, N * columns, KW * C); views of one copy."""
    rows, columns = output_size(images, kernel, stride, 0)
    samples, channels, height, _ = images.shape
    windows = sliding_window_view(images, kernel[1], axis=3)[:, :, :, ::stride]
    copied = windows.transpose(2, 0, 3, 4, 1).reshape(height, samples * columns, kernel[1] * channels)
    return [copied[top : top + stride * (rows - 1) + 1 : stride] for top in range(kernel[0])]


def _pixels(images: Array) -> Array:
    """(N, C, H, W) -> every pixel as a row, (H * N * W, C)."""
    return images.transpose(2, 0, 3, 1).reshape(-1, images.shape[1])


def _image_size(images: Array) -> Size:
    return images.shape[2], images.shape[3]


def _parts(images: Array, kernel: Size, stride: int, size: Size) -> Iterator[Array]:
    """For each place in the kernel the view (N, C, rows, columns) of what all windows have there."""
    for top, left in itertools.product(range(kernel[0]), range(kernel[1])):
        yield _part(images, top, left, stride, size)


def _part(images: Array, top: int, left: int, stride: int, size: Size) -> Array:
    """View of every `stride`-th pixel from (top, left) on, `size` of them."""
    bottom, right = top + stride * (size[0] - 1) + 1, left + stride * (size[1] - 1) + 1
    return images[:, :, top:bottom:stride, left:right:stride]


def _filled(shape: tuple[int, ...], dtype: DTypeLike, value: float = 0) -> Array:
    """An array of `shape` (N, C, H, W), in memory (H, N, W, C)."""
    samples, channels, height, width = shape
    return np.full((height, samples, width, channels), value, dtype).transpose(1, 3, 0, 2)


def _cropped(images: Array, padding: int) -> Array:
    return images[:, :, padding:-padding, padding:-padding] if padding else images
