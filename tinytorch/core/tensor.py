"""Tensor: an array to compute with, which remembers how it was computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from tinytorch.core.arraylike import ArrayLike
from tinytorch.core.conversion import DEFAULT_DTYPE, plain_index, unpacked
from tinytorch.core.graph import apply, no_grad
from tinytorch.core.ops import Axis
from tinytorch.errors import UsageError

__all__ = ["Tensor", "apply", "concatenate", "no_grad", "stack", "where"]


class Tensor(ArrayLike):
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
    def randn(cls, *shape: Any, rng: np.random.Generator | None = None, requires_grad: bool = False) -> Self:
        """Float32 draws from the standard normal distribution; without `rng` they differ from run to run."""
        draws = (rng or np.random.default_rng()).standard_normal(unpacked(shape), DEFAULT_DTYPE)
        return cls(draws, requires_grad)

    @classmethod
    def rand(cls, *shape: Any, rng: np.random.Generator | None = None, requires_grad: bool = False) -> Self:
        """Float32 draws, uniform in 0..1; without `rng` they differ from run to run."""
        return cls((rng or np.random.default_rng()).random(unpacked(shape), DEFAULT_DTYPE), requires_grad)

    @property
    def T(self) -> Tensor:  # noqa: N802 - the name numpy gave it
        """All axes reversed."""
        return apply("transpose", self, axes=None)

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

    def __getitem__(self, index: Any) -> Tensor:
        return apply("getitem", self, index=plain_index(index))

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
