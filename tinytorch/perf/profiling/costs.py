"""What every operation of the framework costs, beside its row in the table of operations.

An arithmetic operation, a comparison or a function of one number is 1 FLOP, so that multiplying and adding is 2; moving
numbers is none. A sum of n products and a bias has n multiplications and n additions: a bias adds nothing to 2 n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from tinytorch.core.ops import Array, ForAny, Operation, watched

Cost = Callable[..., int]  # of (output, *arrays, **options)


@dataclass(frozen=True)
class Work:
    """FLOPs; bytes that are read and written, intermediate results of one operation not counted; bytes written.

    `weight_bytes` are those of the matrices and kernels that products read, and of their biases.
    """

    flops: int = 0
    moved_bytes: int = 0
    written_bytes: int = 0
    weight_bytes: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def _each_output(flops: int) -> Cost:
    return lambda output, *arrays, **options: int(flops * output.size)


def _each_input(flops: int) -> Cost:
    return lambda output, array, *others, **options: int(flops * array.size)


def _products(output: Array, left: Array, right: Array, *bias: Array) -> int:
    """Every output is a sum of as many products as `left` has columns."""
    return int(2 * output.size * left.shape[-1])


def _windows(output: Array, images: Array, weight: Array, *bias: Array, **options: Any) -> int:
    """Every output is a sum of as many products as a kernel (C, KH, KW) has weights."""
    return int(2 * output.size * prod(weight.shape[1:]))


def _pooled(output: Array, images: Array, *, kernel: tuple[int, int], **options: Any) -> int:
    return int(output.size * prod(kernel))


COSTS: dict[str, Cost] = {
    **dict.fromkeys(("reshape", "transpose", "swapaxes", "getitem", "concatenate", "clone"), _each_output(0)),
    **dict.fromkeys(("add", "sub", "mul", "div", "neg", "pow", "power", "abs", "where"), _each_output(1)),
    **dict.fromkeys(("exp", "log", "sqrt", "tanh", "relu"), _each_output(1)),
    "clip": _each_output(2),
    "sigmoid": _each_output(4),  # minus, exp, sum, quotient
    "gelu": _each_output(8),  # four products, two sums, a square, tanh
    **dict.fromkeys(("sum", "mean", "max", "min"), _each_input(1)),
    "std": _each_input(4),  # as var, and a root of few
    "var": _each_input(4),  # mean, difference, square, mean
    "normalize": _each_input(5),  # mean, difference, square, mean, quotient
    "softmax": _each_input(5),  # largest, difference, exp, sum, quotient
    "log_softmax": _each_input(5),
    "cross_entropy": _each_input(5),
    "binary_cross_entropy_of_logits": _each_input(7),  # largest, product, difference, minus, exp, logarithm, sum
    "binary_cross_entropy": _each_input(6),  # two logarithms, two products, sum, minus
    "matmul": _products,
    "linear": _products,
    "conv2d": _windows,
    "max_pool2d": _pooled,
    "avg_pool2d": _pooled,
}


PRODUCTS = ("matmul", "linear", "conv2d")  # of their second array with the first


def work_of(name: str, output: Array, arrays: tuple[Array, ...], options: dict[str, Any]) -> Work:
    """What one use of an operation costs. A view of an array costs nothing; of a table only the rows taken count."""
    if name in ("getitem", "reshape", "transpose", "swapaxes"):
        is_view = np.may_share_memory(output, arrays[0])
        return Work() if is_view else Work(0, 2 * output.nbytes, output.nbytes)
    moved = output.nbytes + sum(array.nbytes for array in arrays)
    weights = sum(array.nbytes for array in arrays[1:]) if name in PRODUCTS else 0
    return Work(COSTS[name](output, *arrays, **options), moved, output.nbytes, weights)


@contextmanager
def observing(tell: Callable[[Work], None], tell_gradients: Callable[[Work], None] | None = None) -> Iterator[None]:
    """Every operation of the framework tells what it cost, in all threads, until the end.

    The gradient of one array is taken to cost as much as the operation: for products that is what it does. That of a
    bias is a sum.
    """
    with watched(lambda name, row: _observed(name, row, tell, tell_gradients)):
        yield


def _observed(
    name: str, row: Operation, tell: Callable[[Work], None], tell_gradients: Callable[[Work], None] | None
) -> Operation:
    def forward(*arrays: Array, **options: Any) -> Array:
        output = row.forward(*arrays, **options)
        tell(work_of(name, np.asarray(output), arrays, options))
        return output

    def vjp(position: int, gradient: Array, output: Array, *arrays: Array, **options: Any) -> Array:
        if tell_gradients:
            is_bias = name in ("linear", "conv2d") and position == 2  # the gradient is summed up, once
            tell_gradients(
                work_of("sum", arrays[2], (output,), {}) if is_bias else work_of(name, output, arrays, options)
            )
        return row.vjps[position](gradient, output, *arrays, **options)

    return Operation(forward, ForAny(partial(vjp)))
