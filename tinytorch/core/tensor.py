"""Tensor: an array to compute with, which remembers how it was computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from tinytorch.core.conversion import DEFAULT_DTYPE, as_array, plain_index, unpacked
from tinytorch.core.graph import Node, apply, is_recording, no_grad
from tinytorch.core.ops import OPERATIONS, Array, Axis, Shape
from tinytorch.errors import ShapeError, UsageError

__all__ = ["Tensor", "apply", "concatenate", "no_grad", "stack", "where"]


class Tensor(Node):
    """An array `data`, its gradient `grad` (None until `backward`), and the graph behind it.

    Numbers, lists and floating arrays become float32 unless `dtype` says otherwise; integer and boolean arrays (labels,
    indices) keep their type. A float32 array is shared, not copied. Pickles and copies carry neither grad nor graph.

    Raises UsageError for data that are not numeric, and for gradients of integers.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        self.data = as_array(data, dtype)
        if requires_grad and self.data.dtype.kind != "f":
            raise UsageError(f"a tensor with gradients must be floating, not {self.data.dtype}")
        self.grad = None
        self.requires_grad = requires_grad
        self._origin = None

    @classmethod
    def zeros(cls, *shape: Any, requires_grad: bool = False) -> Self:
        """Float32 zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
        return cls(np.zeros(unpacked(shape), DEFAULT_DTYPE), requires_grad)

    @classmethod
    def ones(cls, *shape: Any, requires_grad: bool = False) -> Self:
        """Float32 ones."""
        return cls(np.ones(unpacked(shape), DEFAULT_DTYPE), requires_grad)

    @classmethod
    def arange(cls, *limits: int) -> Self:
        """Integers from 0 or the first limit up to, not including, the last; a third argument is the step."""
        return cls(np.arange(*limits))

    @classmethod
    def randn(cls, *shape: Any, rng: np.random.Generator | None = None, requires_grad: bool = False) -> Self:
        """Float32 draws from the standard normal distribution; without `rng` they differ from run to run."""
        draws = (rng or np.random.default_rng()).standard_normal(unpacked(shape), DEFAULT_DTYPE)
        return cls(draws, requires_grad)

    @classmethod
    def rand(cls, *shape: Any, rng: np.random.Generator | None = None, requires_grad: bool = False) -> Self:
        """Float32 draws, uniform in 0..1; without `rng` they differ from run to run."""
        return cls((rng or np.random.default_rng()).random(unpacked(shape), DEFAULT_DTYPE), requires_grad)

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
        return apply("transpose", self, axes=None)

    def item(self) -> float | int | bool:
        """The only element as a Python number; UsageError when there are more or none."""
        if self.data.size != 1:
            raise UsageError(f"item() needs a tensor of one element, this one has shape {self.shape}")
        value: float | int | bool = self.data.item()
        return value

    def numpy(self) -> Array:
        """The array itself, not a copy."""
        return self.data

    def detach(self) -> Tensor:
        """The same array as a tensor without gradient and graph."""
        return Tensor(self.data, dtype=self.dtype)

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

    def __abs__(self) -> Tensor:
        return apply("abs", self)

    def __pow__(self, exponent: Any) -> Tensor:
        if isinstance(exponent, (int, float)):
            return apply("pow", self, exponent=exponent)
        return apply("power", self, self._operand(exponent))

    def __rpow__(self, base: Any) -> Tensor:
        return apply("power", self._operand(base), self)

    def __eq__(self, other: object) -> Any:
        return self._compared(np.equal, other)

    def __ne__(self, other: object) -> Any:
        return self._compared(np.not_equal, other)

    def __lt__(self, other: Any) -> Any:
        return self._compared(np.less, other)

    def __le__(self, other: Any) -> Any:
        return self._compared(np.less_equal, other)

    def __gt__(self, other: Any) -> Any:
        return self._compared(np.greater, other)

    def __ge__(self, other: Any) -> Any:
        return self._compared(np.greater_equal, other)

    __hash__ = Node.__hash__  # which tensor it is, not what is in it

    def __getitem__(self, index: Any) -> Tensor:
        return apply("getitem", self, index=plain_index(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.requires_grad and is_recording():
            raise UsageError(
                "a tensor with gradients cannot be written into", mend="use where(), or write inside no_grad()"
            )
        self.data[plain_index(index)] = value.data if isinstance(value, Tensor) else value

    def __len__(self) -> int:
        if not self.data.ndim:
            raise UsageError("len() needs a tensor with at least one axis")
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, specification: str) -> str:
        return format(self.item() if specification else str(self), specification)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[row] for row in range(len(self)))

    def matmul(self, other: Any) -> Tensor:
        """`self @ other`."""
        return self.__matmul__(other)

    def abs(self) -> Tensor:
        """Each element without its sign."""
        return apply("abs", self)

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

    def argmax(self, axis: int | None = None) -> Tensor:
        """Number of the largest element along `axis`, of everything in a row by default; the first of equals."""
        return Tensor(np.asarray(self.data.argmax(axis)))

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape: `reshape(2, -1)` or `reshape((2, -1))`."""
        return apply("reshape", self, shape=unpacked(shape))

    def transpose(self, dim0: Any = None, dim1: int | None = None, *others: int) -> Tensor:
        """This tensor with two axes exchanged, the last two by default; or `permute`, for a tuple or for three axes."""
        if others or isinstance(dim0, (tuple, list)):
            return self.permute(dim0) if dim1 is None else self.permute(dim0, dim1, *others)
        first, second = (-2, -1) if dim0 is None and dim1 is None else (dim0, dim1)
        if first is None or second is None:
            raise UsageError("transpose() exchanges two axes, and got one", mend="write transpose(1, 2)")
        return apply("swapaxes", self, first=first, second=second) if self.ndim > 1 else self.reshape(self.shape)

    def permute(self, *axes: Any) -> Tensor:
        """All axes in the order given: `permute(0, 2, 1)` or `permute((0, 2, 1))`."""
        return apply("transpose", self, axes=unpacked(axes))

    def masked_fill(self, mask: Any, value: float) -> Tensor:
        """This tensor with `value` wherever `mask` (boolean, of a shape that broadcasts to this one) is true."""
        return where(mask, self._operand(value), self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """What numpy does with `array + tensor` and `np.exp(tensor)`: the table's operation, where there is one.

        Others are computed from the arrays; UsageError where that would lose a gradient. `array -= tensor` writes into
        the array.
        """
        if method == "__call__" and not options and ufunc in _ROWS:
            return apply(_ROWS[ufunc], *[item if isinstance(item, Tensor) else self._operand(item) for item in inputs])
        arrays = [np.asarray(item) for item in inputs]
        written = tuple(np.asarray(item) for item in options.pop("out", ()))
        if written:
            return getattr(ufunc, method)(*arrays, out=written, **options)
        result = np.asarray(getattr(ufunc, method)(*arrays, **options))
        is_wanted = is_recording() and any(isinstance(item, Tensor) and item.requires_grad for item in inputs)
        if is_wanted and result.dtype.kind == "f":
            raise UsageError(f"numpy's {ufunc.__name__} has no gradient here", mend="use .data, or a method of Tensor")
        return Tensor(result)

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

    def _compared(self, relation: Any, other: Any) -> Any:
        """Truth values, element by element; nothing is comparable to what is not numeric."""
        if not isinstance(other, (Tensor, np.ndarray, np.generic, int, float, list, tuple)):
            return NotImplemented
        try:
            return Tensor(np.asarray(relation(self.data, np.asarray(other))))
        except ValueError as error:
            raise ShapeError(f"cannot compare shapes {self.shape} and {np.shape(other)}") from error


_ROWS = {row.forward: name for name, row in OPERATIONS.items() if isinstance(row.forward, np.ufunc)}
_ROWS[np.matmul] = "matmul"


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
