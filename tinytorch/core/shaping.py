"""The same elements in another shape: what a tensor can be asked for by numpy's names and by PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Self

from tinytorch.core.arguments import is_whole, shown
from tinytorch.core.arraylike import ArrayLike
from tinytorch.core.conversion import plain_index, unpacked
from tinytorch.core.graph import apply
from tinytorch.errors import RangeError, UsageError


class Shaped(ArrayLike):
    """Base of tensors: what changes a shape, or takes a part."""

    __slots__ = ()

    @property
    def T(self) -> Self:  # noqa: N802 - the name numpy gave it
        """All axes reversed."""
        return apply("transpose", self, axes=None)

    def __getitem__(self, index: Any) -> Self:
        return apply("getitem", self, index=plain_index(index))

    def __iter__(self) -> Iterator[Self]:
        return (self[row] for row in range(len(self)))

    def t(self) -> Self:
        """The two axes of a matrix exchanged."""
        return self.transpose(0, 1) if self.ndim == 2 else self.T

    def reshape(self, *shape: Any) -> Self:
        """The same elements in another shape: `reshape(2, -1)` or `reshape((2, -1))`."""
        return apply("reshape", self, shape=unpacked(shape))

    def view(self, *shape: Any) -> Self:
        """`reshape`, by PyTorch's name; unlike there it copies where elements do not lie in order."""
        return self.reshape(*shape)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Self:
        """The axes from `start_dim` to `end_dim` as one."""
        first, last = self._axis(start_dim), self._axis(end_dim)
        if first > last:
            raise UsageError(f"flatten() needs axes in their order, not {start_dim} to {end_dim}")
        together = math.prod(self.shape[first : last + 1])
        return self.reshape((*self.shape[:first], together, *self.shape[last + 1 :]))

    def squeeze(self, dim: int | tuple[int, ...] | None = None) -> Self:
        """Without the axis `dim`, or several, where its size is 1; or without all such axes."""
        dims = tuple(range(self.ndim)) if dim is None else dim if isinstance(dim, tuple) else (dim,)
        dropped = {self._axis(each) for each in dims}
        return self.reshape(tuple(size for axis, size in enumerate(self.shape) if size != 1 or axis not in dropped))

    def unsqueeze(self, dim: int) -> Self:
        """With a new axis of size 1 at the place `dim`."""
        place = self._axis(dim, self.ndim + 1)
        return self.reshape((*self.shape[:place], 1, *self.shape[place:]))

    def transpose(self, dim0: Any = None, dim1: int | None = None, *others: int) -> Self:
        """This tensor with two axes exchanged, the last two by default; or `permute`, for a tuple or for three axes."""
        if others or isinstance(dim0, (tuple, list)):
            return self.permute(dim0) if dim1 is None else self.permute(dim0, dim1, *others)
        first, second = (-2, -1) if dim0 is None and dim1 is None else (dim0, dim1)
        if first is None or second is None:
            raise UsageError("transpose() exchanges two axes, and got one", mend="write transpose(1, 2)")
        return apply("swapaxes", self, first=first, second=second) if self.ndim > 1 else self.reshape(self.shape)

    def permute(self, *axes: Any) -> Self:
        """All axes in the order given: `permute(0, 2, 1)` or `permute((0, 2, 1))`."""
        return apply("transpose", self, axes=unpacked(axes))

    def _axis(self, axis: int, count: int | None = None) -> int:
        """The number of an axis from 0 on; RangeError when there is none of that number."""
        axes = self.ndim if count is None else count
        most = max(axes, 1)  # a single number has no axis, and is flattened all the same
        if not is_whole(axis):
            raise UsageError(f"an axis must be an integer, not {shown(axis)}")
        if not -most <= axis < most:
            raise RangeError(f"an axis of a tensor of shape {self.shape} must lie in {-most}..{most - 1}, not {axis}")
        return axis % most
