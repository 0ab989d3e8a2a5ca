"""What an object leads to: its own data, and the classes, functions and modules that belong to the model.

References are followed as the garbage collector follows them, so that slots, cells, partials and bound methods need no
cases of their own. What belongs to the standard library, this one or installed packages is not followed.
"""

from __future__ import annotations

import gc
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime_CAPI
from enum import Enum
from functools import cache
from logging import Logger
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodWrapperType, ModuleType
from weakref import ProxyTypes

import numpy as np

from tinytorch.core.kinds import is_where_it_says

SCALARS = (type(None), bool, int, float, complex, str, np.generic)
_IS_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement
SHORT_BYTES = 16  # a number, or a short text, under a name of the source is a setting and no store of weights
_LIBRARIES = tuple(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib"))
_PACKAGES = {"site-packages", "dist-packages"}  # folders that installers write to, of the user or of the system
# A logger leads to all other loggers; a capsule is an address in a library's memory.
LEADING_NOWHERE = (
    np.dtype, range, CodeType, np.ufunc, type(np.einsum), type(Ellipsis), type(NotImplemented), type(datetime_CAPI),
    Logger,
)  # fmt: skip
_MADE_BY_PYTHON = {
    "__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__slots__", "__name__",
    "__match_args__", "__orig_bases__", "__parameters__", "__dataclass_fields__", "__dataclass_params__",
    "__abstractmethods__", "_abc_impl", "__builtins__", "__spec__", "__loader__", "__cached__", "__file__",
    "__package__", "__path__",
}  # fmt: skip


def references(item: object) -> Iterable[object]:
    """The objects that `item` leads to."""
    if isinstance(item, LEADING_NOWHERE):
        return ()
    if isinstance(item, ModuleType):
        return _named(vars(item)) if is_own(item.__name__) else ()
    if isinstance(item, type):
        return [*item.__bases__, *_named(vars(item))] if _is_own_class(item) else ()
    if isinstance(item, FunctionType):
        return _of_function(item)
    if isinstance(item, (BuiltinFunctionType, MethodWrapperType)):
        return (item.__self__,)
    if isinstance(item, property):
        return (item.fget, item.fset, item.fdel)
    if _is_compiled(item):
        return _of_compiled(item)
    return _of_instance(item)


@cache
def is_own(module: str) -> bool:
    """Whether a module is neither the standard library's, nor this library's, nor of an installed package."""
    top = module.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    is_installed = file.startswith(_LIBRARIES) or not _PACKAGES.isdisjoint(Path(file).parts)
    return top not in {*sys.stdlib_module_names, "tinytorch"} and not is_installed


def _is_own_class(kind: type) -> bool:
    """A class statement's class; one that says it comes from a library, and is not found there, is its maker's own."""
    return bool(kind.__flags__ & _IS_HEAP_TYPE) and (is_own(kind.__module__) or not is_where_it_says(kind))


def _of_instance(item: object) -> list[object]:
    kind = type(item)
    named = getattr(item, "__dict__", None)
    attributes = named if isinstance(named, dict) else {}
    if isinstance(item, Enum) and not _is_own_class(kind):
        return []
    found = [value for name, value in attributes.items() if name != "__doc__"]
    if _is_own_class(kind):
        found.append(kind)
    if isinstance(item, np.ndarray):
        found += [item.base, *(item.ravel().tolist() if item.dtype.hasobject else [])]
    elif isinstance(item, memoryview):
        found.append(item.obj)
    elif isinstance(item, np.random.BitGenerator):
        found += item.state.values()
    else:
        found += (value for value in gc.get_referents(item) if value is not named and value is not kind)
    return [*found, *dict.keys(item)] if isinstance(item, dict) else found  # the collector passes over text as keys


def _of_function(function: FunctionType) -> list[object]:
    """What it is bound to, and of a model's own the globals that it names."""
    bound = [function.__closure__, function.__dict__, *(function.__defaults__ or ())]
    bound += (function.__kwdefaults__ or {}).values()
    known = function.__globals__
    if not is_own(str(known.get("__name__"))):
        return bound
    return [*bound, *_named({name: known[name] for name in _names(function.__code__) if name in known})]


def _is_compiled(item: object) -> bool:
    """Whether numba made it, as a rule from a Python function."""
    kind = type(item)
    return kind.__module__.startswith("numba.") and is_where_it_says(kind)


def _of_compiled(item: object) -> list[object]:
    """The function that it was made from; all else is numba's own machinery."""
    named = [getattr(item, "py_func", None), *getattr(item, "__dict__", {}).values()]
    return [value for value in named if isinstance(value, FunctionType)]


def _named(members: Mapping[str, object]) -> Iterator[object]:
    """What source keeps under names, but for what Python itself puts there and mere settings."""
    return (value for name, value in members.items() if name not in _MADE_BY_PYTHON and not _is_short(value))


def _is_short(value: object) -> bool:
    """Whether a literal takes at most `SHORT_BYTES`; what is none is never short."""
    if type(value) in ProxyTypes:  # to ask one for its class asks what it leads to, which may be gone
        return False
    if isinstance(value, (str, bytes)):
        return len(value) <= SHORT_BYTES
    if isinstance(value, int):
        return value.bit_length() <= 8 * SHORT_BYTES
    return isinstance(value, (float, complex, type(None), type(Ellipsis)))


def _names(code: CodeType) -> Iterator[str]:
    """Names of globals and attributes in a code and in all code inside it."""
    yield from code.co_names
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _names(value)
