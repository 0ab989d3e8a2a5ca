"""Arrays at addresses, and how all kernels are compiled."""

from __future__ import annotations

from typing import Any

import numba
from numba import njit, types
from numba.extending import intrinsic

FAST = {"nsz", "arcp", "contract", "afn", "reassoc"}  # sums in any order; NaN and infinity stay what they are
kernel = njit(fastmath=FAST, error_model="numpy", nogil=True)


def _pointer_to(kind: Any) -> Any:
    """A function from an address to a pointer."""
    result = types.CPointer(kind)

    @intrinsic
    def pointer(context: Any, address: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], target.get_value_type(result))

        return result(types.int64), generate

    return pointer


_float32, _int8, _uint8 = _pointer_to(types.float32), _pointer_to(types.int8), _pointer_to(types.uint8)
_uint16, _int32, _int64 = _pointer_to(types.uint16), _pointer_to(types.int32), _pointer_to(types.int64)


@kernel
def floats(address, count):
    return numba.carray(_float32(address), count)


@kernel
def signed_bytes(address, count):
    return numba.carray(_int8(address), count)


@kernel
def unsigned_bytes(address, count):
    return numba.carray(_uint8(address), count)


@kernel
def shorts(address, count):
    return numba.carray(_uint16(address), count)


@kernel
def integers(address, count):
    return numba.carray(_int32(address), count)


@kernel
def indices(address, count):
    return numba.carray(_int64(address), count)


@intrinsic
def bits_as_float(context: Any, bits: Any) -> Any:
    """The float32 whose bits an int32 has."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.float32))

    return types.float32(types.int32), generate
