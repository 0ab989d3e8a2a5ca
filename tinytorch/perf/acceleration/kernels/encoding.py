"""Rows as the numbers of a program, with the addresses of arrays in the places of these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.perf.acceleration.kernels import rows, sequence_rows
from tinytorch.perf.acceleration.kernels.forms import FLOAT, Form, Row, Scratch
from tinytorch.perf.acceleration.memory import aligned_zeros

KINDS: tuple[type[Any], ...] = (
    rows.Product, rows.Coded, rows.Sparse, rows.Unary, rows.Binary, rows.Normalize, rows.Softmax, rows.Convolve,
    rows.Pool, rows.Move, sequence_rows.Lookup, sequence_rows.Positions, sequence_rows.Hold, sequence_rows.Attend,
    sequence_rows.HoldCodes, sequence_rows.AttendCodes, rows.Decode,
)  # fmt: skip
"""All rows; a row in a program begins with its place in here."""


def scratch_of(table: Iterable[Row]) -> dict[str, Array]:
    """The scratch memory that these rows need."""
    needed: dict[str, int] = {}
    for item in (item for row in table for item in row if isinstance(item, Scratch)):
        needed[item.name] = max(item.size_bytes, needed.get(item.name, 0))
    return {name: aligned_zeros((-(-size_bytes // FLOAT),)) for name, size_bytes in needed.items()}


def encoded(table: Iterable[Row], scratch: Mapping[str, Array], kept: list[Array]) -> Array:
    """A program, int64, of rows one after the other; the arrays whose addresses are in it are appended to `kept`.

    Raises RuntimeError for an array that is shorter than what a kernel reads or writes: a fault of who wrote the row.
    """
    numbers = [number for row in table for number in (KINDS.index(type(row)), *_numbers(row, scratch, kept))]
    return np.array(numbers, np.int64)


def encoded_form(form: Form, kept: list[Array]) -> Array:
    """A form as numbers in memory; as `encoded`."""
    return np.array(list(_numbers(form, {}, kept)), np.int64)


def _numbers(row: Any, scratch: Mapping[str, Array], kept: list[Array]) -> Iterator[int]:
    spans = row.spans()
    for name, item in zip(row._fields, row, strict=True):
        array = scratch[item.name] if isinstance(item, Scratch) else item
        if not isinstance(array, np.ndarray):
            yield int(array)
            continue
        kept.append(array)
        address: int = array.__array_interface__["data"][0]  # `ctypes.data` takes four times as long
        if spans[name] > _extent(array):
            kernel = type(row).__name__
            raise RuntimeError(f"{kernel} needs {spans[name]} bytes of {name}, and there are {_extent(array)}")
        yield address


def _extent(array: Array) -> int:
    """Bytes from the first number of an array to the end of the last."""
    if not array.size:
        return 0
    steps = zip(array.shape, array.strides, strict=True)
    return int(array.itemsize + sum((size - 1) * stride for size, stride in steps))
