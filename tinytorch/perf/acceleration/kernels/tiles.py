"""Products of matrices, tile by tile: a few rows of sums stay in registers while they grow (Goto & van de Geijn 2008).

numba makes vectors of plain loops, but keeps no block of sums in registers; so a tile is written in the compiler's own
language, vectors of 16 numbers or fewer, which it fits to what the processor has.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, types
from numba.extending import intrinsic

from tinytorch.core.ops import Array
from tinytorch.perf.acceleration.kernels.addresses import kernel

FLOAT_BYTES, TILE_ROWS, NARROWEST = 4, 4, 4
_FLOAT, _INT, _PLACE = ir.FloatType(), ir.IntType(64), ir.IntType(32)


def _tile(rows: int, vectors: int, lanes: int) -> Any:
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
    """Sums are loaded, grow by one outer product a round, and are stored; `add_plainly` is the same in numpy."""
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


def add_plainly(x: Array, w: Array, y: Array) -> None:
    """What a tile does, in numpy: x (rows, count) @ w (count, columns) is added to y, one outer product a round."""
    sums = y.copy()
    for number in range(len(w)):
        factors, columns = x[:, number], w[number]
        sums += factors[:, None] * columns[None, :]
    y[...] = sums


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


def _columns(vectors: int, lanes: int) -> Any:
    """The product with so many columns: four rows at a time, then one."""
    four, one = _tile(TILE_ROWS, vectors, lanes), _tile(1, vectors, lanes)

    @kernel
    def add_columns(x, x_step, w, step, count, y, rows):
        row = 0
        while row + TILE_ROWS <= rows:
            four(x + row * x_step, x_step, w, step, count, y + row * step, step)
            row += TILE_ROWS
        while row < rows:
            one(x + row * x_step, x_step, w, step, count, y + row * step, step)
            row += 1

    return add_columns


def has_registers() -> bool:
    """Whether the processor that numba compiles for has 32 registers of 16 numbers (AVX-512), not 16 of 8 (AVX2)."""
    settings: Any = config  # its names are made when it is loaded
    if settings.CPU_FEATURES is not None:
        return "+avx512f" in settings.CPU_FEATURES
    return settings.CPU_NAME != "generic" and bool(get_host_cpu_features().get("avx512f"))


IS_WIDE = has_registers()
"""Whether sums of 32 columns fit into the registers: where they do not, products of rows take six times as long."""

_add_32, _add_16, _add_8, _add_4 = _columns(2, 16), _columns(1, 16), _columns(1, 8), _columns(1, NARROWEST)
_add_3, _add_2, _add_1 = (
    _columns(1, 3),
    _columns(1, 2),
    _columns(1, 1),
)  # one by one they would take three times as long


@kernel
def add_matrix_product(x, x_step, w, count, y, rows, size):
    """y (rows, size) += x (rows, count) @ w (count, size); addresses, and bytes from row to row of x."""
    step, column = FLOAT_BYTES * size, 0
    while column < size:
        left, source, target = size - column, w + FLOAT_BYTES * column, y + FLOAT_BYTES * column
        if IS_WIDE and left >= 32:
            _add_32(x, x_step, source, step, count, target, rows)
            column += 32
        elif left >= 16:
            _add_16(x, x_step, source, step, count, target, rows)
            column += 16
        elif left >= 8:
            _add_8(x, x_step, source, step, count, target, rows)
            column += 8
        elif left >= NARROWEST:
            _add_4(x, x_step, source, step, count, target, rows)
            column += NARROWEST
        else:
            _add_few(x, x_step, source, step, count, target, rows, left)
            column = size


@kernel
def _add_few(x, x_step, w, step, count, y, rows, columns):
    """The last one, two or three columns."""
    if columns == 3:
        _add_3(x, x_step, w, step, count, y, rows)
    elif columns == 2:
        _add_2(x, x_step, w, step, count, y, rows)
    else:
        _add_1(x, x_step, w, step, count, y, rows)
