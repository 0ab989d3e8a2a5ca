"""Bytes that can be reached from a model: all data, counted once.

Data are buffers, numbers and text, and the slots of the containers that hold them, so that a weight costs something
wherever it is kept. Objects and the names of attributes cost nothing. This is what honest models need to be counted
exactly; weights that somebody hides from it are in the artifact or in the code, which count beside it.
"""

from __future__ import annotations

import io
import sys
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import ModuleType
from typing import Any
from weakref import ProxyTypes

import numpy as np

from tinytorch.benchmarking.reachable import LEADING_NOWHERE, SCALARS, references

SLOT_BYTES = 8  # a reference; also a float, and the least of an integer
_HAS_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC: instances of such a type tell the collector what they refer to
_GC_HEAD_BYTES = 16
_SEQUENCES: tuple[type[Collection[Any]], ...] = (list, tuple, set, frozenset, deque)
_KNOWN = (*SCALARS, np.ndarray, bytes, bytearray, memoryview, np.random.BitGenerator, *LEADING_NOWHERE)


@dataclass(frozen=True)
class Footprint:
    """`kept_bytes` at least; `unseen` names types that do not say what they refer to."""

    kept_bytes: int
    unseen: tuple[str, ...]


def footprint(model: object, modules: Sequence[ModuleType] = ()) -> Footprint:
    """Walk everything reachable from `model`, and from the globals of the `modules` that belong to it."""
    seen: dict[int, object] = {}  # holds the objects, so that no id is used twice
    total, unseen, waiting = 0, set[str](), [model, *modules]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or type(item) in ProxyTypes:  # a weak reference keeps nothing
            continue
        seen[id(item)] = item
        total += data_bytes(item)
        if not _is_transparent(item):
            unseen.add(type(item).__qualname__)
        waiting.extend(references(item))
    return Footprint(total, tuple(sorted(unseen)))


def data_bytes(item: object) -> int:
    """Bytes of data that `item` itself holds, without what it refers to; 0 for a view and for mere structure."""
    if isinstance(item, LEADING_NOWHERE):
        return 0
    if isinstance(item, SCALARS):
        return scalar_bytes(item)
    if isinstance(item, np.ndarray):
        return item.nbytes if item.base is None else 0
    if isinstance(item, (dict, *_SEQUENCES)):
        return _slot_bytes(item)
    if isinstance(item, (io.BytesIO, io.StringIO)):
        return 0 if item.closed else len(item.getvalue())
    return _buffer_bytes(item) or _opaque_bytes(item)


def scalar_bytes(item: object) -> int:
    """Bytes of a number or text; what is True, False or None is structure."""
    if isinstance(item, bool) or item is None:
        return 0
    if isinstance(item, int):
        return max(SLOT_BYTES, (item.bit_length() + 7) // 8)
    if isinstance(item, str):
        return len(item.encode("utf-8", "surrogatepass"))
    return item.nbytes if isinstance(item, np.generic) else 16 if isinstance(item, complex) else SLOT_BYTES


def _slot_bytes(container: Any) -> int:
    """A slot for every element, but for the first reference to each object."""
    elements = list(_elements(container))
    objects = {id(element) for element in elements if not issubclass(type(element), (*SCALARS, bytes))}
    return SLOT_BYTES * (len(elements) - len(objects))


def _elements(container: Any) -> Iterator[object]:
    """What it holds, whatever its class makes of iteration."""
    if isinstance(container, dict):
        return chain(dict.keys(container), dict.values(container))
    kind = next(kind for kind in _SEQUENCES if isinstance(container, kind))
    return kind.__iter__(container)


def _buffer_bytes(item: object) -> int:
    try:
        view = memoryview(item)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return 0
    return view.nbytes if view.obj is item else 0


def _opaque_bytes(item: object) -> int:
    """What a type that is written in C says it takes, beyond its fixed size."""
    kind = type(item)
    has_fixed_size = kind.__sizeof__ is object.__sizeof__ and not kind.__itemsize__
    if has_fixed_size or isinstance(item, (*_KNOWN, type, ModuleType)):
        return 0
    return max(0, sys.getsizeof(item) - kind.__basicsize__ - _GC_HEAD_BYTES)


def _is_transparent(item: object) -> bool:
    if isinstance(item, _KNOWN) or type(item) is object:
        return True
    return bool(type(item).__flags__ & _HAS_GC) or bool(_buffer_bytes(item))
