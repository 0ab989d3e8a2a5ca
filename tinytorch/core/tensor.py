"""Tensor: an array to compute with, which remembers how it was computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from tinytorch.core.graph import Node, apply, no_grad
from tinytorch.core.ops import Array, Axis, Shape
from tinytorch.errors import UsageError

__all__ = ["Tensor", "apply", "concatenate", "no_grad", "stack", "where"]

DEFAULT_DTYPE = np.dtype(np.float32)


class Tensor(Node):
    """An array `data`, its gradient `grad` (None until `backward`), and the graph behind it.

    Numbers, lists and floating arrays become float32 unless `dtype` says otherwise; integer and boolean arrays (labels,
    indices) keep their type. A float32 array is shared, not copied. Pickles and copies carry neither grad nor graph.

    Raises UsageError for data that are not numeric, and for gradients of integers.
    """

    __array_ufunc__ = None  # numpy then leaves `array + tensor` to Tensor
    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        self.data = _as_array(data, dtype)
        if requires_grad and self.data.dtype.kind != "f":
            raise UsageError(f"a tensor with gradients must be floating, not {self.data.dtype}")
        self.grad = None
        self.requires_grad = requires_grad
        self._origin = None

    @classmethod
    def zeros(cls, *shape: Any, requires_grad: bool = False) -> Self:
        """Float32 zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
        return cls(np.zeros(_unpacked(shape), DEFAULT_DTYPE), requires_grad)

    @classmethod
    def ones(cls, *shape: Any, requires_grad: bool = False) -> Self:
        """Float32 ones."""
        return cls(np.ones(_unpacked(shape), DEFAULT_DTYPE), requires_grad)

    @classmethod
    def arange(cls, *limits: int) -> Self:
        """Integers from 0 or the first limit up to, not including, the last; a third argument is the step."""
        return cls(np.arange(*limits))

    @classmethod
    def randn(cls, *shape: Any, rng: np.random.Generator | None = None, requires_grad: bool = False) -> Self:
        """Float32 draws from the standard normal distribution; without `rng` they differ from run to run."""
        draws = (rng or np.random.default_rng()).standard_normal(_unpacked(shape), DEFAULT_DTYPE)
        return cls(draws, requires_grad)

    @classmethod
    def rand(cls, *shape: Any, rng: np.random.Generator | None = None, requires_grad: bool = False) -> Self:
        """Float32 draws, uniform in 0..1; without `rng` they differ from run to run."""
        return cls((rng or np.random.default_rng()).random(_unpacked(shape), DEFAULT_DTYPE), requires_grad)

    @property
    def shape(self) -> Shape:
        """Sizes of all axes."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.data.size

    @property
    def T(self) -> Tensor:  # noqa: N802 - the name numpy gave it
        """All axes reversed."""
        return self.transpose()

    def item(self) -> float | int | bool:
        """The only element as a Python number; UsageError when there are more or none."""
        if self.data.size != 1:
            raise UsageError(f"item() needs a tensor of one element, this one has shape {self.shape}")
        value: float | int | bool = self.data.item()
        return value

    def numpy(self) -> Array:
        """The array itself, not a copy."""
        return self.data

    def __add__(self, other: Any) -> Tensor:
        return apply("add", self, self._operand(other))

    def __radd__(self, other: Any) -> Tensor:
        return apply("add", self._operand(other), self)

    def __sub__(self, other: Any) -> Tensor:
        return apply("sub", self, self._operand(other))

    def __rsub__(self, other: Any) -> Tensor:
        return apply("sub", self._operand(other), self)

    def __mul__(self, other: Any) -> Tensor:
        return apply("mul", self, self._operand(other))

    def __rmul__(self, other: Any) -> Tensor:
        return apply("mul", self._operand(other), self)

    def __truediv__(self, other: Any) -> Tensor:
        return apply("div", self, self._operand(other))

    def __rtruediv__(self, other: Any) -> Tensor:
        return apply("div", self._operand(other), self)

    def __matmul__(self, other: Any) -> Tensor:
        return apply("matmul", self, self._operand(other))

    def __rmatmul__(self, other: Any) -> Tensor:
        return apply("matmul", self._operand(other), self)

    def __neg__(self) -> Tensor:
        return apply("neg", self)

    def __pow__(self, exponent: float) -> Tensor:
        return apply("pow", self, exponent=exponent)

    def __getitem__(self, index: Any) -> Tensor:
        return apply("getitem", self, index=_plain_index(index))

    def __len__(self) -> int:
        if not self.data.ndim:
            raise UsageError("len() needs a tensor with at least one axis")
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __iter__(self) -> Iterator[Tensor]:
        return (self[row] for row in range(len(self)))

    def matmul(self, other: Any) -> Tensor:
        """`self @ other`."""
        return self.__matmul__(other)

    def exp(self) -> Tensor:
        """e to the power of each element."""
        return apply("exp", self)

    def log(self) -> Tensor:
        """Natural logarithm of each element."""
        return apply("log", self)

    def sqrt(self) -> Tensor:
        """Square root of each element."""
        return apply("sqrt", self)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum over `axis`, over everything by default."""
        return apply("sum", self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean over `axis`, over everything by default."""
        return apply("mean", self, axis=axis, keepdims=keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean squared distance from the mean over `axis` (divided by N, as in numpy), over everything by default."""
        return apply("var", self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest element along `axis`, of everything by default."""
        return apply("max", self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Smallest element along `axis`, of everything by default."""
        return -(-self).max(axis, keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape: `reshape(2, -1)` or `reshape((2, -1))`."""
        return apply("reshape", self, shape=_unpacked(shape))

    def transpose(self, *axes: Any) -> Tensor:
        """Axes in the order given, `transpose(0, 2, 1)` or `transpose((0, 2, 1))`; reversed by default.

        Two axes of a tensor that has more are exchanged: `transpose(1, 2)`.
        """
        order = _unpacked(axes)
        if len(order) == 2 < self.ndim:
            return apply("swapaxes", self, first=order[0], second=order[1])
        return apply("transpose", self, axes=order or None)

    def masked_fill(self, mask: Any, value: float) -> Tensor:
        """This tensor with `value` wherever `mask` (boolean, of a shape that broadcasts to this one) is true."""
        return where(mask, self._operand(value), self)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype) if copy else np.asarray(self.data, dtype)

    def __repr__(self) -> str:
        suffix = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({np.array2string(self.data, separator=', ', prefix='Tensor(')}{suffix})"

    def __getstate__(self) -> tuple[Array, bool]:
        return self.data, self.requires_grad

    def __setstate__(self, state: tuple[Array, bool]) -> None:
        self.data, self.requires_grad = state
        self.grad = self._origin = None

    def _operand(self, other: Any) -> Tensor:
        """`other` as a tensor; plain numbers take this tensor's floating type."""
        if isinstance(other, Tensor):
            return other
        if isinstance(other, (int, float)) and self.data.dtype.kind == "f":
            return Tensor(other, dtype=self.data.dtype)
        return Tensor(other)


def where(condition: Any, chosen: Tensor, other: Tensor) -> Tensor:
    """Elements of `chosen` where `condition` (boolean) is true, else of `other`; all three broadcast."""
    return apply("where", chosen, other, condition=np.asarray(condition, bool))


def concatenate(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors one after the other along `axis`; their other axes are equal."""
    if not tensors:
        raise UsageError("concatenate() needs at least one tensor")
    return apply("concatenate", *tensors, axis=axis)


def stack(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new `axis`."""
    if not tensors:
        raise UsageError("stack() needs at least one tensor")
    position = axis % (tensors[0].ndim + 1)
    rows = [tensor.reshape((*tensor.shape[:position], 1, *tensor.shape[position:])) for tensor in tensors]
    return concatenate(rows, position)


def _as_array(data: Any, dtype: DTypeLike | None) -> Array:
    try:
        array = np.asarray(data, dtype)
    except (ValueError, TypeError) as error:
        raise UsageError(f"a tensor needs numbers in rows of equal length: {error}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"a tensor needs numbers, not {array.dtype}")
    is_typed = dtype is not None or (array.dtype.kind != "f" and isinstance(data, (np.ndarray, np.generic, Tensor)))
    return array if is_typed else array.astype(DEFAULT_DTYPE, copy=False)


def _unpacked(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(1, 2)` and `f((1, 2))` mean the same."""
    return tuple(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], (tuple, list)) else arguments


def _plain_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_plain_index(part) for part in index)
    return index.data if isinstance(index, Tensor) else index
