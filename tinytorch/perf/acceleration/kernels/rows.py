"""The rows of programs: one for each call of a kernel, its numbers by name.

`writer` writes them, kernels read them under the same names. In Python the place of an array holds the array itself;
`encoding` puts its address there, after a look at whether it is as long as the kernel will read or write: `spans` gives
bytes for each. Where nothing is needed there is a 0. Kernels cannot check any more, and would write anywhere. Those of
sequences of tokens are in `sequence_rows`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tinytorch.perf.acceleration.kernels.forms import (
    FLOAT,
    FORM_NUMBERS,
    INDEX,
    NUMBER,
    Form,
    Place,
    coded_bytes,
    index_bytes,
    strided,
)


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
    bias_bytes: int
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
            "bias": self.bias_bytes * self.width,
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
    windows, `line_bytes` between rows of an image, `image_bytes` between images. A bias may be float16.
    """

    x: Place
    y: Place
    matrix: Place
    bias: Place
    bias_bytes: int
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
            "bias": self.bias_bytes * self.outputs,
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


def _matrices(row: Any) -> dict[str, int]:
    return {"x": FLOAT * strided(row.rows, row.height, row.stride), "y": FLOAT * row.rows * row.width}
