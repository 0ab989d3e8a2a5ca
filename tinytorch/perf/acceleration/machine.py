"""Instructions as rows of a program for the compiled kernels; what has no kernel is left to numpy, in its place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.core.compact import Codes, CompactWeight, Rows
from tinytorch.core.layers import Linear
from tinytorch.core.ops import Array, Shape
from tinytorch.core.spatial import Conv2d
from tinytorch.core.windows import Size
from tinytorch.perf.acceleration.array_calls import bound
from tinytorch.perf.acceleration.binding import Call, as_matrix, as_vectors
from tinytorch.perf.acceleration.kernels import codes, run
from tinytorch.perf.acceleration.layout import conv_matrix
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.trace import LAYER

Table = list[list[int]]  # rows of a program

UNARY = {"relu": codes.RELU, "gelu": codes.GELU, "sigmoid": codes.SIGMOID, "tanh": codes.TANH}
BINARY = {"add": codes.ADD, "sub": codes.SUBTRACT, "mul": codes.MULTIPLY, "div": codes.DIVIDE}
WITH_INDICES = ("embed", "hold", "attend")  # instructions whose inputs are not floats alone


def compiled_calls(instructions: Sequence[Instruction]) -> list[Call]:
    """Calls that run all instructions: as many as follow one another in one call of the kernels."""
    run(np.empty((0, codes.ROW_SIZE), np.int64))  # compiled, or loaded from disk, now and not in the first inference
    writer = _Writer()
    written = [(writer.rows(instruction), instruction) for instruction in instructions]
    calls: list[Call] = []
    for has_kernel, group in itertools.groupby(written, key=lambda pair: bool(pair[0])):
        members = list(group)
        if has_kernel:
            rows = [row + [0] * (codes.ROW_SIZE - len(row)) for table, _ in members for row in table]
            calls.append(_program(np.array(rows, np.int64), writer.kept))
        else:
            calls += bound([instruction for _, instruction in members])
    return calls


def _program(rows: Array, arrays: list[Any]) -> Call:
    """A call that runs rows, and keeps the arrays whose addresses are in them."""

    def call(_kept: list[Any] = arrays) -> None:
        run(rows)

    return call


class _Writer:
    """Writes rows, and keeps the arrays that they name."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self._scratch: dict[str, Array] = {}

    def rows(self, instruction: Instruction) -> Table:
        """The rows of an instruction; none where it has no kernel."""
        name, inputs, output = instruction.name, instruction.inputs, instruction.output
        arrays = [array for array in (*inputs, output) if isinstance(array, np.ndarray)]
        if name not in WITH_INDICES and any(array.dtype != np.float32 for array in arrays):
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

    def address(self, array: Array) -> int:
        """Where an array lies, which stays there as long as this keeps it."""
        self.kept.append(array)
        place: int = array.__array_interface__["data"][0]  # `ctypes.data` takes four times as long
        return place

    def scratch(self, name: str, count: int, kind: Any = np.int32) -> int:
        """The address of memory for a kernel's own use, shared by all."""
        if name not in self._scratch or self._scratch[name].size < count:
            self._scratch[name] = np.zeros(count, kind)
        return self.address(self._scratch[name])

    def _unary(self, kind: int, output: Array, inputs: Array) -> Table:
        source, target = as_vectors(inputs, output)
        if source.ndim != 1 or not (source.flags.c_contiguous and target.flags.c_contiguous):
            return []
        return [[codes.UNARY, kind, self.address(source), self.address(target), source.size]]

    def _binary(self, kind: int, output: Array, first: Array, second: Array) -> Table:
        if np.may_share_memory(second, output):  # a kernel writes `first` there before it reads `second`
            if kind not in (codes.ADD, codes.MULTIPLY) or np.may_share_memory(first, output):
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
        stride = source.strides[0] // 4 if count > 1 else size
        addresses = (self.address(source), self.address(second), self.address(target))
        return [[codes.BINARY, kind, *addresses, count, size, stride, second.size]]

    def _linear(self, output: Array, inputs: Array, weight: Array, bias: Array | None = None) -> Table:
        if weight.ndim != 2 or inputs.ndim < 2 or not weight.flags.c_contiguous:
            return []
        return self._product(output, inputs, bias, self._floats(weight))

    def _matmul(self, output: Array, left: Array, right: Array) -> Table:
        return self._linear(output, left, right)

    def _product(self, output: Array, inputs: Array, bias: Array | None, form: list[int]) -> Table:
        source, target = as_matrix(inputs), as_matrix(output)
        if source is None or target is None or not target.flags.c_contiguous or source.strides[1] != 4:
            return []
        (count, height), width = source.shape, target.shape[1]
        stride = source.strides[0] // 4 if count > 1 else height
        addresses = [self.address(source), self.address(target), self.scratch("index", height + 1)]
        scratch = self._for_packed(width) if form[0] == codes.PACKED else []
        given = 0 if bias is None else self.address(bias)
        sizes = [count, height, width, stride, given]
        return [[codes.LINEAR, *addresses, *sizes, self.address(np.array(form, np.int64)), *scratch]]

    def _for_packed(self, width: int) -> list[int]:
        """Where packed codes become numbers."""
        values = self.scratch("values", codes.AT_ONCE * width, np.float32)
        chosen, pairs = self.scratch("chosen", codes.AT_ONCE, np.float32), self.scratch("pairs", 2 * 256, np.float32)
        return [values, self.scratch("order", codes.AT_ONCE), chosen, pairs]

    def _layer(self, instruction: Instruction) -> Table:
        """A layer with a compact weight that kernels can read."""
        layer = instruction.layer
        weight = vars(layer).get("weight")
        form = self._form(weight) if isinstance(weight, CompactWeight) else []
        if not form or type(layer) not in (Linear, Conv2d) or "forward" in vars(layer):
            return []
        bias = None if layer.bias is None else layer.bias.data.astype(np.float32, copy=False)
        if type(layer) is Linear and (form[0] == codes.SPARSE or form[4] <= 1 or form[7] == 1):
            return self._product(instruction.output, instruction.inputs[0], bias, form)
        if type(layer) is Conv2d and form[0] != codes.SPARSE and layer.is_plain:
            return self._compact_convolution(layer, form, instruction.output, instruction.inputs[0], bias)
        return []

    def _form(self, weight: Any) -> list[int]:
        """The numbers that describe a weight; none where kernels cannot read it."""
        if not isinstance(weight, CompactWeight):
            return self._floats(weight)
        read = weight.readable()
        if isinstance(read, Rows) and read.columns.dtype == np.uint16:
            arrays = [self.address(array) for array in (read.values, read.columns, read.starts)]
            return [codes.SPARSE, *arrays, 0, 0, 0, 0, 0]
        if not isinstance(read, Codes) or not read.codes.flags.c_contiguous:
            return []
        if read.table is None and read.bits not in (4, 8):
            return []
        floats = None if read.scale is None else read.scale.astype(np.float32, copy=False)
        table, scale, zero_point = (
            0 if array is None else self.address(array) for array in (read.table, floats, read.zero_point)
        )
        kind = codes.CODES if read.bits == 8 and read.table is None else codes.PACKED
        scales, length = (0 if array is None else array.size for array in (read.scale, read.table))
        return [kind, self.address(read.codes), table, scale, scales, zero_point, read.bits, read.axis, length]

    def _floats(self, array: Array) -> list[int]:
        return [codes.FLOATS, self.address(array), 0, 0, 0, 0, 0, 0, 0] if array.flags.c_contiguous else []

    def _normalize(self, output: Array, inputs: Array, axis: Any, epsilon: float) -> Table:
        return self._norm(output, inputs, epsilon, 0) if axis in (-1, inputs.ndim - 1) else []

    def _root_mean_square(self, output: Array, inputs: Array, epsilon: float) -> Table:
        return self._norm(output, inputs, epsilon, 1)

    def _norm(self, output: Array, inputs: Array, epsilon: float, is_centred: int) -> Table:
        source, target = as_matrix(inputs), as_matrix(output)
        if source is None or target is None or not target.flags.c_contiguous or source.strides[1] != 4:
            return []
        count, size = source.shape
        addresses = (self.address(source), self.address(target))
        stride = source.strides[0] // 4 if count > 1 else size
        small = self.address(np.array([epsilon], np.float32))
        return [[codes.NORMALIZE, *addresses, count, size, stride, is_centred, small]]

    def _softmax(self, output: Array, inputs: Array, axis: int) -> Table:
        source, target = as_matrix(inputs), as_matrix(output)
        if axis not in (-1, inputs.ndim - 1) or source is None or target is None:
            return []
        if not (source.flags.c_contiguous and target.flags.c_contiguous):
            return []
        return [[codes.SOFTMAX, self.address(source), self.address(target), *source.shape]]

    def _reshape(self, output: Array, inputs: Array, shape: Any) -> Table:
        return self._copy(output.reshape(inputs.shape), inputs)

    def _copy(self, output: Array, inputs: Array) -> Table:
        if inputs.ndim > 4:
            return []
        ahead = [1] * (4 - inputs.ndim)
        strides = [[0] * len(ahead) + [stride // 4 for stride in array.strides] for array in (inputs, output)]
        return [[
            codes.MOVE, self.address(inputs), self.address(output), *ahead, *inputs.shape, *strides[0], *strides[1],
        ]]  # fmt: skip

    def _conv2d(self, output: Array, images: Array, weight: Array, *bias: Array, stride: int, padding: int) -> Table:
        matrix = conv_matrix(weight, *bias)
        given = self.address(matrix[-1]) if bias else 0
        return self._convolution(output, images, self.address(matrix), given, weight.shape, stride, padding)

    def _compact_convolution(
        self, layer: Conv2d, form: list[int], output: Array, images: Array, bias: Array | None
    ) -> Table:
        """Its weight becomes floats in every call, in memory that all such layers share."""
        outputs, channels, rows, columns = layer.weight.shape
        count = layer.weight.size
        matrix = self.scratch("matrix", count, np.float32)
        values = self.scratch("values", channels * rows * columns, np.float32)
        given = 0 if bias is None else self.address(bias)
        found = self._convolution(output, images, matrix, given, layer.weight.shape, layer.stride, layer.padding)
        described = self.address(np.array(form, np.int64))
        row = [codes.DECODE, described, matrix, values, outputs, channels, rows * columns]
        return [row, *found] if found else []

    def _convolution(
        self, output: Array, images: Array, matrix: int, bias: int, shape: Shape, stride: int, padding: int
    ) -> Table:
        """Images are copied between zeros; the windows of a row then lie one pixel apart."""
        source, target = images.transpose(0, 2, 3, 1), output.transpose(0, 2, 3, 1)
        if not target.flags.c_contiguous:
            return []
        samples, height, width, channels = source.shape
        outputs, _, rows, columns = shape
        padded = np.zeros((samples, height + 2 * padding, width + 2 * padding, channels), np.float32)
        image_bytes, line_bytes, pixel_bytes, _ = padded.strides
        inner = padded[:, padding : padding + height, padding : padding + width]
        return [*self._copy(inner, source), [
            codes.CONVOLVE, self.address(padded), self.address(target), matrix, bias, *target.shape[:3],
            columns * channels, outputs, rows, pixel_bytes * stride, line_bytes * stride, image_bytes, line_bytes,
        ]]  # fmt: skip

    def _max_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Table:
        return self._pool(output, images, kernel, stride, padding, 0)

    def _avg_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Table:
        return self._pool(output, images, kernel, stride, padding, 1)

    def _pool(self, output: Array, images: Array, kernel: Size, stride: int, padding: int, is_mean: int) -> Table:
        source, target = images.transpose(0, 2, 3, 1), output.transpose(0, 2, 3, 1)
        if padding or not (source.flags.c_contiguous and target.flags.c_contiguous):
            return []
        addresses = (self.address(source), self.address(target))
        return [[codes.POOL, *addresses, *target.shape, *kernel, stride, *source.shape[1:3], is_mean]]

    def _embed(self, output: Array, tokens: Array, table: Any, positions: Any, start: Array) -> Table:
        forms = [self._form(weight) for weight in (table, positions)]
        if not all(forms) or any(form[0] == codes.SPARSE for form in forms):
            return []
        described = [self.address(np.array(form, np.int64)) for form in forms]
        size = output.shape[-1]
        scratch = self.scratch("position", size, np.float32)
        addresses = (self.address(tokens), self.address(output), *described, self.address(start))
        return [[codes.EMBED, *addresses, *tokens.shape, size, scratch]]

    def _hold(self, keys: Array, projected: Array, values: Array, start: Array) -> Table:
        samples, count, _, heads, size = projected.shape
        addresses = [self.address(array) for array in (projected, keys, values, start)]
        return [[codes.HOLD, *addresses, samples, count, heads, size, keys.shape[3]]]

    def _attend(self, output: Array, projected: Array, keys: Array, values: Array, start: Array) -> Table:
        samples, count, _, heads, size = projected.shape
        length = keys.shape[3]
        addresses = [self.address(array) for array in (projected, keys, values, start)]
        scratch = [self.scratch("scores", length, np.float32), self.scratch("index", length + size + 1)]
        query = self.scratch("query", size, np.float32)
        return [[
            codes.ATTEND, *addresses, samples, count, heads, size, length, self.address(output), *scratch, query,
        ]]  # fmt: skip
