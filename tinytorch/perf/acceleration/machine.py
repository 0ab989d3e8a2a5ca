"""Instructions as rows of a program for the compiled kernels; what has no kernel is left to numpy, in its place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinytorch.core.compact import Codes, CompactWeight, Rows
from tinytorch.core.layers import Linear
from tinytorch.core.ops import Array
from tinytorch.core.windows import Size
from tinytorch.perf.acceleration.kernels import codes, run
from tinytorch.perf.acceleration.array_calls import Call, as_matrix, as_vectors, bound
from tinytorch.perf.acceleration.layout import conv_matrix
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.trace import LAYER

Table = list[list[int]]  # rows of a program

UNARY = {"relu": codes.RELU, "gelu": codes.GELU, "sigmoid": codes.SIGMOID, "tanh": codes.TANH}
BINARY = {"add": codes.ADD, "sub": codes.SUBTRACT, "mul": codes.MULTIPLY, "div": codes.DIVIDE}


def compiled_calls(instructions: Sequence[Instruction]) -> list[Call]:
    """Calls that run all instructions: as many as follow one another in one call of the codes."""
    writer = _Writer()
    written = [(writer.rows(instruction), instruction) for instruction in instructions]
    calls: list[Call] = []
    for has_kernel, group in itertools.groupby(written, key=lambda pair: bool(pair[0])):
        members = list(group)
        if has_kernel:
            rows = [row + [0] * (codes.ROW_SIZE - len(row)) for table, _ in members for row in table]
            calls.append(Program(np.array(rows, np.int64), writer.kept))
        else:
            calls += bound([instruction for _, instruction in members])
    return calls


class Program:
    """Rows, and the arrays whose addresses are in them."""

    def __init__(self, rows: Array, kept: list[Any]) -> None:
        self.rows, self._kept = rows, kept

    def __call__(self) -> None:
        run(self.rows)


class _Writer:
    """Writes rows, and keeps the arrays that they name."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self._scratch: dict[str, Array] = {}

    def rows(self, instruction: Instruction) -> Table:
        """The rows of an instruction; none where it has no kernel."""
        name, inputs, output = instruction.name, instruction.inputs, instruction.output
        arrays = [array for array in (*inputs, output) if isinstance(array, np.ndarray) and array.dtype.kind == "f"]
        if any(array.dtype != np.float32 for array in arrays):
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
        return int(array.ctypes.data)

    def scratch(self, name: str, count: int, kind: Any = np.int64) -> int:
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
        return self._product(output, inputs, bias, [codes.FLOATS, self.address(weight)])

    def _matmul(self, output: Array, left: Array, right: Array) -> Table:
        return self._linear(output, left, right)

    def _product(self, output: Array, inputs: Array, bias: Array | None, form: list[int]) -> Table:
        source, target = as_matrix(inputs), as_matrix(output)
        if source is None or target is None or not target.flags.c_contiguous or source.strides[1] != 4:
            return []
        count, height = source.shape
        stride = source.strides[0] // 4 if count > 1 else height
        addresses = [self.address(source), self.address(target), self.scratch("index", height + 1)]
        kind, weight, *others = form
        table, *scales = others or [0]
        given = 0 if bias is None else self.address(bias)
        sizes = [count, height, target.shape[1], stride, kind]
        return [[codes.LINEAR, *addresses, *sizes, weight, table, given, *scales]]

    def _layer(self, instruction: Instruction) -> Table:
        """A Linear with a compact weight that kernels can read."""
        layer = instruction.layer
        if type(layer) is not Linear or "forward" in vars(layer) or instruction.options:
            return []
        form = self._form(layer.weight) if isinstance(layer.weight, CompactWeight) else []
        bias = None if layer.bias is None else layer.bias.data
        return self._product(instruction.output, instruction.inputs[0], bias, form) if form else []

    def _form(self, weight: CompactWeight) -> list[int]:
        read, width = weight.readable(), weight.shape[-1]
        if isinstance(read, Rows):
            if read.columns.dtype != np.uint16:
                return []
            addresses = [self.address(read.values), self.address(read.columns)]
            return [codes.SPARSE, *addresses, 0, 0, 0, self.address(read.starts)]
        if not isinstance(read, Codes):
            return []
        scale = [0, 0, 0]
        if read.scale is not None:
            zero_point = 0 if read.zero_point is None else self.address(read.zero_point)
            scale = [self.address(read.scale), read.scale.size, zero_point]
        if read.table is None:
            return [codes.CODES, self.address(read.codes), 0, *scale]
        buffers = [self.scratch("looked up", codes.AT_ONCE * width, np.float32), self.scratch("rows", codes.AT_ONCE)]
        chosen = self.scratch("chosen", codes.AT_ONCE, np.float32)
        return [
            codes.PACKED, self.address(read.codes), self.address(read.table), *scale, read.bits, *buffers, chosen,
        ]  # fmt: skip

    def _normalize(self, output: Array, inputs: Array, axis: Any, epsilon: float) -> Table:
        return self._norm(output, inputs, epsilon, 0) if axis in (-1, inputs.ndim - 1) else None

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

    def _conv2d(
        self, output: Array, images: Array, weight: Array, *bias: Array, stride: int, padding: int
    ) -> Table:
        source, target = images.transpose(0, 2, 3, 1), output.transpose(0, 2, 3, 1)
        samples, height, width, channels = source.shape
        outputs, _, rows, columns = weight.shape
        if not target.flags.c_contiguous:
            return []
        padded = np.zeros((samples, height + 2 * padding, width + 2 * padding, channels), np.float32)
        inner = padded[:, padding : padding + height, padding : padding + width]
        matrix = conv_matrix(weight, *bias)
        image_bytes, line_bytes, pixel_bytes, _ = padded.strides
        addresses = [self.address(array) for array in (padded, target, matrix)]
        given = self.address(matrix[-1]) if bias else 0
        return [*self._copy(inner, source), [
            codes.CONVOLVE, *addresses, given, *target.shape[:3], columns * channels, outputs, rows,
            pixel_bytes * stride, line_bytes * stride, image_bytes, line_bytes,
        ]]  # fmt: skip

    def _max_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Table:
        return self._pool(output, images, kernel, stride, padding, 0)

    def _avg_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> Table:
        return self._pool(output, images, kernel, stride, padding, 1)

    def _pool(self, output: Array, images: Array, kernel: Size, stride: int, padding: int, is_mean: int) -> Any:
        source, target = images.transpose(0, 2, 3, 1), output.transpose(0, 2, 3, 1)
        if padding or not (source.flags.c_contiguous and target.flags.c_contiguous):
            return []
        addresses = (self.address(source), self.address(target))
        return [[codes.POOL, *addresses, *target.shape, *kernel, stride, *source.shape[1:3], is_mean]]

    def _embed(self, output: Array, tokens: Array, table: Any, positions: Any, start: Array) -> Table:
        if isinstance(table, CompactWeight) or isinstance(positions, CompactWeight):
            return []
        addresses = [self.address(array) for array in (tokens, output, table, positions, start)]
        return [[codes.EMBED, *addresses, *tokens.shape, output.shape[-1]]]

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
