"""Which name somebody may have meant who wrote one that is not there.

It looks at what foreign code left, and so at exact types only: nothing of a class of theirs is asked or compared.
"""

from __future__ import annotations

import builtins
import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from types import ModuleType, TracebackType

MOST_NAMES, LONGEST_NAME = 3000, 100
_NOT_IN_MODULE = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")


def meant(error: BaseException) -> str:
    """`did you mean 'prune_neurons'?` for a name that was not found where a close one is; else empty."""
    name, known = _looked_for(error)
    if type(name) is not str or not 0 < len(name) <= LONGEST_NAME:
        return ""
    names = [each for each in islice(_texts(known), MOST_NAMES) if each != name]
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _looked_for(error: BaseException) -> tuple[object, Iterable[object]]:
    """The name, and those that there are in its place."""
    if type(error) is ImportError and type(error.msg) is str and (found := _NOT_IN_MODULE.match(error.msg)):
        return found[1], _names(sys.modules.get(found[2]))
    if type(error) is AttributeError:
        return error.name, _names(error.obj)
    if type(error) in (NameError, UnboundLocalError) and isinstance(error, NameError) and error.__traceback__:
        frame = _last(error.__traceback__).tb_frame
        return error.name, [*frame.f_locals, *frame.f_globals, *vars(builtins)]
    return "", ()


def _names(module: object) -> list[object]:
    """What a module has, and what it says that it will have."""
    if type(module) is not ModuleType:
        return []
    listed = vars(module).get("__all__")
    return [*vars(module), *(listed if type(listed) is list or type(listed) is tuple else ())]


def _texts(names: Iterable[object]) -> Iterator[str]:
    return (each for each in names if type(each) is str and len(each) <= LONGEST_NAME)


def _last(traceback: TracebackType) -> TracebackType:
    while traceback.tb_next:
        traceback = traceback.tb_next
    return traceback
