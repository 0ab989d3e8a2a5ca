"""Running a program, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zlib import crc32

from numba import njit

from tinytorch.perf.acceleration.kernels import attention, elementwise, products, weights
from tinytorch.perf.acceleration.kernels.addresses import FAST, reader
from tinytorch.perf.acceleration.kernels.encoding import KINDS

(
    PRODUCT, CODED, SPARSE, UNARY, BINARY, NORMALIZE, SOFTMAX, CONVOLVE, POOL, MOVE, LOOKUP, POSITIONS, HOLD, ATTEND,
    HOLDCODES, ATTENDCODES, DECODE,
) = range(len(KINDS))  # fmt: skip
(
    read_product, read_coded, read_sparse, read_unary, read_binary, read_normalize, read_softmax, read_convolve,
    read_pool, read_move, read_lookup, read_positions, read_hold, read_attend, read_hold_codes, read_attend_codes,
    read_decode,
) = map(reader, KINDS)  # fmt: skip
product, coded, sparse, convolve = products.product, products.coded, products.sparse, products.convolve
decode, unary, binary, normalize = weights.decode, elementwise.unary, elementwise.binary, elementwise.normalize
softmax, pool, move = elementwise.softmax, elementwise.pool, elementwise.move
lookup, positions, hold, attend = attention.lookup, attention.positions, attention.hold, attention.attend
hold_codes, attend_codes = attention.hold_codes, attention.attend_codes
LENGTHS = tuple(1 + len(kind._fields) for kind in KINDS)


def _cached(sources: int) -> Any:
    """The function. numba keeps it for a set of values that it closes over: here the sources of all kernels."""

    @njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
    def run(program):
        place = 0
        while place < (len(program) if sources else 0):
            kind, first = program[place], place + 1
            if kind == PRODUCT:
                product(read_product(program, first))
            elif kind == CODED:
                coded(read_coded(program, first))
            elif kind == SPARSE:
                sparse(read_sparse(program, first))
            elif kind == UNARY:
                unary(read_unary(program, first))
            elif kind == BINARY:
                binary(read_binary(program, first))
            elif kind == NORMALIZE:
                normalize(read_normalize(program, first))
            elif kind == SOFTMAX:
                softmax(read_softmax(program, first))
            elif kind == CONVOLVE:
                convolve(read_convolve(program, first))
            elif kind == POOL:
                pool(read_pool(program, first))
            elif kind == MOVE:
                move(read_move(program, first))
            elif kind == LOOKUP:
                lookup(read_lookup(program, first))
            elif kind == POSITIONS:
                positions(read_positions(program, first))
            elif kind == HOLD:
                hold(read_hold(program, first))
            elif kind == ATTEND:
                attend(read_attend(program, first))
            elif kind == HOLDCODES:
                hold_codes(read_hold_codes(program, first))
            elif kind == ATTENDCODES:
                attend_codes(read_attend_codes(program, first))
            elif kind == DECODE:
                decode(read_decode(program, first))
            place += LENGTHS[kind]

    return run


_FILES = sorted(Path(__file__).parent.glob("*.py"))
run = _cached(1 + crc32(b"".join(path.read_bytes() for path in _FILES)))
"""Runs every row of a program (`rows.encoded`), in order."""
