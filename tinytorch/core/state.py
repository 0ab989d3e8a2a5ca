"""What a model holds, by name: every object in it, its arrays to save and load again, its random generators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tinytorch.core.ops import Array
from tinytorch.core.tensor import Tensor
from tinytorch.errors import ShapeError, UsageError


def held(model: object) -> Iterator[tuple[str, Any]]:
    """`model` and every object in it, each once, with the first name that leads to it: "layers.0.weight".

    Looks into attributes of objects of any class, and into dicts, lists, tuples and sets; not into classes, modules and
    functions. What comes first in an object comes first.
    """
    seen, waiting = set[int](), [("", model)]
    while waiting:
        name, item = waiting.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(item))
        yield name, item
        prefix = f"{name}." if name else ""
        waiting.extend([(f"{prefix}{key}", inner) for key, inner in _inside(item)][::-1])


def _inside(item: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(item, dict):
        yield from item.items()
    elif isinstance(item, (list, tuple, set)):
        yield from enumerate(item)
    yield from getattr(item, "__dict__", {}).items()


def state_dict(model: object) -> dict[str, Array]:
    """Copies of all weights and other arrays of numbers of a model of any class, by name: running statistics, codes."""
    return {name: array.copy() for name, array in _arrays(model).items()}


def load_state_dict(model: object, state: Mapping[str, Any]) -> None:
    """Write the arrays of `state` into those of `model`, which stay the same objects.

    Nothing is written unless all of it fits. Raises UsageError for names that are missing or unknown, and for numbers
    that an array's type does not have, fractions in codes for example; ShapeError for an array of another shape.
    """
    own = _arrays(model)
    if own.keys() != state.keys():
        missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        told = [f"{word} {', '.join(names[:3])}" for word, names in (("without", missing), ("with", unknown)) if names]
        raise UsageError(
            f"this is the state of another model: {' and '.join(told)}", mend="build the model that saved it"
        )
    for name, array in own.items():
        if np.shape(state[name]) != array.shape:
            is_turned = np.shape(state[name]) == array.shape[::-1]
            turn = "give its transpose: weights are kept as (in, out), PyTorch's are (out, in)"
            mend = turn if is_turned else "build the model with the sizes that it was saved with"
            raise ShapeError(f"{name} needs the shape {array.shape}, got {np.shape(state[name])}", mend=mend)
    converted = {name: _converted(name, state[name], array) for name, array in own.items()}
    for name, array in own.items():
        array[...] = converted[name]


def _converted(name: str, values: Any, array: Array) -> Array:
    """Values in the type of the array that they are for; of integers and truth values nothing may get lost."""
    given = np.asarray(values)
    if given.dtype.kind in "biuf":
        with np.errstate(invalid="ignore", over="ignore"):
            converted = given.astype(array.dtype)
        lost = np.isfinite(given) & ~np.isfinite(converted) if array.dtype.kind == "f" else converted != given
        if not lost.any():
            return converted
    mend = "build the model in the form in which it was saved"
    raise UsageError(f"{name} holds {array.dtype}, and the numbers given ({given.dtype}) are no such", mend=mend)


def generators(model: object) -> dict[str, np.random.Generator]:
    """Random generators in a model, by name: those of its Dropout layers."""
    return {name: item for name, item in held(model) if isinstance(item, np.random.Generator)}


def _arrays(model: object) -> dict[str, Array]:
    found = list(held(model))
    passing = tuple(f"{name}." for name, item in found if getattr(type(item), "is_passing", False))
    arrays = {name: item.data if isinstance(item, Tensor) else item for name, item in found
              if not name.startswith(passing)}  # fmt: skip
    return {name: item for name, item in arrays.items() if isinstance(item, np.ndarray) and item.dtype.kind in "biuf"}
