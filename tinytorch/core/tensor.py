"""Tensor: an array that remembers how it was computed, and can hand gradients back along that way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinytorch.core.ops import OPERATIONS, Array, Axis, Operation, Shape
from tinytorch.errors import ShapeError, UsageError

DEFAULT_DTYPE = np.dtype(np.float32)

_Origin = tuple[Operation, tuple["Tensor", ...], dict[str, Any]]
_RELEASED: _Origin = (Operation(np.positive, ()), (), {})


class _Recording(threading.local):
    """Whether this thread keeps the graph that `backward` needs."""

    enabled = True


_recording = _Recording()


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without remembering how: for inference and for changing weights. This thread only; may be nested."""
    before = _recording.enabled
    _recording.enabled = False
    try:
        yield
    finally:
        _recording.enabled = before


class Tensor:
    """An array `data`, its gradient `grad` (None until `backward`), and the graph behind it.

    Numbers, lists and floating arrays become float32 unless `dtype` says otherwise; integer and boolean arrays (labels,
    indices) keep their type. A float32 array is shared, not copied. Pickles and copies carry neither grad nor graph.

    Raises UsageError for data that are not numeric, and for gradients of integers.
    """

    __array_ufunc__ = None  # numpy then leaves `array + tensor` to Tensor
    __slots__ = ("__weakref__", "_origin", "data", "grad", "requires_grad")

    data: Array
    grad: Array | None
    requires_grad: bool
    _origin: _Origin | None

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        self.data = _as_array(data, dtype)
        if requires_grad and self.data.dtype.kind != "f":
            raise UsageError(f"only floating tensors have gradients, not {self.data.dtype}")
        self.grad = None
        self.requires_grad = requires_grad
        self._origin = None

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

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def backward(self, gradient: Any = None) -> None:
        """Add d(self)/d(leaf) to `.grad` of every leaf that requires it, then release the graph.

        `gradient` has the shape of this tensor; it may be left out for a tensor of one element.
        Raises UsageError when there is no graph (any more), ShapeError when `gradient` does not fit.
        """
        if not self.requires_grad:
            raise UsageError("backward() needs a tensor computed from one with requires_grad=True, outside no_grad()")
        gradients = {id(self): self._seed(gradient)}
        if self._origin is None:
            _accumulate(self, gradients[id(self)], shared=True)
        for tensor in _in_reverse(self):
            if tensor._origin is not None:
                tensor._hand_back(tensor._origin, gradients.pop(id(tensor)), gradients)

    def _seed(self, gradient: Any) -> Array:
        if gradient is None and self.data.size != 1:
            raise UsageError(f"backward() of a tensor of shape {self.shape} needs a gradient of that shape")
        seed = np.ones_like(self.data) if gradient is None else np.asarray(gradient, self.dtype)
        if seed.shape != self.shape:
            raise ShapeError(f"backward() got a gradient of shape {seed.shape} for a tensor of shape {self.shape}")
        return seed

    def _hand_back(self, origin: _Origin, gradient: Array, gradients: dict[int, Array]) -> None:
        """Pass the gradient of this tensor on to what it was computed from, and let go of that."""
        operation, inputs, options = origin
        arrays = [tensor.data for tensor in inputs]
        for tensor, vjp in zip(inputs, operation.vjps, strict=True):
            if not tensor.requires_grad:
                continue
            part = vjp(gradient, self.data, *arrays, **options)
            if tensor._origin is None:
                _accumulate(tensor, part, shared=part is gradient or part.base is not None)
            else:
                key = id(tensor)
                gradients[key] = gradients[key] + part if key in gradients else part
        self._origin = _RELEASED

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
            raise UsageError("a tensor without axes has no length")
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __iter__(self) -> Iterator[Tensor]:
        return (self[row] for row in range(len(self)))

    def exp(self) -> Tensor:
        """e to the power of each element."""
        return apply("exp", self)

    def log(self) -> Tensor:
        """Natural logarithm of each element."""
        return apply("log", self)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum over `axis`, over everything by default."""
        return apply("sum", self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean over `axis`, over everything by default."""
        return apply("mean", self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest element along `axis`, of everything by default."""
        return apply("max", self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape: `reshape(2, -1)` or `reshape((2, -1))`."""
        return apply("reshape", self, shape=_unpacked(shape))

    def transpose(self, *axes: Any) -> Tensor:
        """Axes in the order given, `transpose(0, 2, 1)` or `transpose((0, 2, 1))`; reversed by default."""
        return apply("transpose", self, axes=_unpacked(axes) or None)

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


def apply(name: str, *inputs: Tensor, **options: Any) -> Tensor:
    """Compute the operation `name` of the table and, unless inside `no_grad`, remember how.

    Raises ShapeError for inputs that do not fit together.
    """
    operation = OPERATIONS[name]
    try:
        data = operation.forward(*[tensor.data for tensor in inputs], **options)
    except (ValueError, IndexError) as error:
        shapes = ", ".join(str(tensor.shape) for tensor in inputs)
        raise ShapeError(f"{name} of shapes {shapes}: {error}") from error
    result = _new(Tensor)
    result.data = data if isinstance(data, np.ndarray) else np.asarray(data)
    result.grad = result._origin = None
    result.requires_grad = False
    if _recording.enabled:
        for tensor in inputs:
            if tensor.requires_grad:
                result.requires_grad = True
                result._origin = (operation, inputs, options)
                break
    return result


_new = Tensor.__new__


def _in_reverse(root: Tensor) -> list[Tensor]:
    """Every computed tensor behind `root`, itself included, each before those that it was computed from."""
    order: list[Tensor] = []
    seen: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        tensor, is_finished = waiting.pop()
        if is_finished:
            order.append(tensor)
        elif tensor._origin is not None and id(tensor) not in seen:
            if tensor._origin is _RELEASED:
                raise UsageError("backward() went through this graph before and released it; compute the loss again")
            seen.add(id(tensor))
            waiting.append((tensor, True))
            waiting.extend((parent, False) for parent in tensor._origin[1] if parent.requires_grad)
    return order[::-1]


def _accumulate(leaf: Tensor, gradient: Array, shared: bool) -> None:
    """Add to `leaf.grad`. Each leaf owns its array, so what others may look into (`shared`) is copied."""
    if leaf.grad is None:
        leaf.grad = gradient.copy() if shared else gradient
    else:
        leaf.grad += gradient


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
