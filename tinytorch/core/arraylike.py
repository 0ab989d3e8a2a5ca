"""What a tensor has of an array: sizes, comparisons, numbers, and its dealings with numpy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from tinytorch.core.conversion import DEFAULT_DTYPE, as_array, inner_items, plain_index
from tinytorch.core.graph import Node, apply
from tinytorch.core.hints import Foreign
from tinytorch.core.ops import OPERATIONS, Array, Shape
from tinytorch.core.recording import is_recording
from tinytorch.errors import ShapeError, UsageError

_ROWS = {row.forward: name for name, row in OPERATIONS.items() if isinstance(row.forward, np.ufunc)}
_ROWS[np.matmul] = "matmul"


class ArrayLike(Node, Foreign):
    """Base of tensors: all that has no gradient of its own."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        if not isinstance(data, np.ndarray):
            _check_no_graph(data)
        self.data = as_array(data, dtype)
        if requires_grad and self.data.dtype.kind != "f":
            if dtype is not None:
                raise UsageError(f"a tensor with gradients must be floating, not {self.data.dtype}")
            self.data = self.data.astype(DEFAULT_DTYPE)
        self._grad = self._origin = None
        self._requires_grad = bool(requires_grad)
        self._is_to_train = self._requires_grad

    def __getstate__(self) -> tuple[Any, ...]:
        if not hasattr(self, "_is_to_train"):  # a result, whose graph is left behind
            return self.data, False
        is_frozen = self._is_to_train and not self._requires_grad
        return (self.data, False, True) if is_frozen else (self.data, self._requires_grad)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.data, self._requires_grad = state[:2]
        self._grad = self._origin = None
        self._is_to_train = any(state[1:])

    def detach(self) -> Self:
        """The same array as a tensor without gradient and graph."""
        return type(self)(self.data, dtype=self.dtype)

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

    def __len__(self) -> int:
        if not self.data.ndim:
            raise UsageError("len() needs a tensor with at least one axis")
        return len(self.data)

    def item(self) -> float | int | bool:
        """The only element as a Python number; UsageError when there are more or none."""
        if self.data.size != 1:
            raise UsageError(f"item() needs a tensor of one element, this one has shape {self.shape}")
        value: float | int | bool = self.data.item()
        return value

    def __bool__(self) -> bool:
        if self.data.size != 1:
            mend = "write (x > 0).any(), or .all(); where(x > 0, a, b) chooses for each element"
            raise UsageError(f"a tensor of shape {self.shape} is not true or false: it needs one element", mend=mend)
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, specification: str) -> str:
        return format(self.item() if specification else str(self), specification)

    def __repr__(self) -> str:
        suffix = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({np.array2string(self.data, separator=', ', prefix='Tensor(')}{suffix})"

    def dim(self) -> int:
        """Number of axes, as PyTorch calls it."""
        return self.data.ndim

    def numel(self) -> int:
        """Number of elements, as PyTorch calls it."""
        return self.data.size

    def astype(self, dtype: DTypeLike) -> Self:
        """The numbers in another type. UsageError where that would lose a gradient."""
        if self._requires_grad and is_recording() and self.data.dtype != dtype:
            raise UsageError("a change of type has no gradient here", mend="make the tensor in that type: dtype=")
        return self if self.data.dtype == dtype else type(self)(self.data, dtype=dtype)

    def float(self) -> Self:
        """The numbers as float32: truth values as 0 and 1."""
        return self.astype(DEFAULT_DTYPE)

    def long(self) -> Self:
        """The numbers as integers of 64 bits."""
        return self.astype(np.int64)

    def requires_grad_(self, is_required: bool = True) -> Self:
        """Say whether a gradient is wanted, and hand this tensor back."""
        self.requires_grad = is_required
        return self

    def __invert__(self) -> Self:
        return type(self)(np.invert(self.data))

    def __and__(self, other: Any) -> Self:
        return type(self)(np.bitwise_and(self.data, np.asarray(other)))

    def __or__(self, other: Any) -> Self:
        return type(self)(np.bitwise_or(self.data, np.asarray(other)))

    def numpy(self) -> Array:
        """The array itself, not a copy."""
        return self.data

    def tolist(self) -> Any:
        """The elements as Python's numbers, in lists as deep as there are axes."""
        return self.data.tolist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype) if copy else np.asarray(self.data, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """What numpy does with `array + tensor` and `np.exp(tensor)`: the table's operation, where there is one.

        Others are computed from the arrays; UsageError where that would lose a gradient. `array -= tensor` writes into
        the array.
        """
        if method == "__call__" and not options and ufunc in _ROWS:
            return apply(_ROWS[ufunc], *[self._operand(item) for item in inputs])
        arrays = [np.asarray(item) for item in inputs]
        written = tuple(np.asarray(item) for item in options.pop("out", ()))
        if written:
            return getattr(ufunc, method)(*arrays, out=written, **options)
        result = np.asarray(getattr(ufunc, method)(*arrays, **options))
        is_wanted = is_recording() and any(isinstance(item, Node) and item.requires_grad for item in inputs)
        if is_wanted and result.dtype.kind == "f":
            mend = "use .data, or a method of Tensor: relu() or clamp() for maximum and minimum"
            raise UsageError(f"numpy's {ufunc.__name__} has no gradient here", mend=mend)
        return type(self)(result)

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.requires_grad and is_recording():
            raise UsageError(
                "a tensor with gradients cannot be written into", mend="use where(), or write inside no_grad()"
            )
        self.data[plain_index(index)] = value.data if isinstance(value, Node) else value

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

    def _compared(self, relation: Any, other: Any) -> Any:
        """Truth values, element by element; nothing is comparable to what is not numeric."""
        if not isinstance(other, (Node, np.ndarray, np.generic, int, float, list, tuple)):
            return NotImplemented
        array = np.asarray(other)
        try:
            return type(self)(np.asarray(relation(self.data, array)))
        except ValueError as error:
            raise ShapeError(f"cannot compare shapes {self.shape} and {array.shape}") from error

    def _operand(self, other: Any) -> Self:
        """`other` as a tensor; plain numbers take this tensor's floating type, integers beside integers stay such."""
        if isinstance(other, type(self)):
            return other
        if isinstance(other, (int, float)) and self.data.dtype.kind == "f":
            return type(self)(other, dtype=self.data.dtype)
        if isinstance(other, int) and self.data.dtype.kind in "iu":
            return type(self)(other, dtype=np.int64)  # wide enough, so that 1 - 2 is not 255
        return type(self)(other)


def _check_no_graph(data: Any) -> None:
    """UsageError for tensors, in lists too, whose gradients a copy of their numbers would lose."""
    items = inner_items(data) if isinstance(data, (list, tuple)) else (data,)
    if any(isinstance(item, Node) and item.requires_grad for item in items) and is_recording():
        mend = "write stack([...]) of tensors, or .detach() for their numbers alone"
        raise UsageError("a tensor made of tensors would lose their gradients", mend=mend)
