"""Distorted copies of pictures: what a model answers to them tells how robust it is, and of no one who learnt by heart.

A nearest neighbour among the originals finds 95 to 99.7 % of them.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.core.ops import Array

# Standard deviations: of an angle (radians), of size and slope (shares), of the place (widths), of contrast and noise.
ANGLE, SIZE, SLOPE, ACROSS, DOWN, CONTRAST, NOISE = 0.05, 0.03, 0.04, 0.022, 0.016, 0.04, 0.01


def distorted(inputs: Array, generator: np.random.Generator) -> Array:
    """Square pictures (N, ...) in 0..1, float32, each turned, scaled, sheared, moved and paled a little."""
    count, width = len(inputs), math.isqrt(int(np.prod(inputs.shape[1:])))
    pictures = inputs.reshape(count, width, width)
    drawn = generator.normal(0, 1, (5, count, 1, 1)) * np.reshape([ANGLE, SIZE, SLOPE, ACROSS, DOWN], (5, 1, 1, 1))
    angle, size, slope, across, down = drawn
    centre = (width - 1) / 2
    rows, columns = np.mgrid[:width, :width] - centre
    column = (np.cos(angle) * columns + (np.sin(angle) + slope) * rows) * (1 + size) + across * width + centre
    row = (-np.sin(angle) * columns + np.cos(angle) * rows) * (1 + size) + down * width + centre
    contrast = 1 + CONTRAST * generator.normal(0, 1, (count, 1, 1))
    noise = NOISE * generator.normal(0, 1, pictures.shape)
    changed = np.clip(_between(pictures, row, column) * contrast + noise, 0, 1)
    return changed.astype(np.float32).reshape(inputs.shape)


def _between(pictures: Array, row: Array, column: Array) -> Array:
    """What pictures (N, W, W) show at places between their pixels (N, W, W), by bilinear weights; nothing outside."""
    framed = np.pad(pictures, ((0, 0), (1, 2), (1, 2)))
    most = pictures.shape[1] + 1 - 1e-6
    row, column = np.clip(row + 1, 0, most), np.clip(column + 1, 0, most)
    top, left = row.astype(int), column.astype(int)
    low, right = row - top, column - left
    each = np.arange(len(pictures))[:, np.newaxis, np.newaxis]
    upper = framed[each, top, left] * (1 - right) + framed[each, top, left + 1] * right
    lower = framed[each, top + 1, left] * (1 - right) + framed[each, top + 1, left + 1] * right
    shown: Array = upper * (1 - low) + lower * low
    return shown
