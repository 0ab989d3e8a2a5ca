"""Every buffer that a model keeps, once."""

from __future__ import annotations

from array import array
from collections import deque
from functools import partial

import numpy as np
import pytest
import scipy.sparse

from tinytorch.benchmarking.footprint import footprint

WEIGHT = np.zeros(100, dtype=np.float64)  # 800 bytes


class Holder:
    def __init__(self, value: object) -> None:
        self.value = value

    def method(self) -> None: ...


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def closure_over(value: object):
    return lambda: value


def default_of(value: object):
    def function(kept: object = value) -> None: ...

    return function


HIDING_PLACES = {
    "attribute": Holder,
    "slot": Slotted,
    "list": lambda value: Holder([value]),
    "nested dict": lambda value: Holder({"a": {"b": (value,)}}),
    "dict key's value": lambda value: Holder({1: value}),
    "deque": lambda value: Holder(deque([value])),
    "closure": closure_over,
    "default": default_of,
    "partial": lambda value: partial(print, value),
    "bound method": lambda value: Holder(value).method,
    "view": lambda value: Holder(value[3:5]),
    "memoryview": lambda value: Holder(memoryview(value)),
    "object array": lambda value: Holder(np.array([value, None], dtype=object)[:1]),
    "twice": lambda value: Holder([value, value, value[1:]]),
}


@pytest.mark.parametrize("hide", HIDING_PLACES.values(), ids=HIDING_PLACES.keys())
def test_a_buffer_is_found_wherever_it_is_kept_and_counted_once(hide) -> None:
    overhead = 16 if hide is HIDING_PLACES["object array"] else 0  # the two references themselves

    assert footprint(hide(WEIGHT)).kept_bytes == WEIGHT.nbytes + overhead


@pytest.mark.parametrize("buffer", [b"x" * 50, bytearray(50), array("b", [0] * 50), np.zeros(50, np.int8)], ids=repr)
def test_every_kind_of_buffer_counts(buffer: object) -> None:
    assert footprint(Holder(buffer)).kept_bytes == 50


def test_a_sparse_matrix_counts_values_and_indices() -> None:
    matrix = scipy.sparse.csr_matrix(np.eye(10))

    assert footprint(Holder(matrix)).kept_bytes == matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes


def test_a_cycle_ends() -> None:
    holder = Holder(None)
    holder.value = holder

    assert footprint(holder).kept_bytes == 0


def test_globals_and_classes_are_not_part_of_a_model() -> None:
    assert footprint(lambda: WEIGHT).kept_bytes == 0
