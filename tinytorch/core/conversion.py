"""What callers write as data, shapes, indices and numbers of things, as the arrays that the framework computes with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinytorch.core.arrays import Array
from tinytorch.errors import UsageError

DEFAULT_DTYPE = np.dtype(np.float32)
DEEPEST = 64  # axes that an array can have in numpy


def as_array(data: Any, dtype: DTypeLike | None) -> Array:
    """Numbers, their lists and floating arrays as float32; truth values, their lists and integer arrays as they are.

    With `dtype` all are of that type. Raises UsageError for what is not numeric, and for a masked array.
    """
    if isinstance(data, np.ma.MaskedArray):
        raise UsageError("a tensor has no mask, and this array has one", mend="write array.filled(value)")
    try:
        array = np.asarray(data, dtype)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"a tensor needs numbers in rows of equal length: {error}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"a tensor needs numbers, not {array.dtype}")
    is_plain = isinstance(data, (int, float, list, tuple)) and not isinstance(data, np.generic)
    is_typed = dtype is not None or array.dtype.kind == "b" or (array.dtype.kind != "f" and not is_plain)
    return array if is_typed else array.astype(DEFAULT_DTYPE, copy=False)


def inner_items(data: Any, depth: int = DEEPEST) -> Iterator[Any]:
    """What lists and tuples in one another hold; UsageError for a list that contains itself."""
    if not depth:
        raise UsageError(f"lists in lists may be {DEEPEST} deep, not more", mend="look whether a list contains itself")
    for item in data:
        if isinstance(item, (list, tuple)):
            yield from inner_items(item, depth - 1)
        else:
            yield item


def unpacked(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(1, 2)` and `f((1, 2))` mean the same."""
    return tuple(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], (tuple, list)) else arguments


def plain_index(index: Any) -> Any:
    """An index with arrays in the place of tensors and lists; whole numbers that became floating are integers again."""
    if isinstance(index, tuple):
        return tuple(plain_index(part) for part in index)
    if index is None or index is Ellipsis or isinstance(index, (int, slice)):
        return index
    return whole_numbers(index)


def whole_numbers(values: Any) -> Array:
    """`values` as an array; as integers, where they are floating and all of them whole: a list in a tensor is so."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and np.array_equal(array, np.rint(array)) and np.isfinite(array).all():
        return array.astype(np.int64)
    return array
