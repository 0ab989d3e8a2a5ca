"""Bytes that a model keeps: every distinct buffer reachable from it, counted once.

References are followed as the garbage collector follows them, so attributes, slots, containers, closures, partials and
bound methods need no cases of their own. Modules, classes and a function's globals are not part of a model.
"""

from __future__ import annotations

import gc
import mmap
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

import numpy as np

_HAS_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC: instances of such a type tell the collector what they refer to
_OUTSIDE = (type, ModuleType, CodeType, BuiltinFunctionType)
_ATOMS = (type(None), bool, int, float, complex, str, np.generic, np.dtype, range, type(Ellipsis))


@dataclass(frozen=True)
class Footprint:
    """`kept_bytes` in `buffers` distinct buffers; `unseen` names types that do not say what they refer to."""

    kept_bytes: int
    buffers: int
    unseen: tuple[str, ...]


def footprint(model: object) -> Footprint:
    """Walk everything reachable from `model`; shared buffers count once, a view counts the buffer it looks into."""
    seen: dict[int, object] = {}  # holds the objects, so that no id is used twice
    sizes: list[int] = []
    unseen: set[str] = set()
    waiting = [model]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, _OUTSIDE):
            continue
        seen[id(item)] = item
        size = buffer_bytes(item)
        if size:
            sizes.append(size)
        if not _is_transparent(item):
            unseen.add(type(item).__qualname__)
        waiting.extend(_references(item))
    return Footprint(sum(sizes), len(sizes), tuple(sorted(unseen)))


def buffer_bytes(item: object) -> int:
    """Bytes of data that `item` itself owns; 0 for a view and for anything that is no buffer."""
    if isinstance(item, np.ndarray):
        return item.nbytes if item.base is None else 0
    if isinstance(item, array):
        return item.itemsize * len(item)
    return len(item) if isinstance(item, (bytes, bytearray, mmap.mmap)) else 0


def _references(item: object) -> Iterable[object]:
    if isinstance(item, np.ndarray):
        elements = item.ravel().tolist() if item.dtype.hasobject else []
        return [item.base, *elements, *gc.get_referents(item)]
    if isinstance(item, memoryview):
        return [item.obj]
    if isinstance(item, FunctionType):
        return [item.__closure__, item.__defaults__, item.__kwdefaults__, item.__dict__]
    return gc.get_referents(item)


def _is_transparent(item: object) -> bool:
    known = isinstance(item, (*_ATOMS, np.ndarray, bytes, bytearray, array, memoryview, mmap.mmap))
    return known or bool(type(item).__flags__ & _HAS_GC)
