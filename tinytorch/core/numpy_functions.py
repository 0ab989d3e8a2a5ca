"""What numpy's functions do with tensors: those that have an operation here keep gradients.

`np.exp` and its like (ufuncs) go another way, `ArrayLike.__array_ufunc__`. A function that is not here computes from
the arrays, and is refused where that would lose a gradient.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from tinytorch.core.graph import Node
from tinytorch.core.recording import is_recording
from tinytorch.errors import ShapeError, UsageError


def dot(a: Any, b: Any) -> Any:
    """`np.dot` of numbers, vectors and matrices; what it makes of more axes is no matrix product."""
    if min(a.ndim, b.ndim) == 0:
        return a * b
    if max(a.ndim, b.ndim) > 2:
        raise ShapeError(f"np.dot of tensors takes up to two axes, got {a.shape} and {b.shape}", mend="write a @ b")
    return a @ b


def clip(a: Any, a_min: Any = None, a_max: Any = None, **names: Any) -> Any:
    """`np.clip`, by both pairs of names that it knows."""
    return a.clamp(names.pop("min", a_min), names.pop("max", a_max), **names)


def reduced(name: str, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """A reduction, by the tensor's method of that name."""
    return getattr(a, name)(axis, keepdims)


REDUCTIONS: dict[Callable[..., Any], str] = {
    np.sum: "sum", np.mean: "mean", np.var: "var", np.std: "std", np.max: "max", np.amax: "max", np.min: "min",
    np.amin: "min", np.argmax: "argmax", np.argmin: "argmin", np.all: "all", np.any: "any",
}  # fmt: skip
METHODS: dict[Callable[..., Any], Callable[..., Any]] = {
    **{function: partial(reduced, name) for function, name in REDUCTIONS.items()},
    np.reshape: lambda a, shape: a.reshape(shape),
    np.ravel: lambda a: a.flatten(),
    np.squeeze: lambda a, axis=None: a.squeeze(axis),
    np.expand_dims: lambda a, axis: a.unsqueeze(axis),
    np.transpose: lambda a, axes=None: a.T if axes is None else a.permute(*axes),
    np.swapaxes: lambda a, axis1, axis2: a.transpose(axis1, axis2),
    np.copy: lambda a: a.clone(),
    np.dot: dot,
    np.clip: clip,
}

WITHOUT_GRADIENT = {np.zeros_like, np.ones_like, np.empty_like, np.full_like}  # they read shape and type alone


def called(
    function: Callable[..., Any],
    operations: Mapping[Callable[..., Any], Callable[..., Any]],
    given: tuple[Any, ...],
    named: Mapping[str, Any],
) -> Any:
    """`function(*given, **named)`: by the operation that stands for it, or computed from arrays.

    UsageError for arguments that the operation does not know, and where a gradient would be lost.
    """
    title = f"{function.__module__}.{function.__name__}"
    if function in operations:
        try:
            return operations[function](*given, **named)
        except TypeError as error:
            mend = "leave out what the tensor's own method does not take, or use .data"
            raise UsageError(f"{title} of a tensor: {_without_name(error)}", mend=mend) from error
    result = function(*_plain(given), **_plain(dict(named)))
    is_wanted = is_recording() and _requires_gradient((given, tuple(named.values())))
    if is_wanted and function not in WITHOUT_GRADIENT and _is_floating(result):
        raise UsageError(f"{title} has no gradient here", mend="use .data, or methods of Tensor")
    return result


def _without_name(error: TypeError) -> str:
    """What is wrong with the arguments, without the name of a function that nobody called."""
    return re.sub(r"^\S+\(\) ", "", str(error))


def _plain(item: Any) -> Any:
    """Arrays in the place of tensors, in containers too."""
    if isinstance(item, Node):
        return item.data
    if type(item) in (list, tuple):
        return type(item)(_plain(each) for each in item)
    return {key: _plain(each) for key, each in item.items()} if type(item) is dict else item


def _requires_gradient(item: Any) -> bool:
    if isinstance(item, (list, tuple)):
        return any(map(_requires_gradient, item))
    return isinstance(item, Node) and item.requires_grad


def _is_floating(result: Any) -> bool:
    if isinstance(result, (list, tuple)):
        return any(map(_is_floating, result))
    return isinstance(result, (np.ndarray, np.floating)) and result.dtype.kind in "fc"
