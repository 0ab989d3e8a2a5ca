"""Whether samples are in the public data, however they were mirrored, moved or cut."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tinytorch.core.ops import Array
from tinytorch.datasets.digits import public_digits
from tinytorch.datasets.fashion import ROWS, public_pictures, unpacked
from tinytorch.datasets.words import LENGTH, Text, text_of

MOVED_BY = 2  # at most, one of two pictures that were both moved by up to one pixel against the other
INSIDE = slice(MOVED_BY, ROWS - MOVED_BY)
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd: any would do

Mask = NDArray[np.bool_]
Hashes = NDArray[np.uint64]


def pictures_seen(pairs: Array) -> Mask:
    """Which of the pictures, packed (N, 392), are public ones, mirrored or moved in another way perhaps.

    Of two copies of a picture, each moved by up to one pixel, the inside of one, without two rows and columns on each
    side, lies whole in the other: every one of 25 places is looked at.
    """
    known = _public_insides()
    windows = sliding_window_view(unpacked(pairs), (ROWS - 2 * MOVED_BY,) * 2, axis=(1, 2))
    is_seen = np.zeros(len(pairs), bool)
    for row in range(windows.shape[1]):
        for column in range(windows.shape[2]):
            is_seen |= _are_known(_hashes(windows[:, row, column]), known)
    return is_seen


@cache
def _public_insides() -> Hashes:
    """Of every public picture as it is, and as it is in a mirror."""
    insides = [unpacked(pairs)[:, INSIDE, INSIDE] for pairs in public_pictures()]
    return np.sort(np.concatenate([_hashes(seen) for inside in insides for seen in (inside, inside[..., ::-1])]))


def _are_known(hashes: Hashes, known: Hashes) -> Mask:
    """Which of the hashes are among the known ones, which are sorted."""
    places = np.searchsorted(known, hashes)
    return np.equal(known[np.minimum(places, len(known) - 1)], hashes)


def _hashes(pictures: Array) -> Hashes:
    """A number for each picture (N, ...): a polynomial of its pixels, modulo 2^64."""
    flat = pictures.reshape(len(pictures), -1)
    powers = np.cumprod(np.full(flat.shape[1], BASE), dtype=np.uint64)
    found: Hashes = flat.astype(np.uint64) @ powers
    return found


def digits_seen(images: Array) -> Mask:
    """Which of the digits, uint8 (N, 8, 8), are public ones."""
    known = np.sort(_hashes(public_digits()))
    return _are_known(_hashes(images), known)


def letters_seen(text: Text, starts: Array) -> Mask:
    """Which prompts of a text, from the letters number `starts` (N,) on, stand somewhere in the public texts."""
    return _are_known(_prompt_hashes(text.letters)[starts], _public_prompts())


@cache
def _public_prompts() -> Hashes:
    """Of every 64 letters in a row, wherever they begin."""
    return np.sort(np.concatenate([_prompt_hashes(text_of(split).letters) for split in ("train", "test")]))


def _prompt_hashes(letters: Array) -> Hashes:
    """A number for every 64 letters in a row: of twice as many letters from two numbers, six times (Karp & Rabin)."""
    hashes, length = letters.astype(np.uint64) + np.uint64(1), 1
    while length < LENGTH:
        hashes = hashes[:-length] * np.uint64(pow(int(BASE), length, 2**64)) + hashes[length:]
        length *= 2
    return hashes
