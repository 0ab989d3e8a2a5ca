"""Every buffer that a model keeps, once."""

from __future__ import annotations

import ctypes
import io
import logging
import re
import sys
import threading
import weakref
from array import array
from collections import deque
from datetime import datetime_CAPI
from decimal import Decimal
from functools import partial
from types import ModuleType

import numba
import numpy as np
import pytest
import scipy.sparse

from tinytorch.benchmarking.footprint import Footprint, footprint
from tinytorch.benchmarking.reachable import is_own
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential

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


SLOTS_BYTES = {  # of what keeps it: references to text, numbers, None, and again to the buffer
    "nested dict": 2 * (8 + 1),
    "dict key's value": 8 + 8,
    "object array": 16,
    "twice": 8,
}


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_a_buffer_is_found_wherever_it_is_kept_and_counted_once(place: str) -> None:
    kept = footprint(HIDING_PLACES[place](WEIGHT))

    assert kept.kept_bytes == WEIGHT.nbytes + SLOTS_BYTES.get(place, 0)


@pytest.mark.parametrize("buffer", [b"x" * 50, bytearray(50), array("b", [0] * 50), np.zeros(50, np.int8)], ids=repr)
def test_every_kind_of_buffer_counts(buffer: object) -> None:
    assert footprint(Holder(buffer)).kept_bytes == 50


def test_a_sparse_matrix_counts_values_indices_and_shape() -> None:
    matrix = scipy.sparse.csr_matrix(np.eye(10))
    arrays = matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes

    assert footprint(Holder(matrix)).kept_bytes == arrays + 8 * len(("shape", "shape", "ten", "maxprint"))


def test_a_cycle_ends() -> None:
    holder = Holder(None)
    holder.value = holder

    assert footprint(holder).kept_bytes == 0


def with_method_of(value: object) -> object:
    class Named:
        weight = value

        def __call__(self, inputs: object) -> object:
            return inputs

    return Named()


def test_a_global_that_the_models_code_names_is_kept() -> None:
    assert footprint(lambda: WEIGHT).kept_bytes == WEIGHT.nbytes


def test_a_class_attribute_of_the_models_own_class_is_kept() -> None:
    assert footprint(with_method_of(WEIGHT)).kept_bytes == WEIGHT.nbytes


def test_a_module_that_belongs_to_the_model_is_kept() -> None:
    module = ModuleType("entry")
    module.weights = WEIGHT  # type: ignore[attr-defined]

    assert footprint(lambda x: x, [module]).kept_bytes == WEIGHT.nbytes


@pytest.mark.parametrize(("folder", "is_models"), [("site-packages", False), ("dist-packages", False), ("work", True)])
def test_an_installed_package_is_a_library_wherever_it_lies(
    folder: str, is_models: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType(f"installed_in_{folder}")
    module.__file__ = f"/somewhere/{folder}/package.py"
    monkeypatch.setitem(sys.modules, module.__name__, module)

    assert is_own(module.__name__) == is_models


def test_a_library_is_not_kept() -> None:
    assert footprint(Holder([np, Linear, scipy.sparse.csr_matrix])).kept_bytes == 0


@pytest.mark.parametrize("name", ["Hidden", "ndarray", "ndarray.Hidden"])
def test_a_class_that_says_it_is_a_librarys_is_kept_all_the_same(name: str) -> None:
    model = with_method_of(WEIGHT)
    type(model).__module__, type(model).__qualname__ = "numpy", name

    assert footprint(model).kept_bytes == WEIGHT.nbytes


NUMBERS = [float(number) for number in range(1000)]
TEXT = "".join(map(chr, range(32, 127))) * 10
DATA = {  # bytes: what a slot of 8 and a number of 8 make of it, or the buffer
    "list of floats": (lambda: list(NUMBERS), 16_000),
    "tuple of integers": (lambda: tuple(range(10_000, 11_000)), 16_000),
    "set": (lambda: set(NUMBERS), 16_000),
    "dict of numbers": (lambda: dict(enumerate(NUMBERS)), 32_000),
    "one float often": (lambda: [1.5] * 1000, 8_008),
    "two objects in some order": (lambda: [Holder, Slotted] * 500, 7_984),
    "booleans": (lambda: [True, False] * 500, 8_000),
    "str": (lambda: TEXT, len(TEXT)),
    "large integer": (lambda: 1 << 7_999, 1_000),
    "bytes": (lambda: b"x" * 1_000, 1_000),
    "np.generic": (lambda: np.float64(1), 8),
    "np.void": (lambda: np.void(b"x" * 1_000), 1_000),
    "ctypes": (lambda: (ctypes.c_double * 125)(), 1_000),
    "BytesIO": (lambda: io.BytesIO(b"x" * 1_000), 1_000),
    "StringIO": (lambda: io.StringIO("x" * 1_000), 1_000),
    "method of an array": (lambda: np.zeros(125).dot, 1_000),
    "operator of an array": (lambda: np.zeros(125).__matmul__, 1_000),
    "objects with a number each": (lambda: [Holder(number) for number in NUMBERS], 8_000),
}


@pytest.mark.parametrize(("make", "size_bytes"), DATA.values(), ids=DATA.keys())
def test_data_cost_their_bytes_whatever_they_are_kept_in(make, size_bytes: int) -> None:
    assert footprint(Holder(make())).kept_bytes == size_bytes


def test_a_pattern_costs_at_least_its_text() -> None:
    """A type of C that says how large it is, though the collector sees nothing in it."""
    assert footprint(Holder(re.compile("abcdefghij" * 1_000))).kept_bytes >= 10_000


def test_what_cannot_be_looked_into_is_named_and_costs_what_it_says() -> None:
    found = footprint(Holder(Decimal("0." + "123456789" * 100)))

    assert found.unseen == ("Decimal",)
    assert found.kept_bytes > 0


def test_what_leads_nowhere_needs_no_looking_into() -> None:
    parts = [np.einsum, np.matmul, np.dtype("f4"), range(9), object(), ..., threading.Lock(), logging.getLogger()]
    parts += [NotImplemented, datetime_CAPI]

    assert footprint(Holder(parts)) == Footprint(0, ())


def test_a_function_that_numba_compiled_leads_to_what_it_was_made_from_alone() -> None:
    """Its machinery is half a megabyte, and nobody's weights."""
    table = np.ones(500)

    @numba.njit
    def multiplied(x: float) -> float:
        return (table * x).sum()

    multiplied(2.0)

    assert footprint(multiplied) == Footprint(table.nbytes, ())


def test_any_kind_of_compiled_function_leads_to_no_machinery() -> None:
    @numba.guvectorize(["void(float64[:], float64[:])"], "(n)->(n)")
    def doubled(values, out):
        out[:] = 2 * values

    assert footprint(doubled).kept_bytes == 0


def test_a_weak_reference_to_what_is_gone_is_passed_over() -> None:
    class Gone:
        pass

    assert footprint([weakref.proxy(Gone())]).unseen == ()


def test_a_model_of_code_alone_keeps_nothing() -> None:
    assert footprint(lambda x: x + 1).kept_bytes == 0


def test_settings_and_documentation_are_no_weights() -> None:
    class Documented:
        """A text that is a good deal longer than a setting may be, because it explains something at length."""

        rate, name = 0.5, "relu"

        def __call__(self, inputs: object, scale: object = None) -> object:
            """Explained at length, too, and longer than any constant of the code that is free."""
            return np.multiply(inputs, scale, casting="unsafe")

    assert footprint(Documented()).kept_bytes == 0


def test_a_linear_network_keeps_four_bytes_a_weight() -> None:
    assert footprint(Sequential(Linear(8, 16), ReLU(), Linear(16, 3))).kept_bytes == 4 * (9 * 16 + 17 * 3)


def test_a_weight_that_two_layers_share_is_kept_once() -> None:
    layer = Linear(8, 8, bias=False)

    assert footprint(Sequential(layer, ReLU(), layer)).kept_bytes == 4 * 64 + 8
