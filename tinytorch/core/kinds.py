"""What kinds of layers a model is made of, as the rules of a competition count them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from tinytorch.core.compact import CompactWeight
from tinytorch.core.model import Layer
from tinytorch.core.tensor import Tensor
from tinytorch.marks import own, with_its_own

PLAIN_CONTAINER = "Sequential"  # this kind is not counted, what is in it is
PACKAGE = Path(__file__).parents[1]
LONGEST_NAME = 60
_CONTAINERS = (dict, list, tuple)
_NUMBERS = (int, float, complex, bool, str, bytes, slice, type(None))  # and what says something of them
_PLAIN = {"builtins", "collections"}  # modules whose containers hand out just what is in them


def layer_kinds(model: Layer) -> list[str]:
    """Kinds of all layers in order; a plain Sequential itself is no kind, only what is in it.

    Only the framework's own classes count as the kinds that they stand in for. All else is marked as "(own)": another
    class, whatever its name, a function among layers; and what a layer of ours was given of its own: a method, a
    weight, a container. Contents are looked at as they are, and not as a class of its own hands them out.
    """
    return [kind for kind in _kinds(model, ()) if kind != PLAIN_CONTAINER]


def is_where_it_says(kind: type) -> bool:
    """Whether a class is found under the module and name that it gives itself."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


@cache
def is_ours(kind: Any) -> bool:
    """Whether a class is the framework's: found where it says, in a module of ours whose source has it."""
    root, *parts = str(kind.__module__).split(".")
    if root != PACKAGE.name or not is_where_it_says(kind):
        return False
    files = (PACKAGE.joinpath(*parts).with_suffix(".py"), PACKAGE.joinpath(*parts, "__init__.py"))
    sources = (file.read_text() for file in files if file.is_file())
    return any(re.search(rf"^\s*class {re.escape(kind.__name__)}\b", source, re.MULTILINE) for source in sources)


def _kinds(layer: Layer, above: tuple[Layer, ...]) -> Iterator[str]:
    yield _kind(layer)
    for item in _held(vars(layer)):
        if not issubclass(type(item), Layer) and not isinstance(item, Layer):
            yield _own(item)
        elif all(item is not each for each in (layer, *above)):
            yield from _kinds(item, (*above, layer))


def _kind(layer: Layer) -> str:
    found: Any = type(layer)
    if not is_ours(found):
        return _own(layer)
    given = ", ".join(_given(layer))
    return with_its_own(found.kind, given) if given else found.kind


def _own(item: object) -> str:
    named = item if isinstance(item, FunctionType) else type(item)
    return own(named.__name__[:LONGEST_NAME])


def _given(layer: Layer) -> Iterator[str]:
    """What a layer of ours has that no layer of its class has."""
    for name, value in dict.items(vars(layer)):
        if isinstance(getattr(type(layer), name, None), FunctionType):
            yield name
        if issubclass(type(value), _CONTAINERS) and not _is_plain(type(value)):
            yield type(value).__name__[:LONGEST_NAME]
        if isinstance(value, (Tensor, CompactWeight)) or hasattr(type(value), "__array_ufunc__") or _counts(value):
            yield from dict.fromkeys(_strange(value))


def _counts(value: object) -> bool:
    """Whether it can be computed with as a number."""
    return isinstance(value, (int, float, complex)) or hasattr(type(value), "__index__")


def _strange(value: Any) -> Iterator[str]:
    """Kinds of objects in a weight that are more than numbers: arithmetic with them runs whatever they like."""
    kind: Any = type(value)
    if isinstance(value, (Tensor, CompactWeight)) and _is_plain(kind):
        for each in (value.data,) if isinstance(value, Tensor) else vars(value).values():
            yield from _strange(each)
    elif kind in _CONTAINERS:
        for each in _contents(value):
            yield from _strange(each)
    elif kind is np.ndarray:
        if value.dtype.hasobject:
            yield "array of objects"
    elif kind not in _NUMBERS and not isinstance(value, (np.generic, np.dtype)):
        yield kind.__name__[:LONGEST_NAME]


def _is_plain(kind: Any) -> bool:
    return kind.__module__ in _PLAIN or is_ours(kind)


def _held(container: Any) -> Iterator[Any]:
    """The layers in a container and in those inside it, in order, and whatever else can be called among layers."""
    items = list(_contents(container))
    has_layers = any(isinstance(item, Layer) for item in items) and not isinstance(container, dict)
    for item in items:
        if issubclass(type(item), _CONTAINERS):
            yield from _held(item)
        elif isinstance(item, Layer) or (has_layers and callable(item)):
            yield item


def _contents(container: Any) -> Iterable[Any]:
    if issubclass(type(container), dict):
        return dict.values(container)
    return list.__iter__(container) if issubclass(type(container), list) else tuple.__iter__(container)
