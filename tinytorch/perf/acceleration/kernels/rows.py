"""What programs consist of: one row for each call of a kernel, its numbers by name.

`machine` writes them, kernels read them under the same names. In Python the place of an array holds the array itself;
`encoded` puts its address there, after a look at whether it is as long as the kernel will read or write: `spans` gives
bytes for each. Where nothing is needed there is a 0. Kernels cannot check any more, and would write anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.perf.acceleration.kernels.codes import AT_ONCE, BYTE_VALUES, CODES, FLOATS, HALF_BYTE
from tinytorch.perf.acceleration.memory import aligned_zeros

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


class Product(NamedTuple):
    """y (rows, width) = x (rows, height) @ weight (height, width) + bias, then the activation; `stride` of x's rows."""

    x: Place
    y: Place
    weight: Place
    bias: Place
    rows: int
    height: int
    width: int
    stride: int
    activation: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """The matrices, and places of what is not zero."""
        return {
            **_matrices(self),
            "weight": FLOAT * self.height * self.width,
            "bias": FLOAT * self.width,
            "scratch": index_bytes(self.height),
        }


class Coded(NamedTuple):
    """The same with a weight of codes; a bias may be float16."""

    x: Place
    y: Place
    form: Place
    bias: Place
    bias_bytes: int
    rows: int
    height: int
    width: int
    stride: int
    activation: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """The matrices, and room in which codes become numbers."""
        return {
            **_matrices(self),
            "form": NUMBER * FORM_NUMBERS,
            "bias": self.bias_bytes * self.width,
            "scratch": coded_bytes(Form(*map(int, self.form)), self.height, self.width),
        }


class Sparse(NamedTuple):
    """The same with compressed sparse rows: `values` in `columns` (uint16), row i from starts[i] on."""

    x: Place
    y: Place
    values: Place
    columns: Place
    starts: Place
    size: int
    bias: Place
    rows: int
    height: int
    width: int
    stride: int
    activation: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """The matrices, and places of what is not zero."""
        return {
            **_matrices(self),
            "values": FLOAT * self.size,
            "columns": 2 * self.size,
            "starts": INDEX * (self.height + 1),
            "bias": FLOAT * self.width,
            "scratch": index_bytes(self.height),
        }


class Unary(NamedTuple):
    """y = the activation of x, `size` numbers."""

    x: Place
    y: Place
    size: int
    activation: int

    def spans(self) -> dict[str, int]:
        """All numbers."""
        return dict.fromkeys(("x", "y"), FLOAT * self.size)


class Binary(NamedTuple):
    """y = a with b: as many numbers as a, (rows, size), a row of them, or one; rows of a and y lie `stride` apart."""

    a: Place
    b: Place
    y: Place
    operation: int
    rows: int
    size: int
    stride: int
    b_size: int

    def spans(self) -> dict[str, int]:
        """All numbers."""
        whole = FLOAT * strided(self.rows, self.size, self.stride)
        return {"a": whole, "b": FLOAT * self.b_size, "y": whole}


class Normalize(NamedTuple):
    """y (rows, size) = x less its mean, unless that is zero already, by the root of its variance and a little."""

    x: Place
    y: Place
    rows: int
    size: int
    stride: int
    is_centred: int
    epsilon_bits: int  # of a float32

    def spans(self) -> dict[str, int]:
        """Both matrices."""
        return {"x": FLOAT * strided(self.rows, self.size, self.stride), "y": FLOAT * self.rows * self.size}


class Softmax(NamedTuple):
    """y (rows, size) = softmax of each row of x."""

    x: Place
    y: Place
    rows: int
    size: int

    def spans(self) -> dict[str, int]:
        """Both matrices."""
        return dict.fromkeys(("x", "y"), FLOAT * self.rows * self.size)


class Convolve(NamedTuple):
    """Padded images (samples, lines, pixels, channels) under a matrix (kernel rows, strip, outputs), bias, activation.

    A `strip` is what one row of the kernel meets: columns times channels. `pixel_bytes` and `row_bytes` lie between
    windows, `line_bytes` between rows of an image, `image_bytes` between images.
    """

    x: Place
    y: Place
    matrix: Place
    bias: Place
    samples: int
    rows: int
    columns: int
    strip: int
    outputs: int
    kernel_rows: int
    pixel_bytes: int
    row_bytes: int
    image_bytes: int
    line_bytes: int
    activation: int

    def spans(self) -> dict[str, int]:
        """The last window of the last image is what is read last."""
        last = (self.samples - 1) * self.image_bytes + (self.rows - 1) * self.row_bytes
        last += (self.kernel_rows - 1) * self.line_bytes + (self.columns - 1) * self.pixel_bytes
        return {
            "x": last + FLOAT * self.strip,
            "y": FLOAT * self.samples * self.rows * self.columns * self.outputs,
            "matrix": FLOAT * self.kernel_rows * self.strip * self.outputs,
            "bias": FLOAT * self.outputs,
        }


class Pool(NamedTuple):
    """y (samples, rows, columns, channels) = the largest, or the mean, of each window of images x."""

    x: Place
    y: Place
    samples: int
    rows: int
    columns: int
    channels: int
    kernel_rows: int
    kernel_columns: int
    stride: int
    height: int
    width: int
    is_mean: int

    def spans(self) -> dict[str, int]:
        """All images: windows end inside them."""
        reached = (
            self.stride * (self.rows - 1) + self.kernel_rows,
            self.stride * (self.columns - 1) + self.kernel_columns,
        )
        height, width = max(self.height, reached[0]), max(self.width, reached[1])
        return {
            "x": FLOAT * self.samples * height * width * self.channels,
            "y": FLOAT * self.samples * self.rows * self.columns * self.channels,
        }


class Move(NamedTuple):
    """y = x, four axes of these sizes; strides count numbers."""

    x: Place
    y: Place
    first: int
    second: int
    third: int
    last: int
    x0: int
    x1: int
    x2: int
    x3: int
    y0: int
    y1: int
    y2: int
    y3: int

    def spans(self) -> dict[str, int]:
        """From the first number to the last one."""
        sizes = (self.first, self.second, self.third, self.last)
        return {
            name: FLOAT * (1 + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True)))
            for name, steps in (("x", self[6:10]), ("y", self[10:14]))
        }


class Lookup(NamedTuple):
    """y (rows, size) = rows of a table for tokens."""

    tokens: Place
    y: Place
    table: Place
    rows: int
    size: int

    def spans(self) -> dict[str, int]:
        """Tokens and vectors; which rows of the table are read, tokens say: those are checked before."""
        return {
            "tokens": NUMBER * self.rows,
            "y": FLOAT * self.rows * self.size,
            "table": NUMBER * FORM_NUMBERS,
        }


class Positions(NamedTuple):
    """y (samples, new, size) = x plus rows of a table for positions from `start` on."""

    x: Place
    y: Place
    table: Place
    start: Place
    samples: int
    new: int
    size: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """Vectors, and room for a row of the table."""
        vectors = FLOAT * self.samples * self.new * self.size
        return {
            "x": vectors,
            "y": vectors,
            "table": NUMBER * FORM_NUMBERS,
            "start": NUMBER,
            "scratch": FLOAT * self.size,
        }


class Hold(NamedTuple):
    """Keys and values of `projected` (samples, new, 3, heads, size) into a cache of `length` positions."""

    projected: Place
    keys: Place
    values: Place
    start: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int

    def spans(self) -> dict[str, int]:
        """What is projected, and the cache."""
        return _cache(self)


class Attend(NamedTuple):
    """y (samples, new, heads, size) = attention of queries over what a cache holds up to each of them."""

    projected: Place
    keys: Place
    values: Place
    start: Place
    y: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """What is projected, the cache, and room for scores."""
        return {
            **_cache(self),
            "y": FLOAT * self.samples * self.new * self.heads * self.size,
            "scratch": attend_bytes(self.size, self.length),
        }


class HoldCodes(NamedTuple):
    """The same as codes (int8), with the step of each vector."""

    projected: Place
    keys: Place
    values: Place
    key_steps: Place
    value_steps: Place
    start: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int

    def spans(self) -> dict[str, int]:
        """What is projected, and the cache."""
        return _coded_cache(self)


class AttendCodes(NamedTuple):
    """The same over codes."""

    projected: Place
    keys: Place
    values: Place
    key_steps: Place
    value_steps: Place
    start: Place
    y: Place
    samples: int
    new: int
    heads: int
    size: int
    length: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """What is projected, the cache, and room for scores."""
        return {
            **_coded_cache(self),
            "y": FLOAT * self.samples * self.new * self.heads * self.size,
            "scratch": attend_bytes(self.size, self.length),
        }


class Decode(NamedTuple):
    """matrix (places, channels, outputs) = a convolution's weight of codes (outputs, channels, places)."""

    form: Place
    matrix: Place
    outputs: int
    channels: int
    places: int
    scratch: Place

    def spans(self) -> dict[str, int]:
        """The matrix, and one output's weights."""
        return {
            "form": NUMBER * FORM_NUMBERS,
            "matrix": FLOAT * self.outputs * self.channels * self.places,
            "scratch": FLOAT * self.channels * self.places,
        }


KINDS: tuple[type[Any], ...] = (
    Product, Coded, Sparse, Unary, Binary, Normalize, Softmax, Convolve, Pool, Move, Lookup, Positions, Hold, Attend,
    HoldCodes, AttendCodes, Decode,
)  # fmt: skip
"""All rows; a row in a program begins with its place in here."""


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


def _matrices(row: Any) -> dict[str, int]:
    return {"x": FLOAT * strided(row.rows, row.height, row.stride), "y": FLOAT * row.rows * row.width}


def _cache(row: Any) -> dict[str, int]:
    heads = FLOAT * row.samples * row.heads
    return {
        "projected": 3 * heads * row.new * row.size,
        "keys": heads * (row.size + 1) * row.length,
        "values": heads * row.length * (row.size + 1),
        "start": NUMBER,
    }


def _coded_cache(row: Any) -> dict[str, int]:
    vectors = row.samples * row.heads * row.length
    return {
        "projected": 3 * FLOAT * row.samples * row.heads * row.new * row.size,
        **dict.fromkeys(("keys", "values"), vectors * row.size),
        **dict.fromkeys(("key_steps", "value_steps"), FLOAT * vectors),
        "start": NUMBER,
    }


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
