"""Whether the framework is still the one that a process started with.

Both models run in one process, so that an entry that replaces a function of the framework, or of what it stands on,
changes its own baseline. A snapshot is taken before anything foreign is imported, and compared afterwards.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from types import FunctionType

import tinytorch.core

WATCHED = (
    "tinytorch.core", "tinytorch.benchmarking.measure", "tinytorch.benchmarking.footprint",
    "tinytorch.benchmarking.placements", "tinytorch.benchmarking.yardstick", "numpy", "numpy.linalg", "time", "gc",
)  # fmt: skip
NOTED_WHEN_COPIED = "__slotnames__"  # in a class, by copyreg, when first an instance is copied or pickled
Snapshot = dict[str, tuple[object, object]]  # name -> object and, of a function, what it does


def snapshot() -> Snapshot:
    """Every function and class of the framework, loaded for the purpose, and of what it stands on."""
    for module in pkgutil.iter_modules(tinytorch.core.__path__, "tinytorch.core."):
        importlib.import_module(module.name)
    return dict(_members())


def changed(before: Snapshot) -> list[str]:
    """The names of what has been replaced, rewritten or, in a class, added since."""
    now = dict(_members({name.rpartition(":")[0] for name in before}))
    return sorted(name.replace(":", ".") for name in before.keys() | now.keys() if _differs(before, now, name))


def _differs(before: Snapshot, now: Snapshot, name: str) -> bool:
    if name not in before:  # in a class; a module may load and keep what it likes
        return "." in name.rpartition(":")[2] and not name.endswith(f".{NOTED_WHEN_COPIED}")
    if name not in now:
        return True
    (old, old_code), (new, new_code) = before[name], now[name]
    return old is not new or old_code != new_code


def _members(modules: set[str] | None = None) -> Iterator[tuple[str, tuple[object, object]]]:
    """`module:name` and `module:Class.name` with what they stand for."""
    names = modules or {name for name in sys.modules if name in WATCHED or name.startswith("tinytorch.core.")}
    for module in sorted(names):
        for name, value in list(vars(sys.modules[module]).items()):
            if isinstance(value, type) and value.__module__ == module:
                yield from ((f"{module}:{name}.{key}", _seen(member)) for key, member in list(vars(value).items()))
            if isinstance(value, dict) and name.isupper():  # a table, such as that of the operations
                yield from ((f"{module}:{name}[{key}]", _seen(member)) for key, member in list(value.items()))
            if callable(value):
                yield f"{module}:{name}", _seen(value)


def _seen(value: object) -> tuple[object, object]:
    """The object, kept alive so that its identity stays its own, and the code and defaults of a function."""
    function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
    if isinstance(function, FunctionType):
        return value, (function.__code__, function.__defaults__)
    return value, None
