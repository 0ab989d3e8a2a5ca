"""A student's file in the place of a module of ours, in the process of the tests."""

from __future__ import annotations
import __future__

import builtins
import linecache
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from tinytorch.core.recording import recording
from tinytorch.core.tensor import Tensor
from tito.course.source import Cell, read_cells, without_magics

FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


class NotInFileError(Exception):
    """A test has used a name that a student's file does not have."""


class _Absent(type):
    """The type of what stands for such a name: a test can import it, and is told when it uses it."""

    def _used(cls, *_: object, **__: object) -> NoReturn:
        raise NotInFileError(f"your file has no {cls.__name__}")

    __call__ = __instancecheck__ = __subclasscheck__ = __iter__ = __getitem__ = __len__ = __enter__ = _used

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("_"):  # asked by Python or pytest, not by a test
            raise AttributeError(name)
        cls._used()


def absent(name: str) -> type:
    """Stands for a name that a student's file does not have."""
    if name.startswith("_"):
        raise AttributeError(name)
    found = _Absent(name, (), {})
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
        flags = 0
        for cell in self._cells:
            code = compile(self._python(cell), cell.name, "exec", flags=flags, dont_inherit=True)
            flags |= code.co_flags & FUTURES
            exec(code, module.__dict__)
        module.__getattr__ = absent  # type: ignore[method-assign]
        self._module = module

    def _python(self, cell: Cell) -> str:
        return without_magics(cell.text) if self.file.suffix.lower() == ".ipynb" else cell.text


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
