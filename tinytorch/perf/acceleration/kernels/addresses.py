"""Arrays at addresses, rows of programs, and how all kernels are compiled."""

from __future__ import annotations

from typing import Any

import numba
from numba import njit, types
from numba.extending import intrinsic
from numba.np.unsafe.ndarray import to_fixed_tuple

FAST = {"nsz", "arcp", "contract", "afn", "reassoc"}  # sums in any order; NaN and infinity stay what they are
kernel = njit(fastmath=FAST, error_model="numpy", nogil=True)


def reader(row: Any) -> Any:
    """A function that takes a row of that type off a program (`rows`), from a place on."""
    count = len(row._fields)

    @kernel
    def read(program, place):
        return row(*to_fixed_tuple(program[place : place + count], count))

    return read


def _pointer_to(kind: Any) -> Any:
    """A function from an address to a pointer."""
    result = types.CPointer(kind)

    @intrinsic
    def pointer(context: Any, address: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], target.get_value_type(result))

        return result(types.int64), generate

    return pointer


def _arrays_of(kind: Any) -> Any:
    """A function from an address and a count to the array that lies there."""
    pointer = _pointer_to(kind)

    @kernel
    def array(address, count):
        return numba.carray(pointer(address), count)

    return array


floats, integers, indices = _arrays_of(types.float32), _arrays_of(types.int32), _arrays_of(types.int64)
doubles = _arrays_of(types.float64)
signed_bytes, unsigned_bytes, shorts = _arrays_of(types.int8), _arrays_of(types.uint8), _arrays_of(types.uint16)


@intrinsic
def bits_as_float(context: Any, bits: Any) -> Any:
    """The float32 whose bits an int32 has."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.float32))

    return types.float32(types.int32), generate
