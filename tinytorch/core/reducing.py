"""Many elements made one: sums, means, largest elements and their places, by numpy's names and by PyTorch's.

`axis` and `keepdims` are numpy's; `dim` and `keepdim` say the same. As in PyTorch, `max(dim=...)` gives the places too.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from tinytorch.core.arguments import is_whole, whole
from tinytorch.core.graph import apply
from tinytorch.core.ops import Axis
from tinytorch.core.shaping import Shaped
from tinytorch.errors import RangeError, UsageError


class Extreme(NamedTuple):
    """The largest or smallest elements along an axis, and their numbers there, integers."""

    values: Any
    indices: Any


class Reduced(Shaped):
    """Base of tensors: what makes one element of many."""

    __slots__ = ()

    def sum(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Self:
        """Sum over `axis`, over everything by default."""
        return self._reduced("sum", axis, keepdims, names)

    def mean(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Self:
        """Mean over `axis`, over everything by default."""
        return self._reduced("mean", axis, keepdims, names)

    def var(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Self:
        """Mean squared distance from the mean over `axis` (divided by N, as in numpy), over everything by default."""
        return self._reduced("var", axis, keepdims, names)

    def std(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Self:
        """Square root of `var`, and so divided by N; PyTorch divides by N - 1."""
        return self._reduced("std", axis, keepdims, names)

    def max(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Any:
        """Largest element along `axis`, of everything by default; with `dim` an `Extreme`. NaN where there is one."""
        return self._extreme("max", axis, keepdims, names)

    def min(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Any:
        """Smallest element along `axis`, of everything by default; with `dim` an `Extreme`. NaN where there is one."""
        return self._extreme("min", axis, keepdims, names)

    def argmax(self, axis: int | None = None, keepdims: bool = False, **names: Any) -> Self:
        """Number of the largest element along `axis`, of everything in a row by default; the first of equals."""
        return self._answer("argmax", axis, keepdims, names)

    def argmin(self, axis: int | None = None, keepdims: bool = False, **names: Any) -> Self:
        """Number of the smallest element along `axis`, of everything in a row by default; the first of equals."""
        return self._answer("argmin", axis, keepdims, names)

    def all(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Self:
        """Whether all elements are true (not 0), along `axis` or at all."""
        return self._answer("all", axis, keepdims, names)

    def any(self, axis: Axis = None, keepdims: bool = False, **names: Any) -> Self:
        """Whether any element is true (not 0), along `axis` or at all."""
        return self._answer("any", axis, keepdims, names)

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> Extreme:
        """The `k` largest elements along `dim`, or the smallest, the best first, and their numbers there."""
        place = self._axis(dim)
        wanted = whole("topk() needs k", k, 0)
        if not self.ndim or wanted > self.shape[place]:
            raise RangeError(f"topk() cannot choose {k} along axis {dim} of a tensor of shape {self.shape}")
        ordered = np.argsort(np.flip(self.data, place) if largest else self.data, place, "stable")
        if largest:  # the last of a row turned around is the first of equals
            ordered = self.shape[place] - 1 - np.flip(ordered, place)
        return self._taken(np.take(ordered, np.arange(wanted), place), place)

    def _reduced(self, name: str, axis: Axis, keepdims: bool, names: dict[str, Any]) -> Self:
        place, keeps = _named(axis, keepdims, names)
        return apply(name, self, axis=place, keepdims=keeps)

    def _answer(self, name: str, axis: Axis, keepdims: bool, names: dict[str, Any]) -> Self:
        """A number or a truth value, of which there is no gradient."""
        return type(self)(np.asarray(self._plain(name, *_named(axis, keepdims, names))))

    def _extreme(self, name: str, axis: Axis, keepdims: bool, names: dict[str, Any]) -> Any:
        if not is_whole(names.get("dim")):
            return self._reduced(name, axis, keepdims, names)
        dim, keeps = _named(axis, keepdims, names)
        places = self._plain(f"arg{name}", dim, True)
        values, indices = self._taken(places, self._axis(names["dim"]))
        return Extreme(values, indices) if keeps else Extreme(values.squeeze(dim), indices.squeeze(dim))

    def _plain(self, name: str, axis: Axis, keepdims: bool) -> Any:
        """What numpy's method gives, of which there is no gradient."""
        try:
            return getattr(self.data, name)(axis=axis, keepdims=keepdims)
        except (ValueError, IndexError, TypeError) as error:
            kind = RangeError if isinstance(error, IndexError) else UsageError
            raise kind(f"{name} of a tensor of shape {self.shape}: {error}", mend="give one axis, or none") from error

    def _taken(self, places: Any, axis: int) -> Extreme:
        """The elements at `places` along an axis."""
        grid = np.ogrid[tuple(slice(size) for size in places.shape)]
        index = tuple(places if number == axis else each for number, each in enumerate(grid))
        return Extreme(self[index], type(self)(places))


def _named(axis: Any, keepdims: bool, names: dict[str, Any]) -> tuple[Any, bool]:
    """Axis and keepdims, by whichever names they were given."""
    unknown = sorted(names.keys() - {"dim", "keepdim"})
    if unknown or ("dim" in names and axis is not None):
        raise UsageError(
            f"a reduction takes axis and keepdims, or dim and keepdim, and got {', '.join(unknown) or 'both'}",
            mend="write axis=1, keepdims=True",
        )
    return names.get("dim", axis), bool(names.get("keepdim", keepdims))
