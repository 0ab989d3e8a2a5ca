"""What to write in the place of a name that PyTorch's tensors have, and ours have not."""

from __future__ import annotations

from typing import Any, NoReturn


class Missing:
    """An attribute that is not there, and says what to write: AttributeError when anybody asks for it.

    A `__getattr__` would say it too, and make every other attribute of a tensor slower.
    """

    def __init__(self, instead: str) -> None:
        self._instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, tensor: Any, kind: type) -> NoReturn:
        reason = f"a {kind.__name__} has no {self._name!r}: {self._instead}"
        raise AttributeError(reason, name=self._name, obj=tensor)


class Foreign:
    """Base of tensors: names that people bring along."""

    __slots__ = ()

    cpu = Missing("leave it out, every tensor is in memory")
    cuda = Missing("leave it out, every tensor is in memory")
    to = Missing("leave it out, every tensor is in memory; astype() gives another type")
    device = Missing("every tensor is in memory")
    contiguous = Missing("leave it out, reshape() copies where it must")
    double = Missing("write Tensor(array, dtype=np.float64)")
    expand = Missing("leave it out, operations stretch axes of size 1")
    repeat = Missing("write concatenate([x, x])")
    gather = Missing("write x[rows, places] with two arrays of integers")
    norm = Missing("write (x * x).sum().sqrt()")
    mm = Missing("write a @ b")
    bmm = Missing("write a @ b")
    cumsum = Missing("write np.cumsum(x.data, axis), which has no gradient")
    argsort = Missing("write np.argsort(x.data), or x.topk(k).indices")
    sort = Missing("write x.topk(n), or np.sort(x.data), which has no gradient")
    prod = Missing("write np.prod(x.data), which has no gradient")
    isnan = Missing("write np.isnan(x.data)")
    zero_ = Missing("write x *= 0 inside no_grad(); x.zero_grad() forgets a gradient")
    add_ = Missing("write x += y inside no_grad()")
    sub_ = Missing("write x -= y inside no_grad()")
    mul_ = Missing("write x *= y inside no_grad()")
    fill_ = Missing("write x[...] = y inside no_grad()")
    copy_ = Missing("write x[...] = y inside no_grad()")
    is_leaf = Missing("write x._grad_fn is None")
    grad_fn = Missing("write x._grad_fn")
