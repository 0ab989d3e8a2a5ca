"""Instructions as rows for the compiled kernels (`kernels/rows`); none where there is no kernel for one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.compact import Codes, CompactWeight, Factors, Rows
from tinytorch.core.layers import Linear
from tinytorch.core.ops import Array, Shape
from tinytorch.core.spatial import Conv2d
from tinytorch.core.tensor import Tensor
from tinytorch.core.windows import Size
from tinytorch.perf.acceleration.binding import as_matrix, as_vectors
from tinytorch.perf.acceleration.kernels import codes, rows, sequence_rows
from tinytorch.perf.acceleration.kernels.encoding import encoded_form
from tinytorch.perf.acceleration.kernels.forms import FLOAT, Form, Scratch, attend_bytes, coded_bytes, index_bytes
from tinytorch.perf.acceleration.layout import conv_matrix
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.trace import LAYER

Table = list[Any]  # rows of a program

UNARY = {"relu": codes.RELU, "gelu": codes.GELU, "sigmoid": codes.SIGMOID, "tanh": codes.TANH}
BINARY = {"add": codes.ADD, "sub": codes.SUBTRACT, "mul": codes.MULTIPLY, "div": codes.DIVIDE}
WITH_INDICES = ("lookup", "positions", "attend", "attend_codes")  # instructions whose inputs are not floats alone


class Writer:
    """Writes rows, and keeps what forms of weights have the addresses of."""

    def __init__(self) -> None:
        self.kept: list[Array] = []

    def rows(self, instruction: Instruction) -> Table:
        """The rows of an instruction; none where it has no kernel."""
        name, inputs, output = instruction.name, instruction.inputs, instruction.output
        arrays = [array for array in (*inputs, output) if isinstance(array, np.ndarray)]
        if name not in WITH_INDICES and any(array.dtype != np.float32 for array in arrays):
            return []
        if not output.size or any(stride < 0 for array in arrays for stride in array.strides):
            return []
        if name == LAYER:
            return self._layer(instruction)
        if name in UNARY:
            return self._unary(UNARY[name], output, *inputs)
        if name in BINARY:
            return self._binary(BINARY[name], output, *inputs)
        write = getattr(self, f"_{name}", None)
        found: Table = write(output, *inputs, **instruction.options) if write else []
        return found

    def _unary(self, activation: int, output: Array, inputs: Array) -> Table:
        source, target = as_vectors(inputs, output)
        if source.ndim != 1 or not (source.flags.c_contiguous and target.flags.c_contiguous):
            return []
        return [rows.Unary(x=source, y=target, size=source.size, activation=activation)]

    def _binary(self, operation: int, output: Array, first: Array, second: Array) -> Table:
        if np.may_share_memory(second, output):  # a kernel writes `first` there before it reads `second`
            if operation not in (codes.ADD, codes.MULTIPLY) or np.may_share_memory(first, output):
                return []
            first, second = second, first
        if first.shape != output.shape or not output.ndim:
            return []
        source, target = as_matrix(first), as_matrix(output)
        if source is None or target is None or source.strides != target.strides or target.strides[1] != 4:
            return []
        count, size = source.shape
        is_row = second.size == second.shape[-1] == size if second.ndim else False
        is_whole = second.shape == first.shape and second.flags.c_contiguous
        if not (second.size == 1 or is_row or is_whole) or not second.flags.c_contiguous:
            return []
        return [
            rows.Binary(
                a=source, b=second, y=target, operation=operation, rows=count, size=size,
                stride=_stride(source), b_size=second.size,
            )
        ]  # fmt: skip

    def _linear(self, output: Array, inputs: Array, weight: Array, bias: Array | None = None) -> Table:
        sizes = _matrices(output, inputs)
        if sizes is None or weight.ndim != 2 or inputs.ndim < 2 or not weight.flags.c_contiguous:
            return []
        if not np.isfinite(weight).all():  # a kernel leaves out what meets a zero, where NaN would come of it
            return []
        room = Scratch(index_bytes(sizes["height"]))
        given = 0 if bias is None else bias
        return [rows.Product(**sizes, weight=weight, bias=given, activation=codes.NONE, scratch=room)]

    def _matmul(self, output: Array, left: Array, right: Array) -> Table:
        return self._linear(output, left, right)

    def _layer(self, instruction: Instruction) -> Table:
        """A layer with a compact weight that kernels can read."""
        layer, output, inputs = instruction.layer, instruction.output, instruction.inputs[0]
        weight = vars(layer).get("weight")
        if not isinstance(weight, CompactWeight) or "forward" in vars(layer) or type(layer) not in (Linear, Conv2d):
            return []
        bias = None if layer.bias is None else layer.bias.data
        if type(layer) is Linear:
            return self._weighted(output, inputs, weight, bias)
        read = weight.readable()
        if type(layer) is Conv2d and isinstance(read, Codes) and layer.is_plain:
            return self._compact_convolution(layer, read, output, inputs, bias)
        return []

    def _weighted(self, output: Array, inputs: Array, weight: Any, bias: Array | None) -> Table:
        """Rows times a weight of any form, a bias added; none where kernels cannot read it."""
        if isinstance(weight, Tensor):
            return self._linear(output, inputs, weight.data, bias)
        read = weight.readable()
        if isinstance(read, Rows):
            return self._sparse(output, inputs, read, bias)
        if isinstance(read, Codes):
            return self._coded(output, inputs, read, bias)
        if isinstance(read, Factors):
            between = np.zeros((*inputs.shape[:-1], read.left.shape[1]), np.float32)
            first = self._weighted(between, inputs, read.left, None)
            second = self._weighted(output, between, read.right, bias)
            return first + second if first and second else []
        return []

    def _coded(self, output: Array, inputs: Array, read: Codes, bias: Array | None) -> Table:
        form, sizes = self._form(read), _matrices(output, inputs)
        if form is None or sizes is None or (form.scales > 1 and form.axis != 1):
            return []
        described = encoded_form(form, self.kept)
        room = Scratch(coded_bytes(form, sizes["height"], sizes["width"]))
        return [
            rows.Coded(
                **sizes, form=described, bias=_or_0(bias), bias_bytes=_item_bytes(bias), activation=codes.NONE,
                scratch=room,
            )
        ]  # fmt: skip

    def _sparse(self, output: Array, inputs: Array, read: Rows, bias: Array | None) -> Table:
        sizes = _matrices(output, inputs)
        if sizes is None or read.columns.dtype != np.uint16 or not _are_floats(read.values):
            return []
        if not np.isfinite(read.values).all():
            return []
        return [
            rows.Sparse(
                **sizes, values=read.values, columns=read.columns, starts=read.starts, size=read.values.size,
                bias=_or_0(bias), bias_bytes=_item_bytes(bias), activation=codes.NONE,
                scratch=Scratch(index_bytes(sizes["height"])),
            )
        ]  # fmt: skip

    def _form(self, read: Any) -> Form | None:
        """The numbers that describe a weight of floats, or of codes; None where kernels cannot read it."""
        if isinstance(read, np.ndarray):
            is_plain = read.flags.c_contiguous and read.dtype == np.float32
            return Form(codes.FLOATS, read, read.size, 32, 0, 0, 0, 0, 0, 0, 0) if is_plain else None
        if not isinstance(read, Codes) or not read.codes.flags.c_contiguous:
            return None
        kind = codes.CODES if read.bits == 8 and read.table is None else codes.PACKED
        table, scale = read.table, read.scale
        return Form(
            kind=kind, numbers=read.codes, size=8 * read.codes.nbytes // read.bits, bits=read.bits,
            table=_or_0(table), length=0 if table is None else table.size,
            scale=_or_0(scale), scale_bytes=_item_bytes(scale),
            scales=0 if scale is None else scale.size, zero_point=_or_0(read.zero_point), axis=read.axis,
        )  # fmt: skip

    def _normalize(self, output: Array, inputs: Array, axis: Any, epsilon: float) -> Table:
        return self._norm(output, inputs, epsilon, 0) if axis in (-1, inputs.ndim - 1) else []

    def _root_mean_square(self, output: Array, inputs: Array, epsilon: float) -> Table:
        return self._norm(output, inputs, epsilon, 1)

    def _norm(self, output: Array, inputs: Array, epsilon: float, is_centred: int) -> Table:
        sizes = _matrices(output, inputs)
        if sizes is None:
            return []
        bits = int(np.array(epsilon, np.float32).view(np.int32))
        return [
            rows.Normalize(
                x=sizes["x"], y=sizes["y"], rows=sizes["rows"], size=sizes["width"], stride=sizes["stride"],
                is_centred=is_centred, epsilon_bits=bits,
            )
        ]  # fmt: skip

    def _softmax(self, output: Array, inputs: Array, axis: int) -> Table:
        source, target = as_matrix(inputs), as_matrix(output)
        if axis not in (-1, inputs.ndim - 1) or source is None or target is None:
            return []
        if not (source.flags.c_contiguous and target.flags.c_contiguous):
            return []
        return [rows.Softmax(source, target, *source.shape)]

    def _reshape(self, output: Array, inputs: Array, shape: Any) -> Table:
        return self._copy(output.reshape(inputs.shape), inputs)

    def _copy(self, output: Array, inputs: Array) -> Table:
        if inputs.ndim > 4:
            return []
        ahead = 4 - inputs.ndim
        steps = [[0] * ahead + [stride // 4 for stride in array.strides] for array in (inputs, output)]
        return [rows.Move(inputs, output, *[1] * ahead, *inputs.shape, *steps[0], *steps[1])]

    def _conv2d(self, output: Array, images: Array, weight: Array, *bias: Array, stride: int, padding: int) -> Table:
        matrix = conv_matrix(weight, *bias)
        given = matrix[-1] if bias else None
        return self._convolution(output, images, matrix, given, weight.shape, stride, padding)

    def _compact_convolution(
        self, layer: Conv2d, read: Codes, output: Array, images: Array, bias: Array | None
    ) -> Table:
        """Its weight becomes floats in every call, in memory that all such layers share."""
        form = self._form(read)
        if form is None:
            return []
        outputs, channels, height, width = layer.weight.shape
        matrix = Scratch(FLOAT * layer.weight.size, "matrix")
        found = self._convolution(output, images, matrix, bias, layer.weight.shape, layer.stride, layer.padding)
        if not found:
            return []
        room = Scratch(FLOAT * channels * height * width)
        described = encoded_form(form, self.kept)
        return [rows.Decode(described, matrix, outputs, channels, height * width, room), *found]

    def _convolution(
        self, output: Array, images: Array, matrix: Any, bias: Array | None, shape: Shape, stride: int, padding: int
    ) -> Table:
        """Images are copied between zeros; the windows of a row then lie one pixel apart."""
        source, target = images.transpose(0, 2, 3, 1), output.transpose(0, 2, 3, 1)
        if not target.flags.c_contiguous:
            return []
        samples, height, width, channels = source.shape
        outputs, _, kernel_rows, kernel_columns = shape
        padded = np.zeros((samples, height + 2 * padding, width + 2 * padding, channels), np.float32)
        image_bytes, line_bytes, pixel_bytes, _ = padded.strides
        inner = padded[:, padding : padding + height, padding : padding + width]
        return [
            *self._copy(inner, source),
            rows.Convolve(
                x=padded, y=target, matrix=matrix, bias=_or_0(bias), bias_bytes=_item_bytes(bias), samples=samples,
                rows=target.shape[1], columns=target.shape[2], strip=kernel_columns * channels, outputs=outputs,
                kernel_rows=kernel_rows, pixel_bytes=pixel_bytes * stride, row_bytes=line_bytes * stride,
                image_bytes=image_bytes, line_bytes=line_bytes, activation=codes.NONE,
            ),
        ]  # fmt: skip

    def _max_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Table:
        return self._pool(output, images, kernel, stride, padding, 0)

    def _avg_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Table:
        return self._pool(output, images, kernel, stride, padding, 1)

    def _pool(self, output: Array, images: Array, kernel: Size, stride: int, padding: int, is_mean: int) -> Table:
        source, target = images.transpose(0, 2, 3, 1), output.transpose(0, 2, 3, 1)
        if padding or not (source.flags.c_contiguous and target.flags.c_contiguous):
            return []
        samples, height, width, channels = source.shape
        return [
            rows.Pool(
                x=source, y=target, samples=samples, rows=target.shape[1], columns=target.shape[2], channels=channels,
                kernel_rows=kernel[0], kernel_columns=kernel[1], stride=stride, height=height, width=width,
                is_mean=is_mean,
            )
        ]  # fmt: skip

    def _concatenate(self, output: Array, *parts: Array, axis: int) -> Table:
        ends = np.cumsum([part.shape[axis] for part in parts])[:-1]
        targets = np.split(output, ends, axis)
        return [row for target, part in zip(targets, parts, strict=True) for row in self._copy(target, part)]

    def _lookup(self, output: Array, tokens: Array, table: Any) -> Table:
        form = self._table(table)
        vectors = as_matrix(output)
        if form is None or vectors is None or not (output.flags.c_contiguous and tokens.flags.c_contiguous):
            return []
        return [sequence_rows.Lookup(tokens, output, form, *vectors.shape)]

    def _positions(self, output: Array, inputs: Array, start: Array, table: Any) -> Table:
        form = self._table(table)
        if form is None or not (inputs.flags.c_contiguous and output.flags.c_contiguous):
            return []
        samples, new, size = inputs.shape
        return [sequence_rows.Positions(inputs, output, form, start, samples, new, size, Scratch(FLOAT * size))]

    def _table(self, table: Any) -> Array | None:
        """A table of rows, as a form in memory."""
        form = self._form(table if isinstance(table, np.ndarray) else table.readable())
        return None if form is None else encoded_form(form, self.kept)

    def _attend(self, output: Array, projected: Array, keys: Array, values: Array, start: Array) -> Table:
        if not (projected.flags.c_contiguous and output.flags.c_contiguous):
            return []
        samples, new, _, heads, size = projected.shape
        length = keys.shape[3]
        room = Scratch(attend_bytes(size, length))
        return [
            sequence_rows.Hold(projected, keys, values, start, samples, new, heads, size, length),
            sequence_rows.Attend(projected, keys, values, start, output, samples, new, heads, size, length, room),
        ]

    def _attend_codes(
        self, output: Array, projected: Array, keys: Array, values: Array, key_steps: Array, value_steps: Array,
        start: Array,
    ) -> Table:  # fmt: skip
        if not (projected.flags.c_contiguous and output.flags.c_contiguous):
            return []
        samples, new, _, heads, size = projected.shape
        length = keys.shape[3]
        arrays, sizes = (projected, keys, values, key_steps, value_steps, start), (samples, new, heads, size, length)
        room = Scratch(attend_bytes(size, length))
        return [sequence_rows.HoldCodes(*arrays, *sizes), sequence_rows.AttendCodes(*arrays, output, *sizes, room)]


def _matrices(output: Array, inputs: Array) -> dict[str, Any] | None:
    """Inputs and output as matrices, with their sizes; None where they do not lie so."""
    source, target = as_matrix(inputs), as_matrix(output)
    if source is None or target is None or not target.flags.c_contiguous or source.strides[1] != 4:
        return None
    (count, height), width = source.shape, target.shape[1]
    return {"x": source, "y": target, "rows": count, "height": height, "width": width, "stride": _stride(source)}


def _stride(matrix: Array) -> int:
    """Numbers from one row to the next."""
    return matrix.strides[0] // 4 if len(matrix) > 1 else matrix.shape[1]


def _are_floats(array: Array) -> bool:
    return bool(array.dtype == np.float32)


def _item_bytes(array: Array | None) -> int:
    return 0 if array is None else array.itemsize


def _or_0(array: Array | None) -> Any:
    return 0 if array is None else array
