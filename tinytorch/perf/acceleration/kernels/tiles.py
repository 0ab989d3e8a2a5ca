"""Products of matrices, tile by tile: a few rows of sums stay in registers while they grow (Goto & van de Geijn 2008).

numba makes vectors of plain loops, but keeps no block of sums in registers; so a tile is written in the compiler's own
language, vectors of 16 numbers or fewer, which it fits to what the processor has.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tinytorch.perf.acceleration.kernels.addresses import floats, kernel

FLOAT_BYTES, TILE_ROWS, NARROWEST = 4, 4, 4
_FLOAT, _INT, _PLACE = ir.FloatType(), ir.IntType(64), ir.IntType(32)


def _tile(rows: int, vectors: int, lanes: int = 16) -> Any:
    """A function that adds x (rows, count) @ w (count, vectors * lanes) to y, given by address and bytes per row."""

    @intrinsic
    def add_tile(context: Any, x: Any, x_step: Any, w: Any, w_step: Any, count: Any, y: Any, y_step: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _write_tile(builder, ir.VectorType(_FLOAT, lanes), rows, vectors, *arguments)
            return target.get_dummy_value()

        return types.void(*[types.int64] * 7), generate

    return add_tile


def _write_tile(
    builder: Any, kind: Any, rows: int, vectors: int, x: Any, x_step: Any, w: Any, w_step: Any, count: Any, y: Any,
    y_step: Any,
) -> None:  # fmt: skip
    """Sums are loaded, grow by one outer product a round, and are stored."""
    sums = [_vector_at(builder, kind, y, y_step, row, vector) for row in range(rows) for vector in range(vectors)]
    values = [builder.load(place) for place in sums]
    for value in values:
        value.align = FLOAT_BYTES
    before, test, body, after = builder.block, *(builder.append_basic_block() for _ in range(3))
    builder.branch(test)
    builder.position_at_end(test)
    number, x_now, w_now = (builder.phi(_INT) for _ in range(3))
    grown = [builder.phi(kind) for _ in values]
    builder.cbranch(builder.icmp_signed("<", number, count), body, after)
    builder.position_at_end(body)
    columns = [_loaded(builder, _vector_at(builder, kind, w_now, _INT(0), 0, vector)) for vector in range(vectors)]
    factors = [_spread(builder, kind, builder.add(x_now, builder.mul(x_step, _INT(row)))) for row in range(rows)]
    products = (builder.fmul(factor, column, flags=("contract",)) for factor in factors for column in columns)
    more = [builder.fadd(product, total, flags=("contract",)) for product, total in zip(products, grown, strict=True)]
    for phi, first, step in ((number, _INT(0), _INT(1)), (x_now, x, _INT(FLOAT_BYTES)), (w_now, w, w_step)):
        phi.add_incoming(first, before)
        phi.add_incoming(builder.add(phi, step), body)
    for total, first, next_one in zip(grown, values, more, strict=True):
        total.add_incoming(first, before)
        total.add_incoming(next_one, body)
    builder.branch(test)
    builder.position_at_end(after)
    for place, total in zip(sums, grown, strict=True):
        builder.store(total, place).align = FLOAT_BYTES


def _vector_at(builder: Any, kind: Any, address: Any, step: Any, row: int, vector: int) -> Any:
    place = builder.add(builder.add(address, builder.mul(step, _INT(row))), _INT(FLOAT_BYTES * kind.count * vector))
    return builder.inttoptr(place, kind.as_pointer())


def _loaded(builder: Any, place: Any) -> Any:
    value = builder.load(place)
    value.align = FLOAT_BYTES
    return value


def _spread(builder: Any, kind: Any, address: Any) -> Any:
    """The number at an address, in all lanes."""
    nothing, everywhere = (
        ir.Constant(kind, ir.Undefined),
        ir.Constant(ir.VectorType(_PLACE, kind.count), [0] * kind.count),
    )
    number = _loaded(builder, builder.inttoptr(address, _FLOAT.as_pointer()))
    return builder.shuffle_vector(builder.insert_element(nothing, number, _PLACE(0)), nothing, everywhere)


_four_by_32, _four_by_16, _four_by_8, _four_by_4 = _tile(4, 2), _tile(4, 1), _tile(4, 1, 8), _tile(4, 1, 4)
_one_by_32, _one_by_16, _one_by_8, _one_by_4 = _tile(1, 2), _tile(1, 1), _tile(1, 1, 8), _tile(1, 1, 4)


@kernel
def add_matrix_product(x, x_step, w, count, y, rows, size):
    """y (rows, size) += x (rows, count) @ w (count, size); addresses, and bytes from row to row of x."""
    step, column = FLOAT_BYTES * size, 0
    while column + NARROWEST <= size:
        left = size - column
        width = 32 if left >= 32 else 16 if left >= 16 else 8 if left >= 8 else NARROWEST
        _add_columns(width, x, x_step, w + FLOAT_BYTES * column, step, count, y + FLOAT_BYTES * column, rows)
        column += width
    if column < size:
        _add_last_columns(x, x_step, w, count, y, rows, size, column)


@kernel
def _add_columns(width, x, x_step, w, step, count, y, rows):
    """The product with `width` columns, four rows at a time, then one."""
    row = 0
    while row < rows:
        source, target = x + row * x_step, y + row * step
        if row + TILE_ROWS <= rows:
            if width == 32:
                _four_by_32(source, x_step, w, step, count, target, step)
            elif width == 16:
                _four_by_16(source, x_step, w, step, count, target, step)
            elif width == 8:
                _four_by_8(source, x_step, w, step, count, target, step)
            else:
                _four_by_4(source, x_step, w, step, count, target, step)
            row += TILE_ROWS
        else:
            if width == 32:
                _one_by_32(source, x_step, w, step, count, target, step)
            elif width == 16:
                _one_by_16(source, x_step, w, step, count, target, step)
            elif width == 8:
                _one_by_8(source, x_step, w, step, count, target, step)
            else:
                _one_by_4(source, x_step, w, step, count, target, step)
            row += 1


@kernel
def _add_last_columns(x, x_step, w, count, y, rows, size, column):
    """Those that fill no vector."""
    matrix = floats(w, count * size)
    for row in range(rows):
        inputs, outputs = floats(x + row * x_step, count), floats(y + FLOAT_BYTES * row * size, size)
        for k in range(count):
            factor, line = inputs[k], matrix[k * size :]
            for j in range(column, size):
                outputs[j] += factor * line[j]
