"""What to write in the place of a name that another framework has, and this one has not."""

from __future__ import annotations

from collections.abc import Iterable

from tinytorch.text import nearest

_IN_MEMORY = "leave it out: every tensor is in memory, and in order"
_BY_NUMPY = "write np.{name}(x.data): it has no gradient here"
INSTEAD = {
    **dict.fromkeys(("cpu", "cuda", "to", "device", "contiguous"), _IN_MEMORY),
    **dict.fromkeys(("cumsum", "argsort", "sort", "unique", "prod", "isnan", "round", "floor"), _BY_NUMPY),
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), "leave it out: operations stretch axes of size 1"),
    "repeat": "write concatenate([x, x])",
    "gather": "write x[rows, places] with two arrays of integers",
    "norm": "write (x * x).sum().sqrt()",
    "mm": "write a @ b",
    "bmm": "write a @ b",
    "double": "write Tensor(array, dtype=np.float64)",
    "grad_fn": "write x._grad_fn",
    "is_leaf": "write x._grad_fn is None",
}


def instead_of(name: str, known: Iterable[str]) -> str:
    """What to write where a tensor has no `name`."""
    if name in INSTEAD:
        return INSTEAD[name].format(name=name)
    if name.endswith("_"):
        return "write x += ..., x *= ... or x[...] = ... inside no_grad()"
    return nearest(name, [each for each in known if not each.startswith("_")])
