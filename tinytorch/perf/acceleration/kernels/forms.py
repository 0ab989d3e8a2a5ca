"""What rows of programs have in common: places of arrays, forms of weights, and how much room kernels need."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from tinytorch.perf.acceleration.kernels.codes import AT_ONCE, BYTE_VALUES, CODES, FLOATS, HALF_BYTE

FLOAT, INDEX, NUMBER = 4, 4, 8  # bytes of a float32, of a place that a kernel notes, of a token or position
Place = Any  # an array, a `Scratch`, or 0


class Scratch(NamedTuple):
    """Memory for kernels' own use, which all rows of all programs share: there is one array for each name."""

    size_bytes: int
    name: str = "work"


class Row(Protocol):
    """Any of the rows below."""

    @property
    def _fields(self) -> tuple[str, ...]: ...

    def spans(self) -> dict[str, int]:
        """For each place how many bytes the kernel reads or writes there."""

    def __iter__(self) -> Any: ...


class Form(NamedTuple):
    """A weight in memory: `size` numbers, floats or codes of so many bits.

    A code stands for (value - zero point) * scale; its value is that of the `table` (`length` floats), or without one
    the code itself, less 2^(bits - 1) where it is packed. There are as many scales as channels along `axis`, or one.
    """

    kind: int
    numbers: Place
    size: int
    bits: int
    table: Place
    length: int
    scale: Place
    scale_bytes: int
    scales: int
    zero_point: Place
    axis: int

    def spans(self) -> dict[str, int]:
        """Codes of all numbers, and what they stand for."""
        bits = {FLOATS: 8 * FLOAT, CODES: 8}.get(self.kind, self.bits)
        return {
            "numbers": -(-bits * self.size // 8),
            "table": FLOAT * self.length,
            "scale": self.scale_bytes * self.scales,
            "zero_point": self.scales,
        }


FORM_NUMBERS = len(Form._fields)


def index_bytes(height: int) -> int:
    """Room for the places of `height` numbers, and one more."""
    return INDEX * (height + 1)


def coded_bytes(form: Form, height: int, width: int) -> int:
    """Room for places; of packed codes for a few rows as numbers, too, and for both values of every byte."""
    if form.kind == CODES:
        return index_bytes(height)
    pairs = 2 * BYTE_VALUES * FLOAT if form.length and form.bits == HALF_BYTE else 0
    return aligned(index_bytes(height)) + AT_ONCE * (INDEX + FLOAT + FLOAT * width) + pairs


def aligned(size_bytes: int) -> int:
    """The next multiple of eight bytes."""
    return (size_bytes + NUMBER - 1) // NUMBER * NUMBER


def attend_bytes(size: int, length: int) -> int:
    """Room for scores, a query, and places of what is not zero among either."""
    return FLOAT * (length + size) + index_bytes(length + size)


def strided(rows: int, size: int, stride: int) -> int:
    """Numbers from the first of `rows` to the end of the last."""
    return (rows - 1) * stride + size if rows else 0
