"""Which name somebody may have meant who wrote one that is not there. Looks at names alone: nothing foreign runs."""

from __future__ import annotations

import builtins
import difflib
import re
import sys
from collections.abc import Iterable
from types import ModuleType, TracebackType

_NOT_IN_MODULE = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")


def meant(error: BaseException) -> str:
    """`did you mean 'prune_neurons'?` for a name that was not found where a close one is; else empty."""
    name, known = _looked_for(error)
    close = difflib.get_close_matches(name, [each for each in known if each != name], n=1) if name else []
    return f"did you mean {close[0]!r}?" if close else ""


def _looked_for(error: BaseException) -> tuple[str, Iterable[str]]:
    """The name, and those that there are in its place."""
    if isinstance(error, ImportError) and (found := _NOT_IN_MODULE.match(str(error))):
        return found[1], _names(sys.modules.get(found[2]))
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return error.name or "", _names(error.obj)
    if isinstance(error, NameError) and error.__traceback__:
        frame = _last(error.__traceback__).tb_frame
        return error.name or "", {*frame.f_locals, *frame.f_globals, *vars(builtins)}
    return "", ()


def _names(module: ModuleType | None) -> set[str]:
    """What a module has, and what it says that it will have."""
    if module is None:
        return set()
    listed = vars(module).get("__all__", ())
    return {*vars(module), *(name for name in listed if isinstance(name, str))}


def _last(traceback: TracebackType) -> TracebackType:
    while traceback.tb_next:
        traceback = traceback.tb_next
    return traceback
