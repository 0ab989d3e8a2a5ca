"""A student's file in the place of a module of ours, in the process of the tests."""

from __future__ import annotations
import __future__

import builtins
import linecache
import os
import re
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

from tinytorch.core.recording import recording
from tinytorch.core.tensor import Tensor
from tito.course.source import Cell, is_notebook, read_cells, without_magics

FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


class NotInFileError(Exception):
    """A test has used a name that a student's file does not have."""


class _Absent(type):
    """The type of what stands for such a name: a test can import it, and is told when it uses it."""

    def _used(cls, *_: object, **__: object) -> NoReturn:
        raise NotInFileError(f"your file has no {cls.__name__}{vars(cls).get('_more', '')}")

    __call__ = __instancecheck__ = __subclasscheck__ = __iter__ = __getitem__ = __len__ = __enter__ = _used

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("_"):  # asked by Python or pytest, not by a test
            raise AttributeError(name)
        cls._used()


def absent(name: str, more: str = "") -> type:
    """Stands for a name that a student's file does not have; `more` is said of it."""
    if name.startswith("_"):
        raise AttributeError(name)
    found = _Absent(name, (), {"_more": more})
    found.__init_subclass__ = classmethod(lambda cls, **_: found._used())  # type: ignore[assignment]
    return found


class StandIn(MetaPathFinder, Loader):
    """Finds a student's file where the module `home` is imported, and runs it cell by cell."""

    def __init__(self, home: str, file: Path) -> None:
        self.home, self.file = home, file
        self._cells = read_cells(file)
        self._module: ModuleType | None = None
        for cell in self._cells:  # so that a message can show a line of a notebook
            linecache.cache[cell.name] = (len(cell.text), None, cell.text.splitlines(keepends=True), cell.name)

    @property
    def names(self) -> frozenset[str]:
        """What its cells are called in tracebacks."""
        return frozenset(cell.name for cell in self._cells)

    def missing(self, name: str) -> type:
        """Stands for a name that the file does not have, with what may be meant."""
        defined = re.compile(rf"^(?:class|def)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", re.MULTILINE)
        for cell in self._cells:
            if not cell.exported and defined.search(cell.text):
                where = cell.name.removeprefix(str(self.file)).strip(" ()")
                return absent(name, f": it is in {where}, which has no mark #| export")
        near = get_close_matches(name, vars(self._module or ModuleType("")), 1)
        return absent(name, f"; did you mean {near[0]}?" if near else "")

    @property
    def is_in_place(self) -> bool:
        """Whether whoever imports the module gets the student's file."""
        return self._module is not None and sys.modules.get(self.home) is self._module

    def load(self) -> None:
        """Import the module from the student's file; raises whatever that raises."""
        if self.home == "tinytorch.core.autograd":
            _take_gradients_away()
        sys.path.append(str(self.file.parent))  # last: what lies beside it hides nothing
        sys.meta_path.insert(0, self)
        sys.modules.pop(self.home, None)
        import_module(self.home)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The student's file for its module, nothing for any other."""
        return spec_from_loader(name, self, origin=str(self.file)) if name == self.home else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the cells in order, as one session: what one imports from `__future__` holds for those below it."""
        module.__file__ = str(self.file)
        if is_notebook(self.file):
            vars(module).update(display=print, get_ipython=_Notebook)
        flags = 0
        for cell in filter(lambda cell: cell.exported, self._cells):
            code = self._compiled(cell, flags)
            flags |= code.co_flags & FUTURES
            exec(code, module.__dict__)
        self._module = module
        module.__getattr__ = self.missing  # type: ignore[method-assign]

    def _compiled(self, cell: Cell, flags: int) -> CodeType:
        python = without_magics(cell.text) if is_notebook(self.file) else cell.text
        try:
            code: CodeType = compile(python, cell.name, "exec", flags=flags, dont_inherit=True)
            return code
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(
                f"{type(error).__name__}: {error}", (cell.name, 1, 1, cell.text.partition("\n")[0])
            ) from error


class _Notebook:
    """What a notebook can be asked for, and does not do here."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _take_gradients_away() -> None:
    """Leave Tensor as module 01 does: ours has gradients, and would answer in the place of those that are tested."""

    def backward(*_: Any, **__: Any) -> NoReturn:
        raise NotInFileError("your enable_autograd() gives Tensor no backward()")

    recording.enabled = False
    Tensor.backward = backward  # type: ignore[method-assign]


def hold_python() -> None:
    """From now on nothing in this process can end it, or wait for an answer, without raising where it does."""
    own, end = os.getpid(), os._exit

    def end_children_only(status: int) -> NoReturn:
        if os.getpid() != own:
            end(status)
        raise SystemExit(status)

    def nobody_answers(*_: Any) -> NoReturn:
        raise EOFError("input() asks, and nobody is there to answer")

    os._exit = end_children_only
    builtins.input = nobody_answers
