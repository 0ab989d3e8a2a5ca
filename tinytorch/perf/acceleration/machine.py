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
from tinytorch.perf.acceleration import kernels
from tinytorch.perf.acceleration.array_calls import Call, as_matrix, as_vectors, bound
from tinytorch.perf.acceleration.layout import conv_matrix
from tinytorch.perf.acceleration.plan import Instruction
from tinytorch.perf.acceleration.trace import LAYER

ROW = 20  # numbers in a row
AT_ONCE = 8  # rows of a matrix that a kernel adds at once

UNARY = {"relu": kernels.RELU, "gelu": kernels.GELU, "sigmoid": kernels.SIGMOID, "tanh": kernels.TANH}
BINARY = {"add": kernels.ADD, "sub": kernels.SUBTRACT, "mul": kernels.MULTIPLY, "div": kernels.DIVIDE}


def compiled_calls(instructions: Sequence[Instruction]) -> list[Call]:
    """Calls that run all instructions: as many as follow one another in one call of the kernels."""
    writer = _Writer()
    rows = [(writer.row(instruction), instruction) for instruction in instructions]
    calls: list[Call] = []
    for has_kernel, group in itertools.groupby(rows, key=lambda pair: pair[0] is not None):
        members = list(group)
        if has_kernel:
            table = np.array([(*row, *[0] * (ROW - len(row))) for row, _ in members if row is not None], np.int64)
            calls.append(Program(table, writer.kept))
        else:
            calls += bound([instruction for _, instruction in members])
    return calls


class Program:
    """Rows, and the arrays whose addresses are in them."""

    def __init__(self, rows: Array, kept: list[Any]) -> None:
        self.rows, self._kept = rows, kept

    def __call__(self) -> None:
        kernels.run(self.rows)


class _Writer:
    """Writes rows, and keeps the arrays that they name."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self._scratch: dict[str, Array] = {}

    def row(self, instruction: Instruction) -> list[int] | None:
        """The row of an instruction, or None where it has no kernel."""
        name, inputs, output = instruction.name, instruction.inputs, instruction.output
        arrays = [array for array in (*inputs, output) if isinstance(array, np.ndarray) and array.dtype.kind == "f"]
        if any(array.dtype != np.float32 for array in arrays):
            return None
        if name == LAYER:
            return self._layer(instruction)
        if name in UNARY:
            return self._unary(UNARY[name], output, *inputs)
        if name in BINARY:
            return self._binary(BINARY[name], output, *inputs)
        write = getattr(self, f"_{name}", None)
        found: list[int] | None = write(output, *inputs, **instruction.options) if write else None
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

    def _unary(self, kind: int, output: Array, inputs: Array) -> list[int] | None:
        source, target = as_vectors(inputs, output)
        if source.ndim != 1 or not (source.flags.c_contiguous and target.flags.c_contiguous):
            return None
        return [kernels.UNARY, kind, self.address(source), self.address(target), source.size]

    def _binary(self, kind: int, output: Array, first: Array, second: Array) -> list[int] | None:
        if first.shape != output.shape or not output.ndim:
            return None
        source, target = as_matrix(first), as_matrix(output)
        if source is None or target is None or source.strides != target.strides or target.strides[1] != 4:
            return None
        count, size = source.shape
        is_row = second.size == second.shape[-1] == size if second.ndim else False
        is_whole = second.shape == first.shape and second.flags.c_contiguous
        if not (second.size == 1 or is_row or is_whole) or not second.flags.c_contiguous:
            return None
        stride = source.strides[0] // 4 if count > 1 else size
        addresses = (self.address(source), self.address(second), self.address(target))
        return [kernels.BINARY, kind, *addresses, count, size, stride, second.size]

    def _linear(self, output: Array, inputs: Array, weight: Array, bias: Array | None = None) -> list[int] | None:
        if weight.ndim != 2 or inputs.ndim < 2 or not weight.flags.c_contiguous:
            return None
        return self._product(output, inputs, bias, [kernels.FLOATS, self.address(weight)])

    def _matmul(self, output: Array, left: Array, right: Array) -> list[int] | None:
        return self._linear(output, left, right)

    def _product(self, output: Array, inputs: Array, bias: Array | None, form: list[int]) -> list[int] | None:
        source, target = as_matrix(inputs), as_matrix(output)
        if source is None or target is None or not target.flags.c_contiguous or source.strides[1] != 4:
            return None
        count, height = source.shape
        stride = source.strides[0] // 4 if count > 1 else height
        addresses = [self.address(source), self.address(target), self.scratch("index", height + 1)]
        kind, weight, *others = form
        table, *scales = others or [0]
        given = 0 if bias is None else self.address(bias)
        sizes = [count, height, target.shape[1], stride, kind]
        return [kernels.LINEAR, *addresses, *sizes, weight, table, given, *scales]

    def _layer(self, instruction: Instruction) -> list[int] | None:
        """A Linear with a compact weight that kernels can read."""
        layer = instruction.layer
        if type(layer) is not Linear or "forward" in vars(layer) or instruction.options:
            return None
        form = self._form(layer.weight) if isinstance(layer.weight, CompactWeight) else None
        bias = None if layer.bias is None else layer.bias.data
        return form and self._product(instruction.output, instruction.inputs[0], bias, form)

    def _form(self, weight: CompactWeight) -> list[int] | None:
        read, width = weight.readable(), weight.shape[-1]
        if isinstance(read, Rows):
            if read.columns.dtype != np.uint16:
                return None
            addresses = [self.address(read.values), self.address(read.columns)]
            return [kernels.SPARSE, *addresses, 0, 0, 0, self.address(read.starts)]
        if not isinstance(read, Codes):
            return None
        scale = [0, 0, 0]
        if read.scale is not None:
            zero_point = 0 if read.zero_point is None else self.address(read.zero_point)
            scale = [self.address(read.scale), read.scale.size, zero_point]
        if read.table is None:
            return [kernels.CODES, self.address(read.codes), 0, *scale]
        buffers = [self.scratch("looked up", AT_ONCE * width, np.float32), self.scratch("rows", AT_ONCE)]
        chosen = self.scratch("chosen", AT_ONCE, np.float32)
        return [
            kernels.PACKED, self.address(read.codes), self.address(read.table), *scale, read.bits, *buffers, chosen,
        ]  # fmt: skip

    def _normalize(self, output: Array, inputs: Array, axis: Any, epsilon: float) -> list[int] | None:
        return self._norm(output, inputs, epsilon, 0) if axis in (-1, inputs.ndim - 1) else None

    def _root_mean_square(self, output: Array, inputs: Array, epsilon: float) -> list[int] | None:
        return self._norm(output, inputs, epsilon, 1)

    def _norm(self, output: Array, inputs: Array, epsilon: float, is_centred: int) -> list[int] | None:
        source, target = as_matrix(inputs), as_matrix(output)
        if source is None or target is None or not target.flags.c_contiguous or source.strides[1] != 4:
            return None
        count, size = source.shape
        addresses = (self.address(source), self.address(target))
        stride = source.strides[0] // 4 if count > 1 else size
        small = self.address(np.array([epsilon], np.float32))
        return [kernels.NORMALIZE, *addresses, count, size, stride, is_centred, small]

    def _softmax(self, output: Array, inputs: Array, axis: int) -> list[int] | None:
        source, target = as_matrix(inputs), as_matrix(output)
        if axis not in (-1, inputs.ndim - 1) or source is None or target is None:
            return None
        if not (source.flags.c_contiguous and target.flags.c_contiguous):
            return None
        return [kernels.SOFTMAX, self.address(source), self.address(target), *source.shape]

    def _reshape(self, output: Array, inputs: Array, shape: Any) -> list[int] | None:
        return self._copy(output.reshape(inputs.shape), inputs)

    def _copy(self, output: Array, inputs: Array) -> list[int] | None:
        if inputs.ndim > 4:
            return None
        ahead = [1] * (4 - inputs.ndim)
        strides = [[0] * len(ahead) + [stride // 4 for stride in array.strides] for array in (inputs, output)]
        return [
            kernels.MOVE, self.address(inputs), self.address(output), *ahead, *inputs.shape, *strides[0], *strides[1],
        ]  # fmt: skip

    def _max_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> list[int] | None:
        return self._pool(output, images, kernel, stride, padding, 0)

    def _avg_pool2d(self, output: Array, images: Array, kernel: Size, stride: int, padding: int) -> list[int] | None:
        return self._pool(output, images, kernel, stride, padding, 1)

    def _pool(self, output: Array, images: Array, kernel: Size, stride: int, padding: int, is_mean: int) -> Any:
        source, target = images.transpose(0, 2, 3, 1), output.transpose(0, 2, 3, 1)
        if padding or not (source.flags.c_contiguous and target.flags.c_contiguous):
            return None
        addresses = (self.address(source), self.address(target))
        return [kernels.POOL, *addresses, *target.shape, *kernel, stride, *source.shape[1:3], is_mean]

    def _embed(self, output: Array, tokens: Array, table: Any, positions: Any, start: Array) -> list[int] | None:
        if isinstance(table, CompactWeight) or isinstance(positions, CompactWeight):
            return None
        addresses = [self.address(array) for array in (tokens, output, table, positions, start)]
        return [kernels.EMBED, *addresses, *tokens.shape, output.shape[-1]]

    def _hold(self, keys: Array, projected: Array, values: Array, start: Array) -> list[int]:
        samples, count, _, heads, size = projected.shape
        addresses = [self.address(array) for array in (projected, keys, values, start)]
        return [kernels.HOLD, *addresses, samples, count, heads, size, keys.shape[3]]

    def _attend(self, output: Array, projected: Array, keys: Array, values: Array, start: Array) -> list[int]:
        samples, count, _, heads, size = projected.shape
        length = keys.shape[3]
        addresses = [self.address(array) for array in (projected, keys, values, start)]
        scratch = [self.scratch("scores", length, np.float32), self.scratch("index", length + size + 1)]
        query = self.scratch("query", size, np.float32)
        return [
            kernels.ATTEND, *addresses, samples, count, heads, size, length, self.address(output), *scratch, query,
        ]  # fmt: skip
