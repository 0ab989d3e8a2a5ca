"""Running a program, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zlib import crc32

from numba import njit

from tinytorch.perf.acceleration.kernels import attention, elementwise, products
from tinytorch.perf.acceleration.kernels.addresses import FAST
from tinytorch.perf.acceleration.kernels.codes import (
    ATTEND,
    BINARY,
    CONVOLVE,
    DECODE,
    EMBED,
    HOLD,
    LINEAR,
    MOVE,
    NORMALIZE,
    POOL,
    SOFTMAX,
    UNARY,
)

linear, convolve, decode = products.linear, products.convolve, products.decode
unary, binary, normalize, softmax = (
    elementwise.unary,
    elementwise.binary,
    elementwise.normalize,
    elementwise.softmax,
)
pool, move = elementwise.pool, elementwise.move
embed, hold, attend = attention.embed, attention.hold, attention.attend


def _cached(sources: int) -> Any:
    """The function. numba keeps it for a set of values that it closes over: here the sources of all kernels."""

    @njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
    def run(program):
        for number in range(len(program) if sources else 0):
            row = program[number]
            kind = row[0]
            if kind == LINEAR:
                linear(row)
            elif kind == UNARY:
                unary(row)
            elif kind == BINARY:
                binary(row)
            elif kind == NORMALIZE:
                normalize(row)
            elif kind == SOFTMAX:
                softmax(row)
            elif kind == CONVOLVE:
                convolve(row)
            elif kind == POOL:
                pool(row)
            elif kind == MOVE:
                move(row)
            elif kind == EMBED:
                embed(row)
            elif kind == HOLD:
                hold(row)
            elif kind == ATTEND:
                attend(row)
            elif kind == DECODE:
                decode(row)

    return run


_FILES = sorted(Path(__file__).parent.glob("*.py"))
run = _cached(1 + crc32(b"".join(path.read_bytes() for path in _FILES)))
"""Runs every row of a program (rows, ROW_SIZE), int64, C-contiguous, in order."""
