"""Weights that are kept small: in another form than an array of floats, from which one is made when it is needed.

A `CompactWeight` stands in a layer in the place of its weight, for inference; the layer stays what it is. The forms are
techniques (`tinytorch.perf`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from tinytorch.core.ops import Array, Shape
from tinytorch.core.tensor import Tensor, apply

LARGEST_CODE = 127
PAIR = 12  # bits: so many make two symbols of three bytes
SMALLEST_STEP = np.finfo(np.float32).tiny  # of a vector that is zero


@dataclass(frozen=True)
class Codes:
    """A weight as kernels read it: (value - zero_point) * scale.

    `codes` of 8 bits are int8 in the weight's shape, and the values themselves. Fewer `bits`, and all with a `table`,
    are uint8, packed in order: places of values in the table, or without one 2^(bits - 1) more than the value. Scales
    (float16 or float32) and zero points (int8) are those of channels along `axis`, or of all (1,); None stands for 1.
    """

    codes: Array
    table: Array | None = None
    bits: int = 8
    scale: Array | None = None
    zero_point: Array | None = None
    axis: int = 0


@dataclass(frozen=True)
class Rows:
    """A matrix as compressed sparse rows: `values` in `columns`, those of row i from starts[i] to starts[i + 1]."""

    values: Array
    columns: Array
    starts: Array


@dataclass(frozen=True)
class Factors:
    """A matrix as the product of two, each a tensor or compact itself."""

    left: Any
    right: Any


class CompactWeight:
    """Base of all forms: give `shape` and write `dense`. Operations take it for a tensor without a gradient.

    `fields` may name all its attributes: a file then holds their values without the names.
    """

    fields: ClassVar[tuple[str, ...]] = ()
    shape: Shape
    requires_grad = _requires_grad = False
    grad = None
    _origin = None

    def dense(self) -> Array:
        """The weight as a new array of floats; nobody keeps it."""
        raise NotImplementedError(f"{type(self).__qualname__} has no dense()")

    def rows(self, index: Any) -> Array:
        """`dense()[index]`; a form may make those rows alone."""
        rows: Array = self.dense()[index]
        return rows

    def multiply(self, inputs: Tensor) -> Tensor:
        """inputs (..., rows) times this matrix (rows, columns); a form may know a shorter way."""
        product: Tensor = apply("matmul", inputs, Tensor(self.dense()))
        return product

    def recoded(self, make: Callable[..., CompactWeight | None]) -> CompactWeight | None:
        """The same form over values that `make` keeps in another one; None for a form that cannot be combined.

        `make` takes a tensor of values, and the axis of its channels where it has one.
        """
        return None

    def readable(self) -> Codes | Rows | Factors | None:
        """This weight for kernels, its arrays not copied; None for a form that none can read."""
        return None

    @property
    def data(self) -> Array:
        """What a tensor has under this name, made anew each time."""
        return self.dense()

    @property
    def T(self) -> Tensor:  # noqa: N802
        """A matrix with its axes swapped, as floats."""
        return Tensor(self.dense().T)

    @property
    def size(self) -> int:
        """Number of logical weights."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays that it keeps."""
        items = (item.data if isinstance(item, Tensor) else item for item in vars(self).values())
        return sum(item.nbytes for item in items if isinstance(item, (np.ndarray, CompactWeight)))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __reduce__(self) -> tuple[Callable[..., CompactWeight], tuple[Any, ...]]:
        names = self.fields or tuple(vars(self))
        return _restored, (type(self), None if self.fields else names, *(vars(self)[name] for name in names))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor(self.rows(index))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.dense().astype(dtype, copy=False)


def _restored(form: type[CompactWeight], names: tuple[str, ...] | None, *values: Any) -> CompactWeight:
    """A form from a file."""
    made = form.__new__(form)
    vars(made).update(zip(names or form.fields, values, strict=True))
    return made


def coded_vectors(vectors: Array) -> tuple[Array, Array]:
    """Vectors (..., size) as whole numbers -127..127, and the step (...) of each that they stand for multiples of."""
    steps: Array = np.maximum(np.abs(vectors).max(axis=-1) / LARGEST_CODE, SMALLEST_STEP)
    return np.rint(vectors / steps[..., None]), steps


def pack(codes: Array, bits: int) -> Array:
    """Codes of 0..2^bits - 1, `bits` of each one after the other, the first in the lowest bits of the first byte."""
    if 8 % bits:
        single = np.unpackbits(codes.astype(np.uint8).reshape(-1, 1), axis=1, count=bits, bitorder="little")
        return np.packbits(single, bitorder="little")
    each = 8 // bits
    filled = np.zeros(-(-codes.size // each) * each, np.uint8)
    filled[: codes.size] = codes.ravel()
    packed = filled[::each].copy()
    for place in range(1, each):
        packed |= filled[place::each] << (bits * place)
    return packed


def unpack(packed: Array, bits: int, shape: Shape) -> Array:
    """What `pack` was given, uint8 in that shape."""
    return looked_up(packed, bits, np.arange(2**bits, dtype=np.uint8), shape)


def looked_up(packed: Array, bits: int, values: Array, shape: Shape) -> Array:
    """For each code of `pack` its value; several codes at a time, which takes a tenth of the time of each by itself."""
    count = math.prod(shape)
    if 8 % bits and PAIR % bits:
        single = np.unpackbits(packed, count=bits * count, bitorder="little").reshape(count, bits)
        return _of(np.packbits(single, axis=1, bitorder="little").reshape(shape), values)
    symbols, codes = (packed, _codes(8, bits)) if 8 % bits == 0 else (_symbols(packed), _codes(PAIR, bits))
    if count < codes.size:  # a table of values would be larger than what is looked up
        return _of(np.take(codes, symbols, axis=0).reshape(-1)[:count].reshape(shape), values)
    return np.take(_of(codes, values), symbols, axis=0).reshape(-1)[:count].reshape(shape)


def _of(codes: Array, values: Array) -> Array:
    """Codes that nothing has are those of the last value."""
    found: Array = values[np.minimum(codes, len(values) - 1)]
    return found


@cache
def _codes(symbol_bits: int, bits: int) -> Array:
    """The codes (2^symbol_bits, each) that lie in every symbol of so many bits, the first in the lowest."""
    symbols = np.arange(2**symbol_bits)
    codes: Array = ((symbols[:, None] >> np.arange(0, symbol_bits, bits)) & (2**bits - 1)).astype(np.uint8)
    return codes


def _symbols(packed: Array) -> Array:
    """Three bytes after three bytes as two symbols of twelve bits each; behind the last there may be zeros."""
    filled = np.zeros(-(-packed.size // 3) * 3, np.uint16)
    filled[: packed.size] = packed
    first, second, third = filled.reshape(-1, 3).T
    return np.stack([first | (second & 15) << 8, second >> 4 | third << 4], axis=1).reshape(-1)
