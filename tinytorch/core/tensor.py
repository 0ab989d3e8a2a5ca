"""Tensor: an array to compute with, which remembers how it was computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np

from tinytorch.core.arguments import Rng, generator_of
from tinytorch.core.conversion import DEFAULT_DTYPE, unpacked
from tinytorch.core.graph import apply
from tinytorch.core.numpy_functions import METHODS, called, dot
from tinytorch.core.recording import is_recording, no_grad
from tinytorch.core.reducing import Reduced
from tinytorch.errors import ShapeError, UsageError

__all__ = ["Tensor", "apply", "concatenate", "no_grad", "stack", "where"]


class Tensor(Reduced):
    """An array `data`, its gradient `grad` (None until `backward`), and the graph behind it.

    Numbers, lists and floating arrays become float32 unless `dtype` says otherwise; integer and boolean arrays (labels,
    indices) keep their type unless they want gradients. A float32 array is shared, not copied. Pickles and copies carry
    neither grad nor graph. Raises UsageError for data that are not numeric, and for gradients of an integer `dtype`.
    """

    __slots__ = ()

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
    def randn(cls, *shape: Any, rng: Rng = None, requires_grad: bool = False) -> Self:
        """Float32 draws from the standard normal distribution; without `rng` they differ from run to run."""
        draws = generator_of(rng).standard_normal(unpacked(shape), DEFAULT_DTYPE)
        return cls(draws, requires_grad)

    @classmethod
    def rand(cls, *shape: Any, rng: Rng = None, requires_grad: bool = False) -> Self:
        """Float32 draws, uniform in 0..1; without `rng` they differ from run to run."""
        return cls(generator_of(rng).random(unpacked(shape), DEFAULT_DTYPE), requires_grad)

    def __add__(self, other: Any) -> Self:
        return apply("add", self, self._operand(other))

    def __radd__(self, other: Any) -> Self:
        return apply("add", self._operand(other), self)

    def __sub__(self, other: Any) -> Self:
        return apply("sub", self, self._operand(other))

    def __rsub__(self, other: Any) -> Self:
        return apply("sub", self._operand(other), self)

    def __mul__(self, other: Any) -> Self:
        return apply("mul", self, self._operand(other))

    def __rmul__(self, other: Any) -> Self:
        return apply("mul", self._operand(other), self)

    def __truediv__(self, other: Any) -> Self:
        return apply("div", self, self._operand(other))

    def __rtruediv__(self, other: Any) -> Self:
        return apply("div", self._operand(other), self)

    def __matmul__(self, other: Any) -> Self:
        return self.matmul(other)

    def __rmatmul__(self, other: Any) -> Self:
        return apply("matmul", self._operand(other), self)

    def __neg__(self) -> Self:
        return apply("neg", self)

    def __abs__(self) -> Self:
        return apply("abs", self)

    def __pow__(self, exponent: Any) -> Self:
        is_number = isinstance(exponent, (int, float))
        power = exponent if is_number else self._operand(exponent)
        lowest = exponent if is_number else power.data.min(initial=0) if power.dtype.kind != "f" else 0
        if self.dtype.kind != "f" and lowest < 0:
            mend = "make it floating: Tensor(data, dtype=np.float32)"
            raise UsageError(f"{self.dtype} to a negative power is a fraction, which the type cannot hold", mend=mend)
        return apply("pow", self, exponent=power) if is_number else apply("power", self, power)

    def __rpow__(self, base: Any) -> Self:
        return apply("power", self._operand(base), self)

    def __iadd__(self, other: Any) -> Self:
        return self._changed(lambda: self + other)

    def __isub__(self, other: Any) -> Self:
        return self._changed(lambda: self - other)

    def __imul__(self, other: Any) -> Self:
        return self._changed(lambda: self * other)

    def __itruediv__(self, other: Any) -> Self:
        return self._changed(lambda: self / other)

    def __ipow__(self, other: Any) -> Self:
        return self._changed(lambda: self**other)

    def _changed(self, compute: Callable[[], Self]) -> Self:
        """What `self += other` and its like leave in the place of this tensor.

        A tensor that somebody made is changed itself, whoever holds it; a parameter inside no_grad() alone, since the
        graph would not know. The result of an operation is not changed: a new one takes its place.
        """
        is_own = self._origin is None and hasattr(self, "_is_to_train")
        if is_own and self._requires_grad and is_recording():
            reason = "a tensor with gradients cannot be changed in place: its graph would not know"
            raise UsageError(reason, mend="wrap it in no_grad(), or write w = w - ...")
        result = compute()
        if result._requires_grad or not is_own:
            return result
        if result.shape != self.shape or not np.can_cast(result.dtype, self.dtype, "same_kind"):
            shown = f"{self.dtype} {self.shape} cannot become {result.dtype} {result.shape}"
            raise ShapeError(f"what is changed in place must keep type and shape: {shown}")
        self.data = result.data.astype(self.dtype, copy=False)
        return self

    def pow(self, exponent: Any) -> Self:
        """`self ** exponent`."""
        return self.__pow__(exponent)

    def matmul(self, other: Any) -> Self:
        """`self @ other`."""
        return apply("matmul", self, self._operand(other))

    def abs(self) -> Self:
        """Each element without its sign."""
        return apply("abs", self)

    def exp(self) -> Self:
        """e to the power of each element."""
        return apply("exp", self)

    def log(self) -> Self:
        """Natural logarithm of each element."""
        return apply("log", self)

    def sqrt(self) -> Self:
        """Square root of each element."""
        return apply("sqrt", self)

    def tanh(self) -> Self:
        """Hyperbolic tangent of each element."""
        return apply("tanh", self)

    def sigmoid(self) -> Self:
        """1 / (1 + e^-x) of each element x."""
        return apply("sigmoid", self)

    def relu(self) -> Self:
        """Each element, or 0 where it is negative."""
        return apply("relu", self)

    def softmax(self, dim: int = -1) -> Self:
        """e^x / sum(e^x) along the axis `dim`."""
        return apply("softmax", self, axis=dim)

    def log_softmax(self, dim: int = -1) -> Self:
        """Logarithm of `softmax`, exact where that would round to 0."""
        return apply("log_softmax", self, axis=dim)

    def clamp(self, min: float | None = None, max: float | None = None) -> Self:  # noqa: A002 - PyTorch's names
        """Each element, or the bound that it lies beyond. The gradient goes to the one of them that it is."""
        if min is None and max is None:
            raise UsageError("clamp() needs a bound, min or max")
        if isinstance(min, Tensor) or isinstance(max, Tensor):
            raised = self if min is None else where(self < min, min, self)
            return raised if max is None else where(raised > max, max, raised)
        low, high = (None if bound is None else np.asarray(self._operand(bound).data) for bound in (min, max))
        return apply("clip", self, low=low, high=high)

    def clip(self, min: float | None = None, max: float | None = None) -> Self:  # noqa: A002
        """`clamp`, by numpy's name."""
        return self.clamp(min, max)

    def clone(self) -> Self:
        """A copy of the numbers, through which gradients go on."""
        return apply("clone", self)

    def masked_fill(self, mask: Any, value: float) -> Self:
        """This tensor with `value` wherever `mask` (boolean, of a shape that broadcasts to this one) is true."""
        return apply("where", self._operand(value), self, condition=np.asarray(mask, bool))

    def __array_function__(
        self, function: Callable[..., Any], types: Any, given: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        return called(function, _FUNCTIONS, given, named)


def where(condition: Any, chosen: Any, other: Any) -> Tensor:
    """Elements of `chosen` where `condition` (boolean) is true, else of `other`; all three broadcast."""
    first, second = _together(chosen, other)
    return apply("where", first, second, condition=np.asarray(condition, bool))


def concatenate(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors one after the other along `axis`; their other axes are equal."""
    return apply("concatenate", *_several("concatenate", tensors), axis=axis)


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new `axis`."""
    rows = _several("stack", tensors)
    return concatenate([row.unsqueeze(axis) for row in rows], axis if axis >= 0 else axis + rows[0].ndim + 1)


def _together(*items: Any) -> list[Tensor]:
    """Tensors, arrays and numbers as tensors; numbers take the floating type of a tensor beside them."""
    given = [item if isinstance(item, (Tensor, int, float)) else Tensor(item) for item in items]
    tensors = [item for item in given if isinstance(item, Tensor)]
    floating = [tensor for tensor in tensors if tensor.dtype.kind == "f"]
    beside = (floating or tensors or [Tensor(0.0)])[0]
    return [beside._operand(item) for item in given]


def _several(name: str, tensors: Any) -> list[Tensor]:
    if isinstance(tensors, (Tensor, np.ndarray)) or not isinstance(tensors, Iterable):
        mend = f"write {name}([a, b])"
        raise UsageError(f"{name}() needs a list of tensors, and got a {type(tensors).__qualname__}", mend=mend)
    found = _together(*tensors)
    if not found:
        raise UsageError(f"{name}() needs at least one tensor")
    return found


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors that may be given an array first."""
    return lambda first, *others, **named: function(*_together(first), *others, **named)


_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    **{function: _method(method) for function, method in METHODS.items()},
    np.dot: lambda a, b: dot(*_together(a, b)),
    np.where: lambda condition, *choices: where(condition, *choices) if choices else np.where(np.asarray(condition)),
    np.concatenate: concatenate,
    np.stack: stack,
}


def __getattr__(name: str) -> Any:
    """`Function`, which older files of the course import from here, is loaded when it is asked for."""
    if name == "Function":
        from tinytorch.core.autograd import Function  # which is built on this module

        return Function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
